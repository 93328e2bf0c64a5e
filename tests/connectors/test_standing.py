"""What the shell around every page says of the sources."""

from datetime import timedelta

from django.utils import timezone

from connectors import queries
from connectors.models import Connection, PersonAccount, StreamState
from hub.jobs.models import Job

NOW = timezone.now()


def read(connection, **ages):
    for stream, age in ages.items():
        StreamState.objects.create(connection=connection, stream=stream, last_success_at=age and NOW - age)


def test_one_failed_stream_counts_but_not_what_the_plan_leaves_out(db):
    linear = Connection.objects.create(service="linear", label="Linear")
    StreamState.objects.create(connection=linear, stream="issues")
    StreamState.objects.create(connection=linear, stream="projects", failure="stream_unavailable")

    assert queries.standing().failing == 0

    StreamState.objects.filter(stream="issues").update(failure="source_down")
    assert queries.standing().failing == 1


def test_a_source_is_fresh_when_its_oldest_stream_is(db):
    read(Connection.objects.create(service="linear", label="All"), a=timedelta(hours=5), b=timedelta(hours=40))
    read(Connection.objects.create(service="linear", label="Old"), a=timedelta(hours=2), b=timedelta(hours=50))
    read(Connection.objects.create(service="linear", label="Unread"), a=timedelta(hours=3), b=None)
    read(Connection.objects.create(service="linear", label="Paused", is_active=False), a=timedelta(hours=1))
    Connection.objects.create(service="linear", label="New")
    Connection.objects.create(service=Connection.FILE, label="A file")

    assert queries.freshness(NOW) == (NOW - timedelta(hours=2), 1, 4)


def test_a_lost_token_fails_a_source(db):
    Connection.objects.create(service="linear", label="Linear", auth=Connection.Auth.OK)
    Connection.objects.create(service="linear", label="Another", auth=Connection.Auth.NEEDS_REAUTH)

    assert queries.standing().failing == 1


def test_accounts_that_wait_are_counted_where_asked(db):
    linear = Connection.objects.create(service="linear", label="Linear")
    paused = Connection.objects.create(service="linear", label="Paused", is_active=False)
    some = [
        {"connection": linear},
        {"connection": linear, "is_active": False},
        {"connection": linear, "deleted_at": NOW},
        {"connection": linear, "match": "ignored"},
        {"connection": paused},
    ]
    for number, fields in enumerate(some):
        PersonAccount.objects.create(external_id=str(number), **fields)

    assert (queries.standing(counts_unmatched=True).unmatched, queries.standing().unmatched) == (1, 0)


def test_the_oldest_work_that_nobody_takes_up_is_told(db):
    for minutes, state in ((4, "queued"), (6, "queued"), (7, "queued"), (9, "done")):
        Job.objects.create(kind="tests.any", state=state, run_after=NOW - timedelta(minutes=minutes))

    assert queries.standing(NOW).stuck_since == NOW - timedelta(minutes=7)
