"""The queue of Product Ops: what it says of a source, and where its buttons lead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import Connection, PersonAccount, StreamState
from hub.home.queries import loose_accounts, waiting_syncs

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
