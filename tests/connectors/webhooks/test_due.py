"""What a delivery sets off: one run, soon, of the named streams alone; and what keeps it waiting."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors import actions
from connectors.models import Connection, DueStream, State, StreamRun, StreamState, SyncRun
from connectors.webhooks import marks
from tests.connectors.factories import make_run

from .conftest import from_linear, post

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_night_is_due(endpoint):
    """A connection's first night is the one after it was made: whatever the hour, what starts here was announced."""
    Connection.objects.filter(pk=endpoint.connection_id).update(created_at=timezone.now() + timedelta(days=2))


@pytest.fixture
def connection(endpoint):
    return endpoint.connection


def announced():
    return SyncRun.objects.filter(reason="webhook").order_by("id")


def begin(run, stream, at):
    """Have a run begin to read a stream."""
    made, _ = StreamRun.objects.get_or_create(run=run, stream=stream)
    StreamRun.objects.filter(pk=made.pk).update(state=State.RUNNING, started_at=at)


def end(run, *, took=timedelta(seconds=2), at=None, failure=""):
    at = at or timezone.now()
    SyncRun.objects.filter(pk=run.pk).update(state=State.DONE, started_at=at - took, ended_at=at, failure=failure)


def mark(connection, *streams, at=None):
    news = {"announced_at": at or timezone.now()}
    for stream in streams:
        DueStream.objects.update_or_create(connection=connection, stream=stream, defaults=news)


def test_many_deliveries_start_one_run_of_their_streams_alone(endpoint):
    for kind in ("Issue", "Project", "Issue", "Issue"):
        post(endpoint, *from_linear(type=kind))

    started = [actions.tick().announced for _ in range(3)]

    run = announced().get()
    assert started == [1, 0, 0]
    assert sorted(run.only) == ["issues", "projects"]
    assert run.reason == SyncRun.Reason.WEBHOOK


def test_nothing_starts_where_nothing_was_announced(connection, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        assert actions.tick().announced == 0


def test_a_mark_stays_until_a_run_began_after_it(connection):
    now = timezone.now()
    mark(connection, "issues", "projects", at=now)
    run = make_run(connection, slot="by hand")

    begin(run, "issues", now - MINUTE)
    begin(run, "projects", now + MINUTE)
    left = marks.unread(connection)

    assert left == {"issues"}
    begin(run, "issues", now + MINUTE)
    assert marks.unread(connection) == set()
    assert not DueStream.objects.exists()


def test_an_open_run_is_waited_for(connection):
    mark(connection, "issues")
    run = make_run(connection, slot="by hand")

    assert actions.tick().announced == 0
    end(run)
    assert actions.tick().announced == 1


def pause(connection):
    Connection.objects.filter(pk=connection.pk).update(pause_until=timezone.now() + MINUTE)


def turn_off(connection):
    Connection.objects.filter(pk=connection.pk).update(is_active=False)


def refuse(connection):
    Connection.objects.filter(pk=connection.pk).update(auth=Connection.Auth.NEEDS_REAUTH)


def pause_stream(connection):
    Connection.objects.filter(pk=connection.pk).update(paused_streams=["issues"])


@pytest.mark.parametrize("stop", [pause, turn_off, refuse, pause_stream])
def test_what_is_paused_is_not_read_and_stays_marked(connection, stop):
    mark(connection, "issues")
    stop(connection)

    assert actions.tick().announced == 0
    assert marks.unread(connection) == {"issues"}
    Connection.objects.filter(pk=connection.pk).update(
        pause_until=None, is_active=True, auth=Connection.Auth.OK, paused_streams=[]
    )
    assert actions.tick().announced == 1


@pytest.mark.parametrize(
    ("took", "waits"),
    [
        (timedelta(seconds=2), timedelta(minutes=5)),
        (timedelta(minutes=2), timedelta(minutes=20)),
        (timedelta(hours=3), timedelta(hours=1)),
    ],
)
def test_a_busy_source_is_left_in_peace_between_runs(connection, took, waits):
    now = timezone.now()
    mark(connection, "issues", at=now)
    actions.tick(now)
    run = announced().get()
    begin(run, "issues", now + took / 2)
    end(run, took=took, at=now)
    mark(connection, "issues", at=now + took)

    assert actions.tick(now + waits - timedelta(seconds=1)).announced == 0
    assert actions.tick(now + waits + timedelta(seconds=1)).announced == 1


def test_news_does_not_quicken_the_tries_of_a_stream_that_fails(connection):
    now = timezone.now()
    run = make_run(connection, slot="failed")
    StreamRun.objects.create(run=run, stream="issues", state=State.FAILED, started_at=now - MINUTE, ended_at=now)
    end(run, at=now)
    StreamState.objects.create(connection=connection, stream="issues", failure="schema_drift", consecutive_failures=2)
    mark(connection, "issues", "labels", at=now + MINUTE)

    assert marks.due(connection, registry_of(connection), now + 2 * MINUTE) == ("labels",)
    assert marks.due(connection, registry_of(connection), now + timedelta(minutes=31)) == ("labels", "issues")


def registry_of(connection):
    from connectors import registry

    return registry.connector(connection.service)


def test_a_deletion_makes_the_sweep_due_at_the_next_night_and_not_before(endpoint, connection):
    swept = timezone.now() - timedelta(hours=3)
    for stream in ("issues", "projects"):
        StreamState.objects.create(connection=connection, stream=stream, last_sweep_at=swept)
    post(endpoint, *from_linear(action="remove"))
    post(endpoint, *from_linear(type="Project"))

    actions.tick()
    assert set(StreamState.objects.values_list("last_sweep_at", flat=True)) == {swept}
    end(announced().get())
    Connection.objects.filter(pk=connection.pk).update(created_at=timezone.now() - timedelta(days=5))
    assert actions.tick().night == 1

    held = dict(StreamState.objects.values_list("stream", "last_sweep_at"))
    assert held == {"issues": None, "projects": swept}
    assert not DueStream.objects.filter(needs_sweep=True).exists()


def test_two_clocks_start_one_run(connection):
    mark(connection, "issues")
    now = timezone.now()
    actions.tick(now)
    run = announced().get()
    end(run, at=now - timedelta(hours=2))

    assert actions.tick(now).announced == 0
    assert announced().count() == 1


def test_marks_of_streams_that_are_no_more_start_nothing(connection):
    mark(connection, "a_stream_of_an_older_release")

    assert actions.tick().announced == 0
