"""The demo's webhooks: on from the start, and followed by the sandbox wherever the hub moves them."""

import pytest
from django.utils import timezone

from connectors.models import Webhook, WebhookCount
from connectors.sandbox.announce import announce
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.notion.wire import NotionWire
from connectors.sandbox.notion.workspace import Workspace, prop
from connectors.sandbox.productboard.board import Board
from connectors.sandbox.productboard.wire import ProductboardWire
from connectors.sandbox.server import serve
from connectors.webhooks import actions
from connectors.webhooks.queries import panel
from hub.demo.webhooks import turn_webhooks_on
from tests.connectors.factories import make_connection


@pytest.fixture
def company(live_server, settings):
    """A sandbox of three tools, connected to a hub that listens."""
    world = small_world(Clock())
    space = Workspace(world)
    with serve(world, wires=[ProductboardWire(Board(world)), NotionWire(space)]) as sandbox:
        settings.BASE_URL, settings.SANDBOX_URL = live_server.url, sandbox.url
        for service in ("linear", "productboard", "notion", "github"):
            make_connection(service, base_url=sandbox.url)
        make_connection("linear", base_url="http://127.0.0.1:1", label="Elsewhere")
        sandbox.space = space
        yield sandbox


def received():
    rows = WebhookCount.objects.filter(what="received").values_list("webhook__connection__service", "count")
    return dict(rows)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_happens_in_each_tool_of_the_demo_is_announced(company):
    assert turn_webhooks_on() == 4  # GitHub has none
    assert announce(company) == 3  # nothing is sent to the one that reads elsewhere
    assert announce(company) == 0

    world = company.world
    world.create_issue(next(iter(world.rows("Team"))), "New")
    company.wires["productboard"].board.add_note("New")
    source = company.space.add_source("Notes", [prop("title", "Name", "title")])
    company.space.add_page(source["id"], {"title": "New"})
    world.clock.set(timezone.now())
    for sender in company.senders.values():
        for waiting in sender.waiting:
            waiting.due_at = world.clock.now()
        sender.deliver_due()

    assert {service for service, count in received().items() if count} == {"linear", "productboard", "notion"}
    assert not WebhookCount.objects.exclude(what="received").exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_moved_and_a_closed_endpoint_are_followed(company):
    turn_webhooks_on()
    announce(company)
    webhook = Webhook.objects.get(connection__service="linear", connection__base_url=company.url)

    actions.move(webhook=webhook, by=None)
    assert announce(company) == 1
    open_now = [hook.url for hook in company.hooks.hooks if hook.is_enabled]
    assert len(open_now) == 1 and webhook.address in open_now[0]

    actions.turn_off(webhook=webhook, by=None)
    assert announce(company) == 0
    assert not any(hook.is_enabled for hook in company.hooks.hooks)
    assert turn_webhooks_on() == 0  # what a person turned off stays off


@pytest.mark.django_db
def test_the_page_does_not_warn_that_a_sandbox_could_not_reach_the_hub(settings):
    settings.BASE_URL, settings.SANDBOX_URL = "http://localhost:8000", "http://127.0.0.1:8100"
    near, far = make_connection("linear", base_url="http://127.0.0.1:8100"), make_connection("linear", label="Far")
    turn_webhooks_on()

    assert (panel(near).is_reachable, panel(far).is_reachable) == (True, False)
