"""The page on which a source is connected: one service at a time, with its own rights and address."""

import pytest
from django.urls import reverse

from connectors.models import Check, Connection, State, SyncRun
from tests.connectors.factories import make_run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("service", "says", "is_silent_of"),
    [("jira", "Browse projects", "notes:read"), ("productboard", "notes:read", "Browse projects")],
)
def test_the_page_that_connects_shows_the_rights_of_the_one_service(service, says, is_silent_of, sign_in, admin):
    text = sign_in(admin).get(f"/syncs/new/?service={service}").content.decode()

    assert says in text and is_silent_of not in text
    assert f'name="service" value="{service}"' in text
    assert ("https://your-company.atlassian.net" in text) == (service == "jira")


def test_an_unknown_service_shows_the_first_one(sign_in, admin):
    assert sign_in(admin).get("/syncs/new/?service=fax").context["service"].key == "github"


def connect(client, **typed):
    data = {"service": "linear", "label": "", "token": "lin_api_1234567890", "base_url": ""} | typed
    return client.post("/syncs/new/", data)


def test_a_token_of_the_wrong_shape_is_told_before_the_tool_is_asked(sign_in, admin):
    client = sign_in(admin)
    jira = {"service": "jira", "base_url": "https://ardoise.atlassian.net"}

    answer = connect(client, **jira, token="ATATT3xFfGF0")
    assert answer.status_code == 422
    assert "a colon, and its API token" in answer.context["form"].errors["token"][0]
    assert not Connection.objects.exists()

    assert connect(client, **jira, token="nora@ardoise.example:ATATT3xFfGF0").status_code == 302
    assert Connection.objects.get().service == "jira"


def test_a_wrong_address_says_which_are_right_and_that_the_token_is_asked_again(sign_in, admin):
    errors = connect(sign_in(admin), base_url="https://linear.example").context["form"].errors

    assert "api.linear.app" in errors["base_url"][0]
    assert "enter it again" in errors["token"][0]


def test_a_token_that_never_opened_anything_promises_no_kept_value(source, connection, sign_in, admin):
    Connection.objects.update(auth=Connection.Auth.NEEDS_REAUTH)
    Check.objects.create(connection=connection, state=State.FAILED, failure="auth_invalid", detail="HTTP 401")

    text = sign_in(admin).get(connection.get_absolute_url()).content.decode()

    assert text.count("Toy refuses the token that was entered, so nothing was read yet.") == 1
    assert "last good value" not in text
    assert "HTTP 401" in text


def test_a_connection_made_by_mistake_can_be_taken_away(connection, sign_in, admin):
    client, url = sign_in(admin), reverse("connectors:connection_remove", args=[connection.pk])
    assert url in client.get(reverse("connectors:connection_edit", args=[connection.pk])).content.decode()
    run = make_run(connection)
    client.post(url)
    assert Connection.objects.exists(), "a sync was under way"
    SyncRun.objects.filter(pk=run.pk).update(state=State.FAILED)

    answer = client.post(url, follow=True)

    assert not Connection.objects.exists()
    assert "was removed; its token is forgotten" in answer.content.decode()


def test_a_connection_that_was_read_can_only_be_paused(sync, connection, sign_in, admin):
    sync()
    client, url = sign_in(admin), reverse("connectors:connection_remove", args=[connection.pk])

    assert url not in client.get(reverse("connectors:connection_edit", args=[connection.pk])).content.decode()
    answer = client.post(url, follow=True)

    assert Connection.objects.filter(pk=connection.pk).exists()
    assert "Pause it instead" in answer.content.decode()
