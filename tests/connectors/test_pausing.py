"""Pausing while a worker is at it: it lets go within a page, keeps what it read, and nobody failed."""

import pytest
from django.urls import reverse

from connectors import actions, queries
from connectors.models import Connection, PersonAccount, State, StreamState, SyncRun, WorkItem
from hub.jobs import worker
from hub.jobs.models import Job
from tests.connectors.factories import make_run

pytestmark = pytest.mark.django_db


def states(run):
    return dict(run.streams.values_list("stream", "state"))


def text_of(client, connection):
    return client.get(reverse("connectors:connection_detail", args=[connection.pk])).content.decode()


def test_a_source_paused_while_it_is_read_stops_at_the_page_and_ends_as_paused(connection, world, ops, sign_in, during):
    run = make_run(connection)
    during("/issues", lambda: actions.switch(connection=connection, on=False, by=ops))

    worker.run(run.job)

    asked = len(world.requests)
    assert PersonAccount.objects.exists() and not WorkItem.objects.exists()
    assert Job.objects.get(pk=run.job).state == Job.State.QUEUED  # taken from the worker that had it
    assert "Pausing…" in text_of(sign_in(ops), connection)

    worker.run(run.job)

    run.refresh_from_db()
    assert (run.state, run.failure, len(world.requests)) == (State.PAUSED, "", asked)
    assert states(run) == {"people": State.DONE, "issues": State.PAUSED}
    assert not StreamState.objects.exclude(failure="").exists()
    text = text_of(sign_in(ops), connection)
    assert "Pausing…" not in text and "Failed" not in text
    assert actions.tick().retries == 0


def test_what_was_left_off_is_read_after_it_is_resumed(connection, world, ops, during):
    run = make_run(connection)
    during("/issues", lambda: actions.switch(connection=connection, on=False, by=ops))
    worker.run(run.job)
    worker.run(run.job)

    actions.switch(connection=connection, on=True, by=ops)
    again = SyncRun.objects.get(state=State.QUEUED)
    worker.run(again.job)

    again.refresh_from_db()
    assert (again.only, again.state) == (["issues"], State.DONE)
    assert set(WorkItem.objects.values_list("external_id", flat=True)) == set(world.issues)


def test_a_stream_paused_while_it_is_read_is_left_off_and_the_others_are_read(connection, world, ops, sign_in, during):
    run = make_run(connection)
    during("/people", lambda: actions.switch_stream(connection=connection, stream="people", on=False, by=ops))

    worker.run(run.job)
    said = {row.stream.name: str(row.said.text) for row in queries.sources(connection.pk)[0].rows}
    worker.run(run.job)

    run.refresh_from_db()
    assert said["people"] == "Pausing…"
    assert states(run) == {"people": State.PAUSED, "issues": State.DONE}
    assert (run.state, run.failure) == (State.PAUSED, "")
    assert not PersonAccount.objects.exists()
    assert set(WorkItem.objects.values_list("external_id", flat=True)) == set(world.issues)


def test_a_run_that_waits_for_its_turn_at_the_source_is_paused_at_once(connection, ops, during):
    run = make_run(connection)
    SyncRun.objects.update(state=State.RUNNING)
    run.streams.create(stream="people", state=State.RUNNING)
    later = Job.objects.get(pk=run.job).run_after.replace(year=2100)
    Connection.objects.update(pause_until=later, pause_reason="rate_limited")
    Job.objects.update(run_after=later)

    actions.switch(connection=Connection.objects.get(), on=False, by=ops)
    worker.run(run.job)

    run.refresh_from_db()
    assert run.state == State.PAUSED
    assert Connection.objects.get().pause_until is None


def test_pausing_a_stream_that_is_not_being_read_disturbs_nobody(connection, ops):
    run = make_run(connection)
    Job.objects.update(state=Job.State.RUNNING)

    actions.switch_stream(connection=connection, stream="issues", on=False, by=ops)

    assert Job.objects.get(pk=run.job).state == Job.State.RUNNING


def test_a_pause_taken_back_before_the_worker_noticed_costs_a_page_and_no_more(connection, world, ops, during):
    run = make_run(connection)

    def waver():
        actions.switch(connection=connection, on=False, by=ops)
        actions.switch(connection=connection, on=True, by=ops)

    during("/issues", waver)
    worker.run(run.job)
    worker.run(run.job)

    assert SyncRun.objects.get().state == State.DONE
    assert set(WorkItem.objects.values_list("external_id", flat=True)) == set(world.issues)
