"""When the night's sync is due: 18 cases across both changes of the clock, and what two clocks may do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from connectors import actions, schedule
from connectors.models import Connection, State, SyncRun
from hub.jobs.models import Job
from tests.connectors.factories import make_connection, make_run

BERLIN, NEW_YORK, ZERO = "Europe/Berlin", "America/New_York", "UTC"
# zone, change, local time asked for → the moments (UTC) of the two nights around the change, worked out by hand
CASES = [
    (BERLIN, date(2026, 3, 29), "01:30", "2026-03-29T00:30", "2026-03-29T23:30"),
    (BERLIN, date(2026, 3, 29), "02:30", "2026-03-29T01:30", "2026-03-30T00:30"),
    (BERLIN, date(2026, 3, 29), "03:30", "2026-03-29T01:30", "2026-03-30T01:30"),
    (BERLIN, date(2026, 10, 25), "01:30", "2026-10-24T23:30", "2026-10-26T00:30"),
    (BERLIN, date(2026, 10, 25), "02:30", "2026-10-25T00:30", "2026-10-26T01:30"),
    (BERLIN, date(2026, 10, 25), "03:30", "2026-10-25T02:30", "2026-10-26T02:30"),
    (NEW_YORK, date(2026, 3, 8), "01:30", "2026-03-08T06:30", "2026-03-09T05:30"),
    (NEW_YORK, date(2026, 3, 8), "02:30", "2026-03-08T07:30", "2026-03-09T06:30"),
    (NEW_YORK, date(2026, 3, 8), "03:30", "2026-03-08T07:30", "2026-03-09T07:30"),
    (NEW_YORK, date(2026, 11, 1), "01:30", "2026-11-01T05:30", "2026-11-02T06:30"),
    (NEW_YORK, date(2026, 11, 1), "02:30", "2026-11-01T07:30", "2026-11-02T07:30"),
    (NEW_YORK, date(2026, 11, 1), "03:30", "2026-11-01T08:30", "2026-11-02T08:30"),
    (ZERO, date(2026, 3, 29), "01:30", "2026-03-29T01:30", "2026-03-30T01:30"),
    (ZERO, date(2026, 3, 29), "02:30", "2026-03-29T02:30", "2026-03-30T02:30"),
    (ZERO, date(2026, 3, 29), "03:30", "2026-03-29T03:30", "2026-03-30T03:30"),
    (ZERO, date(2026, 10, 25), "01:30", "2026-10-25T01:30", "2026-10-26T01:30"),
    (ZERO, date(2026, 10, 25), "02:30", "2026-10-25T02:30", "2026-10-26T02:30"),
    (ZERO, date(2026, 10, 25), "03:30", "2026-10-25T03:30", "2026-10-26T03:30"),
]


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "change", "local", "first", "second"), CASES)
def test_each_night_has_one_moment_across_the_change_of_the_clock(zone, change, local, first, second):
    zone = ZoneInfo(zone)
    hour, minute = (int(part) for part in local.split(":"))
    start = utc(f"{change - timedelta(days=2)}T00:00") + timedelta(hours=12)

    seen = []  # what a clock that looks every minute finds
    for step in range(4 * 24 * 60):
        day, moment = schedule.latest_slot(start + timedelta(minutes=step), hour, zone, minute)
        if not seen or seen[-1] != (day, moment):
            seen.append((day, moment))

    moments = dict(seen)
    assert len(moments) == len(seen)
    assert moments[change] == utc(first)
    assert moments[change + timedelta(days=1)] == utc(second)
    assert schedule.next_slot(utc(first) - timedelta(seconds=1), hour, zone, minute) == utc(first)
    assert schedule.next_slot(utc(first), hour, zone, minute) == utc(second)


@pytest.fixture
def at_four(settings, source, db):
    settings.SYNC_HOUR, settings.COMPANY_TIME_ZONE = 4, "Europe/Paris"
    connection = make_connection()
    Connection.objects.update(created_at=utc("2026-06-01T00:00"))
    return connection


def test_a_night_is_started_once_whoever_asks(at_four):
    now = utc("2026-06-10T02:00")  # four o'clock in Paris

    assert actions.tick(now - timedelta(minutes=1)).night == 1  # the night before was missed: caught up
    SyncRun.objects.update(state=State.DONE, ended_at=now)
    started = [actions.tick(now + timedelta(seconds=n)).night for n in range(0, 120, 20)]

    assert started == [1, 0, 0, 0, 0, 0]
    assert SyncRun.objects.count() == Job.objects.filter(kind="connectors.tasks.sync_connection").count() == 2


def test_a_week_without_a_clock_is_caught_up_with_one_run(at_four):
    actions.tick(utc("2026-06-03T02:00"))
    SyncRun.objects.update(state=State.DONE, ended_at=utc("2026-06-03T02:10"))

    for minute in range(5):
        actions.tick(utc("2026-06-10T15:00") + timedelta(minutes=minute))
        SyncRun.objects.update(state=State.DONE)

    assert [run.slot for run in SyncRun.objects.order_by("id")] == ["night:2026-06-03", "night:2026-06-10"]


def test_a_clock_that_goes_back_starts_nothing_twice(at_four):
    now = utc("2026-06-10T02:30")
    actions.tick(now)
    SyncRun.objects.update(state=State.DONE, ended_at=now)

    actions.tick(now - timedelta(hours=1))
    SyncRun.objects.update(state=State.DONE, ended_at=now)
    actions.tick(now)

    assert sorted(run.slot for run in SyncRun.objects.all()) == ["night:2026-06-09", "night:2026-06-10"]


def test_two_runs_of_one_connection_are_never_open_at_once(at_four):
    make_run(at_four, slot="one")

    assert actions.start_run(at_four, SyncRun.Reason.HAND, slot="two") is None
    assert actions.tick(utc("2026-06-10T02:00")).night == 0


def test_a_source_that_was_down_is_tried_again_ever_more_rarely(at_four):
    now = utc("2026-06-10T09:00")
    actions.tick(now)
    SyncRun.objects.update(state=State.FAILED, failure="source_down", ended_at=now)
    state = at_four.streams.create(stream="people", failure="source_down", consecutive_failures=1)

    assert actions.tick(now + timedelta(minutes=14)).retries == 0
    assert actions.tick(now + timedelta(minutes=15)).retries == 1
    SyncRun.objects.filter(reason="retry").update(state=State.FAILED, failure="source_down", ended_at=now)
    state.consecutive_failures = 3
    state.save()

    assert actions.tick(now + timedelta(minutes=59)).retries == 0
    assert actions.tick(now + timedelta(hours=1)).retries == 1


def test_a_refused_token_is_not_tried_again(at_four):
    now = utc("2026-06-10T09:00")
    actions.tick(now)
    SyncRun.objects.update(state=State.FAILED, failure="query_rejected", ended_at=now)

    assert actions.tick(now + timedelta(hours=3)).retries == 0


def test_a_run_whose_job_was_given_up_makes_room(at_four):
    run = make_run(at_four)
    Job.objects.update(state=Job.State.DEAD, finished_at=timezone.now(), error="killed")

    actions.tick(timezone.now())

    run.refresh_from_db()
    assert run.state == State.FAILED


def test_a_sync_that_is_given_up_each_time_is_tried_ever_more_rarely(at_four):
    now = utc("2026-06-10T09:00")
    for failures in (1, 2, 3):
        run = make_run(at_four, slot=f"{failures}")
        at_four.streams.update_or_create(stream="people", defaults={"run": run})
        Job.objects.update(state=Job.State.DEAD, error="killed")
        actions.close_orphans()
        SyncRun.objects.filter(pk=run.pk).update(ended_at=now)
        run.refresh_from_db()

        state = at_four.streams.get()
        assert (state.consecutive_failures, state.failure, state.failure_detail) == (failures, "bug", "killed")
        wait = timedelta(minutes=15) * 2 ** (failures - 1)
        assert not actions.is_retry_due(run, now + wait - timedelta(seconds=1))
        assert actions.is_retry_due(run, now + wait)
