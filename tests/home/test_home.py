"""The front page of each role: what waits, nothing invented, few queries."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors.models import (
    Connection,
    DocumentSource,
    PersonAccount,
    RefusedRecord,
    SourceMapping,
    Webhook,
    WebhookCount,
)
from connectors.webhooks.queries import panel
from hub.activity.actions import record
from hub.home import queries
from hub.people.models import Invitation
from tests.connectors.factories import make_connection
from tests.people.factories import MembershipFactory, UserFactory
from tests.tooling.factories import ToolFactory


def invite(**fields):
    _token, token_hash = Invitation.new_token()
    now = timezone.now()
    return Invitation.objects.create(
        **{"email": "elodie@ardoise.example", "name": "Élodie Faure", "expires_at": now + timedelta(days=7), **fields},
        token_hash=token_hash,
    )


@pytest.mark.parametrize(
    ("role", "words"),
    [("member", "You are in no team yet"), ("leader", "No figures yet"), ("ops", "Connect a first source")],
)
def test_an_empty_front_page_says_what_will_be_there(db, sign_in, role, words):
    html = sign_in(UserFactory(role=role)).get("/").content.decode()

    assert words in html


def test_a_stranger_is_sent_to_sign_in(client, db):
    assert client.get("/").url.startswith("/account/login/")


def test_the_queue_holds_what_waits(ops, sign_in):
    connection = Connection.objects.create(service="linear", label="Linear", auth=Connection.Auth.NEEDS_REAUTH)
    PersonAccount.objects.create(connection=connection, external_id="1", name="Marc D.")
    invite()

    rows = sign_in(ops).get("/").context["queue"]

    assert [row.kind for row in rows] == ["sync", "account", "invitation"]
    assert rows[0].url == connection.get_absolute_url()


def test_an_invitation_taken_up_leaves_the_queue(ops):
    invite(accepted_at=timezone.now())

    assert queries.queue(ops) == []


def test_the_queue_stays_short(ops, sign_in):
    for number in range(60):
        invite(email=f"p{number}@ardoise.example")

    assert len(sign_in(ops).get("/").context["queue"]) == queries.MOST_ROWS


def test_a_change_is_told_once_and_not_to_who_made_it(member, ops):
    tool = ToolFactory(name="Miro")
    for verb in ("created", "edited"):
        record(by=ops, verb=verb, on=tool)

    told = queries.changes_for(member).rows
    assert [(row.title, row.what, row.who) for row in told] == [("Miro", "Changed", "Nora Haddad")]
    assert queries.changes_for(ops).rows == ()


def test_a_change_before_the_last_visit_is_old(member, ops):
    record(by=ops, verb="created", on=ToolFactory())
    member.previous_visit_at = timezone.now() + timedelta(seconds=1)

    assert queries.changes_for(member).rows == ()


def test_what_concerns_people_is_not_told_to_everybody(member, ops):
    record(by=ops, verb="deactivated", on=UserFactory())

    assert queries.changes_for(member).rows == ()


@pytest.mark.parametrize(
    ("role", "is_staff"), [("member", False), ("leader", False), ("ops", False), ("member", True), ("leader", True)]
)
def test_queries_have_a_ceiling(db, sign_in, ops, role, is_staff, django_assert_max_num_queries):
    person = UserFactory(role=role, is_staff=is_staff)
    MembershipFactory(person=person)
    connection = Connection.objects.create(service="linear", label="Linear", auth=Connection.Auth.NEEDS_REAUTH)
    for number in range(20):
        PersonAccount.objects.create(connection=connection, external_id=str(number), name=f"P {number}")
        record(by=ops, verb="created", on=ToolFactory())
    notion = Connection.objects.create(service="notion", label="Notion")
    SourceMapping.objects.create(connection=notion, source_ref="interviews", meaning="interviews")
    client = sign_in(person)
    client.get("/")

    with django_assert_max_num_queries(10):
        client.get("/")


def test_an_invitation_taken_back_leaves_the_queue(ops):
    invite(revoked_at=timezone.now())

    assert queries.queue(ops) == []


@pytest.mark.parametrize(
    ("days", "words"), [(-30, "30 days late"), (-1, "1 day late"), (0, "due today"), (5, "due in 5 days")]
)
def test_a_review_says_how_late_it_is(days, words):
    today = timezone.localdate()

    assert queries.due_in_words(today + timedelta(days=days), today) == words


def test_the_most_urgent_come_first_and_the_rest_is_told(ops, sign_in):
    for number in range(queries.MOST_ROWS + 1):
        invite(email=f"p{number}@ardoise.example")
    late = invite(email="late@ardoise.example", name="Late", expires_at=timezone.now() - timedelta(days=1))

    answer = sign_in(ops).get("/")

    assert answer.context["queue"][0].title == late.name
    assert "the others come up as these are done" in answer.content.decode()


def waiting(ops):
    return {row.title: row for row in queries.queue(ops)}


def test_a_source_of_which_nothing_is_chosen_waits_in_the_queue(ops):
    github = make_connection("github", label="GitHub")
    notion = make_connection("notion", label="Notion")

    rows = waiting(ops)

    assert set(rows) == {"GitHub waits for you", "Notion waits for you"}
    assert rows["GitHub waits for you"].url == github.get_absolute_url()
    assert rows["Notion waits for you"].url == reverse("mappings:source_list", args=[notion.pk])
    github.chosen = [{"name": "ardoise/shop", "asked_at": "2026-11-02T08:00:00+00:00"}]
    github.save()
    SourceMapping.objects.create(connection=notion, source_ref="a", meaning="documents")
    assert waiting(ops) == {}


def test_records_set_aside_wait_in_the_queue_with_their_number(ops):
    linear, now = make_connection("linear", label="Linear"), timezone.now()
    for number in range(3):
        RefusedRecord.objects.create(
            connection=linear, stream="issues", external_id=f"{number}", raw={}, last_at=now,
            first_at=now - timedelta(days=number),
        )  # fmt: skip

    row = waiting(ops)["3 records of Linear are set aside"]

    assert (row.url, row.since) == (f"{linear.get_absolute_url()}#refused", now - timedelta(days=2))


def test_a_mapping_that_broke_waits_in_the_queue_with_what_it_stops(ops):
    notion = make_connection("notion", label="Notion")
    DocumentSource.objects.create(connection=notion, external_id="a", name="Talks", properties=[])
    SourceMapping.objects.create(
        connection=notion, source_ref="a", meaning="interviews", fields={"date": "d"}, names={"d": "Held on"}
    )

    row = waiting(ops)["Notion: the property “Held on” is gone"]

    assert row.tone == "bad" and row.detail.startswith("It stops: ") and "%" not in row.detail
    assert row.url == reverse("mappings:source_list", args=[notion.pk])


@pytest.mark.parametrize(("missed", "days", "waits"), [(10, 4, True), (9, 4, False), (10, 2, False)])
def test_a_webhook_that_fell_silent_waits_in_the_queue(ops, missed, days, waits):
    linear, now = make_connection("linear", label="Linear"), timezone.now()
    webhook = Webhook.objects.create(connection=linear, address="a", turned_on_at=now - timedelta(days=days))
    WebhookCount.objects.create(webhook=webhook, day=timezone.localdate(), what="missed", count=missed)

    assert ("Linear no longer announces its changes" in waiting(ops)) == waits
    assert panel(linear).is_silent == waits


def test_a_member_is_one_click_from_the_dashboard_of_their_team(member, sign_in):
    team = MembershipFactory(person=member).team

    html = sign_in(member).get("/").content.decode()

    assert f'href="{reverse("kpis:team_dashboard", args=[team.slug])}"' in html
