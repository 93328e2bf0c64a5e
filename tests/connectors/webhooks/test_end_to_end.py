"""From an edit in the tool to a changed row: the stand-in's own delivery, over HTTP, and a worker after it."""

import random
import time

import pytest
from django.utils import timezone

from connectors import actions, registry
from connectors.models import Delivery, Document, DueStream, ProductItem, SourceMapping, SyncRun, WorkItem
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.notion.webhooks import GATHERED_FOR
from connectors.sandbox.notion.wire import TOKEN as NOTION_TOKEN
from connectors.sandbox.notion.wire import NotionWire
from connectors.sandbox.notion.workspace import Workspace, prop
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.wire import TOKEN as PRODUCTBOARD_TOKEN
from connectors.sandbox.productboard.wire import ProductboardWire
from connectors.sandbox.server import serve
from connectors.sandbox.world import World
from connectors.secrets import open_secret
from connectors.webhooks import intake, marks, nights
from hub.jobs import worker
from hub.jobs.models import Job
from tests.connectors.factories import make_connection

from .conftest import SECRET, address_of, counts, from_linear

ROUNDS = 20  # of work, many more than a sync takes


def work_off():
    """Do what is queued for the wires, as a worker does, until nothing is left."""
    for _ in range(ROUNDS):
        ready = Job.objects.filter(state="queued", kind__startswith="connectors.", run_after__lte=timezone.now())
        jobs = list(ready.values_list("pk", flat=True))
        if not jobs:
            return
        for job in jobs:
            worker.run(job)
    raise AssertionError("work without end")


def settled(run):
    run.refresh_from_db()
    return run.state, run.failure


@pytest.fixture
def served(settings):
    """Return a function that serves a world and points the hub at it."""
    opened = []

    def make(world, *wires):
        opening = serve(world, wires=wires)
        sandbox = opening.__enter__()
        opened.append(opening)
        settings.SANDBOX_URL = sandbox.url
        return sandbox

    yield make
    for opening in reversed(opened):
        opening.__exit__(None, None, None)


def read_all(connection):
    run = actions.start_run(connection, SyncRun.Reason.FIRST, slot="first")
    work_off()
    assert settled(run) == ("done", "")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_edit_in_linear_is_a_changed_row_a_moment_later(live_server, served, turned_on):
    world = small_world(Clock())
    team = next(iter(world.rows("Team")))
    issue = world.create_issue(team, "Before")
    sandbox = served(world)
    connection = make_connection("linear", secret=KEY, label="Linear", base_url=sandbox.url)
    read_all(connection)
    webhook = turned_on(connection=connection)
    hook = sandbox.hooks.register(live_server.url + address_of(webhook), SECRET)
    assert WorkItem.objects.get(external_id=issue["id"]).title == "Before"
    sandbox.linear.log.clear()

    world.edit_issue(issue["id"], title="After")
    begun = time.monotonic()
    sandbox.tick()
    took = time.monotonic() - begun
    assert actions.tick().announced == 1
    work_off()

    assert WorkItem.objects.get(external_id=issue["id"]).title == "After"
    run = SyncRun.objects.get(reason="webhook")
    assert (run.only, run.state) == (["issues"], "done")
    assert {line.operation for line in sandbox.linear.log} == {"IssuesWindow"}
    assert took < 1 and hook.is_enabled
    assert [delivery.answers for delivery in sandbox.hooks.done] == [[200]]
    assert actions.tick().announced == 0 and not DueStream.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_was_lost_on_the_way_is_found_by_the_night_and_counted(live_server, served, turned_on):
    world = small_world(Clock())
    team = next(iter(world.rows("Team")))
    issues = [world.create_issue(team, f"Issue {number}")["id"] for number in range(6)]
    sandbox = served(world)
    connection = make_connection("linear", secret=KEY, label="Linear", base_url=sandbox.url)
    read_all(connection)
    webhook = turned_on(connection=connection)
    sandbox.hooks.register(live_server.url + address_of(webhook), SECRET)

    for number, issue in enumerate(issues[:5]):
        world.edit_issue(issue, title=f"Edited {number}")
    world.delete("Issue", issues[5])
    lost = [one for one in sandbox.hooks.waiting if one.payload["data"]["id"] in issues[3:5]]
    sandbox.hooks.waiting = [one for one in sandbox.hooks.waiting if one not in lost]
    sandbox.tick()
    marks.make_sweeps_due(connection)
    night = actions.start_run(connection, SyncRun.Reason.NIGHT, slot="night:test")
    work_off()
    nights.count_missed()

    assert settled(night) == ("done", "")
    assert set(WorkItem.objects.live().values_list("title", flat=True)) == {f"Edited {number}" for number in range(5)}
    assert counts(webhook) == {"received": 4, "changed": 6, "missed": 2}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_edit_in_productboard_is_a_changed_row_a_moment_later(live_server, served, turned_on):
    board = small_board(small_world(Clock()))
    wire = ProductboardWire(board)
    sandbox = served(board.world, wire)
    connection = make_connection("productboard", secret=PRODUCTBOARD_TOKEN, label="Productboard", base_url=sandbox.url)
    read_all(connection)
    webhook = turned_on("productboard", connection=connection)
    wire.hooks.register(live_server.url + address_of(webhook), open_secret(webhook))  # probes the address first
    feature = next(iter(board.rows("feature")))

    board.edit(feature, name="Pay by card, at last")
    sandbox.tick()
    assert actions.tick().announced == 1
    work_off()

    assert ProductItem.objects.get(external_id=feature).name == "Pay by card, at last"
    assert SyncRun.objects.get(reason="webhook").only == ["features", "subfeatures"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_edit_in_notion_is_a_changed_row_after_the_minute_it_gathers(live_server, served, turned_on):
    space = Workspace(World(Clock()))
    source = space.add_source("Insights", [prop("title", "Insight", "title")])
    pages = [space.add_page(source["id"], {"title": f"Insight {number}"})["id"] for number in range(3)]
    wire = NotionWire(space)
    wire.hooks.loses = 0.0
    sandbox = served(space.world, wire)
    connection = make_connection("notion", secret=NOTION_TOKEN, label="Notion", base_url=sandbox.url)
    SourceMapping.objects.create(
        connection=connection, source_ref=source["id"], meaning="documents", asked_at=timezone.now()
    )
    read_all(connection)
    webhook = turned_on("notion", connection=connection)
    subscription = wire.hooks.register(live_server.url + address_of(webhook))
    webhook.refresh_from_db()
    assert wire.hooks.confirm(subscription, open_secret(webhook))  # what the admin pastes back

    for page in pages:
        space.edit_page(page, {"title": "Learned"})
        space.edit_page(page, {"title": "Learned more"})
    sandbox.tick()
    assert not Delivery.objects.exists()
    sandbox.advance(GATHERED_FOR)
    assert Delivery.objects.count() == 3
    assert actions.tick().announced == 1
    work_off()

    assert set(Document.objects.filter(external_id__in=pages).values_list("title", flat=True)) == {"Learned more"}
    assert SyncRun.objects.get(reason="webhook").only == ["pages"]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_deliveries_come_the_end_is_the_same(endpoint, seed):
    kinds = ("Issue", "Issue", "Project", "User", "Comment")
    sent = [
        from_linear(type=kind, action=action, delivery=f"{kind}-{action}-{number}", data={"id": f"{number}"})
        for number, kind in enumerate(kinds)
        for action in ("create", "update", "remove")
    ]
    sent += sent[:5]
    random.Random(seed).shuffle(sent)

    for headers, body in sent:
        intake.take(endpoint, headers, body)

    assert set(Delivery.objects.values_list("event_id", "is_gone")) == {
        (f"{kind}-{action}-{number}", action == "remove")
        for number, kind in enumerate(kinds)
        for action in ("create", "update", "remove")
    }
    marks = set(DueStream.objects.values_list("stream", "needs_sweep"))
    assert marks == {("issues", True), ("projects", True), ("users", True)}
    assert counts(endpoint) == {"received": 15, "doubled": 5}


def test_every_stream_that_a_service_names_is_one_of_its_own():
    for service in registry.all():
        announcing = registry.announcing(service.key)
        if announcing is None:
            continue
        module = __import__(f"connectors.services.{service.key}.webhook", fromlist=["STREAMS"])
        named = {*announcing.hook.counted, *(name for names in module.STREAMS.values() for name in names)}
        assert named <= {stream.name for stream in service.streams}, service.key
