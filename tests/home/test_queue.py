"""The queue of Product Ops: what it says of a source, and where its buttons lead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import Connection, PersonAccount, StreamState
from hub.home.queries import due_metrics, loose_accounts, waiting_syncs
from kpis.models import Metric
from tests.people.factories import TeamFactory
from tests.tooling.factories import ToolFactory

pytestmark = pytest.mark.django_db


def test_a_failed_source_says_since_when_it_fails_and_not_when_it_was_last_well():
    connection = Connection.objects.create(service="linear", label="Linear")
    now = timezone.now()
    StreamState.objects.create(connection=connection, stream="users", last_success_at=now - timedelta(days=9))
    StreamState.objects.create(
        connection=connection, stream="issues", failure="scope_missing", failing_since=now - timedelta(hours=3),
        last_success_at=now - timedelta(days=1),
    )  # fmt: skip

    assert waiting_syncs()[0].since == now - timedelta(hours=3)


def test_each_source_leads_to_its_own_accounts():
    for label in ("Linear", "Linear, old"):
        wire = Connection.objects.create(service="linear", label=label)
        PersonAccount.objects.create(connection=wire, external_id="1", name="Arjun M.", is_active=True)

    rows = loose_accounts()

    assert [row.title for row in rows] == [
        "1 account in Linear has no person",
        "1 account in Linear, old has no person",
    ]
    assert len({row.url for row in rows}) == 2
    assert all("?tool=" in row.url for row in rows)


def test_a_new_hub_tells_product_ops_what_comes_first(ops, sign_in):
    page = sign_in(ops).get("/").content.decode()

    steps = ["Connect a first source", "Make your teams", "Bring in the tools of the company", "Invite your colleagues"]
    assert [step for step in steps if step in page] == steps
    assert "A technical admin does it" in page


def test_a_new_hub_tells_the_technical_admin_to_connect_and_nobody_else(admin, member, sign_in):
    assert "/syncs/new/" in sign_in(admin).get("/").content.decode()
    assert "Connect a first source" not in sign_in(member).get("/").content.decode()


def test_a_hub_in_use_tells_no_first_steps(ops, admin, sign_in):
    Connection.objects.create(service="linear", label="Linear", is_active=False)
    TeamFactory()
    ToolFactory()

    assert "Nothing waits for you" in sign_in(ops).get("/").content.decode()
    assert "/syncs/new/" not in sign_in(admin).get("/").content.decode()


def test_the_technical_admin_is_told_which_sources_need_somebody(admin, member, sign_in):
    for label in ("Linear", "Notion"):
        wire = Connection.objects.create(service=label.lower(), label=label)
        StreamState.objects.create(
            connection=wire, stream="users", failure="auth_invalid", failing_since=timezone.now()
        )

    assert "2 sources need you" in sign_in(admin).get("/").content.decode()
    assert "need you" not in sign_in(member).get("/").content.decode()


def test_a_definition_is_due_two_weeks_before_its_time_the_longest_overdue_first():
    today = timezone.localdate()
    verified = {"a": 100, "b": 77, "c": 75, "d": None, "e": 400}  # days ago; each is good for 90
    for key, days in verified.items():
        on = None if days is None else today - timedelta(days=days)
        Metric.objects.create(key=key, name=key, kind="count", unit="items", direction="up", reviewed_on=on)
    Metric.objects.filter(key="e").update(review_every_days=365)
    Metric.objects.create(
        key="gone", name="gone", kind="count", unit="items", direction="up", status="retired",
        reviewed_on=today - timedelta(days=900),
    )  # fmt: skip

    rows = due_metrics(today)

    assert [(row.title, row.since, row.tone) for row in rows] == [
        ("e", today - timedelta(days=35), "warn"),
        ("a", today - timedelta(days=10), "warn"),
        ("b", today + timedelta(days=13), ""),
    ]
