"""The section of the connection's page: for the technical admin alone, off by default, in words."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors.models import Webhook
from connectors.secrets import open_secret
from connectors.webhooks import intake
from hub.activity.models import Event
from tests.connectors.factories import make_connection

from .conftest import address_of, from_linear, from_productboard, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    return make_connection("linear", label="Linear")


def page(client, connection):
    return client.get(connection.get_absolute_url()).content.decode()


def act(client, name, connection, *args, **data):
    return client.post(reverse(f"webhooks:{name}", args=[connection.pk, *args]), data)


def test_the_section_is_off_at_first_and_only_the_admin_sees_it(sign_in, ops, admin, connection):
    html = page(sign_in(admin), connection)
    assert "Turn webhooks on" in html and "/hooks/" not in html
    assert not Webhook.objects.exists()

    assert 'id="webhooks"' not in page(sign_in(ops), connection)


def test_product_ops_never_sees_an_address_or_a_value(sign_in, ops, turned_on):
    webhook = turned_on("productboard")

    html = page(sign_in(ops), webhook.connection)

    assert webhook.address not in html and open_secret(webhook) not in html


def test_a_service_that_announces_nothing_has_no_section(sign_in, admin, source):
    toy = make_connection("toy")
    client = sign_in(admin)

    assert 'id="webhooks"' not in page(client, toy)
    assert act(client, "switch", toy, 1).status_code == 404


def test_turning_on_shows_the_address_the_steps_and_what_is_missing(sign_in, admin, connection, settings):
    settings.BASE_URL = "https://hub.ardoise.example/"
    client = sign_in(admin)

    answer = act(client, "switch", connection, 1)

    assert answer["Location"] == f"{connection.get_absolute_url()}#webhooks"
    html = page(client, connection)
    webhook = Webhook.objects.get()
    assert f"https://hub.ardoise.example{address_of(webhook)}" in html
    assert "Settings → API → Webhooks" in html
    assert "Not entered yet" in html and "None yet" in html and "Not counted yet" in html
    assert "does not begin with https" not in html
    assert Event.objects.filter(verb="turned_webhooks_on").exists()


def test_a_hub_without_https_says_so(sign_in, admin, turned_on, settings):
    settings.BASE_URL = "http://localhost:8000"

    assert "does not begin with https" in page(sign_in(admin), turned_on().connection)


def test_the_signing_secret_is_entered_and_never_shown(sign_in, admin, turned_on):
    webhook = turned_on(secret="")
    client = sign_in(admin)

    short = act(client, "secret_edit", webhook.connection, secret="short")
    assert short.status_code == 422
    act(client, "secret_edit", webhook.connection, secret="lin_wh_a_long_secret_wxyz")

    webhook.refresh_from_db()
    assert open_secret(webhook) == "lin_wh_a_long_secret_wxyz"
    html = page(client, webhook.connection)
    assert "lin_wh_a_long_secret" not in html and "ends in wxyz" in html
    assert post(webhook, *from_linear("lin_wh_a_long_secret_wxyz")).status_code == 200


def test_the_value_to_send_is_shown_until_it_came_back(sign_in, admin, turned_on):
    webhook = turned_on("productboard")
    client, value = sign_in(admin), open_secret(webhook)

    assert value in page(client, webhook.connection)
    post(webhook, *from_productboard(value))
    assert value not in page(client, webhook.connection)


def test_renewing_makes_another_value_and_the_old_one_is_refused(sign_in, admin, turned_on):
    webhook = turned_on("productboard")
    before = open_secret(webhook)

    act(sign_in(admin), "secret_renew", webhook.connection)

    webhook.refresh_from_db()
    assert open_secret(webhook) != before
    assert post(webhook, *from_productboard(before)).status_code == 401
    assert post(webhook, *from_productboard(open_secret(webhook))).status_code == 200


def test_a_forgotten_token_lets_the_tool_tell_another(sign_in, admin, turned_on):
    webhook = turned_on("notion")
    client = sign_in(admin)
    post(webhook, {}, b'{"verification_token": "secret_first_token"}')
    assert "secret_first_token" in page(client, webhook.connection)

    act(client, "secret_renew", webhook.connection)
    post(webhook, {}, b'{"verification_token": "secret_second_token"}')

    assert "secret_second_token" in page(client, webhook.connection)


def test_moving_leaves_nothing_at_the_old_address(sign_in, admin, endpoint):
    old = address_of(endpoint)
    client = sign_in(admin)

    act(client, "move", endpoint.connection)

    endpoint.refresh_from_db()
    headers, body = from_linear()
    assert address_of(endpoint) != old
    assert client.post(old, body, content_type="application/json", headers=headers).status_code == 404
    assert post(endpoint, headers, body).status_code == 200


def test_turning_off_can_be_undone_with_address_and_secret(sign_in, admin, endpoint):
    client, address = sign_in(admin), endpoint.address

    act(client, "switch", endpoint.connection, 0)
    html = page(client, endpoint.connection)
    undo = reverse("webhooks:switch", args=[endpoint.connection_id, 1])

    assert f'action="{undo}"' in html and "Undo" in html
    assert post(endpoint, *from_linear()).status_code == 404
    client.post(undo)
    endpoint.refresh_from_db()
    assert (endpoint.is_on, endpoint.address) == (True, address)
    assert post(endpoint, *from_linear()).status_code == 200


def test_what_was_refused_is_told_by_its_reason(sign_in, admin, endpoint):
    post(endpoint, *from_linear())
    for _ in range(3):
        post(endpoint, *from_linear("wrong"))
    post(endpoint, {}, b"x" * (intake.LARGEST + 1))
    intake.count("unknown", None)
    intake.count("changed", endpoint, times=1250)
    intake.count("missed", endpoint, times=25)

    html = page(sign_in(admin), endpoint.connection)

    assert "not signed with our secret: 3" in html
    assert "larger than 1 MB: 1" in html
    assert "sent to addresses that do not exist, in the whole hub: 1" in html
    assert "1 delivery" in html
    assert "Last night: 25 of 1,250 changed records" in html and "2.0%" in html


def test_a_silent_hook_of_a_busy_source_is_a_warning(sign_in, admin, endpoint):
    long_ago = timezone.now() - timedelta(days=5)
    Webhook.objects.update(turned_on_at=long_ago, last_delivery_at=long_ago)
    intake.count("missed", endpoint, times=40)

    assert "may have turned the webhook off" in page(sign_in(admin), endpoint.connection)


def test_the_page_takes_few_queries_more(sign_in, admin, endpoint, django_assert_max_num_queries):
    for what in ("received", "doubled", "forged", "stale", "too_large", "changed", "missed"):
        intake.count(what, endpoint, times=5)
    client = sign_in(admin)
    page(client, endpoint.connection)

    with django_assert_max_num_queries(18):
        page(client, endpoint.connection)


@pytest.mark.parametrize("name", ["secret_edit", "secret_renew", "move"])
def test_nothing_can_be_done_to_an_endpoint_that_was_never_made(sign_in, admin, connection, name):
    assert act(sign_in(admin), name, connection).status_code == 404


@pytest.mark.parametrize(("service", "name"), [("linear", "secret_renew"), ("notion", "secret_edit")])
def test_a_secret_comes_from_where_its_service_says(sign_in, admin, turned_on, service, name):
    webhook = turned_on(service)

    assert act(sign_in(admin), name, webhook.connection, secret="something_long").status_code == 404
