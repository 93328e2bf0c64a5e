"""A sync under way, and what people and the clock do meanwhile."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions, checks, registry, remap, tasks
from connectors.engine import Engine
from connectors.models import (
    Check,
    Connection,
    DueStream,
    RefusedRecord,
    State,
    StreamState,
    SyncRun,
    WorkItem,
)
from connectors.webhooks import marks
from hub.jobs import dispatch, worker
from hub.jobs.models import Job
from hub.jobs.work import LeaseLost, TryLater
from tests.connectors.factories import SECRET, make_run
from tests.connectors.stand_in import reset, stamp
from tests.jobs.works import overtake

pytestmark = pytest.mark.django_db


def go(run):
    Engine(run, registry.connector("toy")).go()
    run.refresh_from_db()
    return run


def test_a_sync_that_breaks_at_the_same_page_every_time_is_given_up(connection, monkeypatch):
    run = make_run(connection)

    def broken(*_args):
        raise AssertionError("a mistake of ours")

    monkeypatch.setattr("connectors.reading.Pass.fetch", broken)
    for _ in range(5):
        Job.objects.update(run_after=timezone.now())
        worker.run(run.job)

    assert Job.objects.get(pk=run.job).state == Job.State.DEAD


def test_a_sync_whose_worker_dies_at_the_same_page_every_time_is_given_up(connection, monkeypatch):
    run = make_run(connection)

    class Killed(BaseException):
        pass

    def dies(*_args):
        raise Killed

    monkeypatch.setattr("connectors.reading.Pass.fetch", dies)
    for _ in range(5):
        Job.objects.update(run_after=timezone.now())
        with pytest.raises(Killed):
            worker.run(run.job)
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        dispatch.requeue_expired(timezone.now())

    assert Job.objects.get(pk=run.job).state == Job.State.DEAD


def test_a_run_that_goes_on_with_an_old_window_reads_what_changed_since(sync, world, connection):
    sync()
    world.issues = {key: row | {"updatedAt": stamp(timezone.now())} for key, row in world.issues.items()}
    world.fault = lambda handler, path, number: "token" in world.requests[-1][1] and reset(handler, path, number)
    assert sync().state == State.PARTLY
    assert StreamState.objects.get(stream="issues").page_token
    world.fault = None
    world.issues["i3"] |= {"title": "New", "updatedAt": stamp(timezone.now())}
    DueStream.objects.create(connection=connection, stream="issues", announced_at=timezone.now())

    sync()

    assert WorkItem.objects.get(external_id="i3").title == "New"
    assert marks.unread(connection) == set()


def test_a_new_token_entered_while_the_old_one_is_refused_is_not_thrown_away(connection, world, admin, during):
    run = make_run(connection)
    world.secret = "toy_another_0123456789abcd"
    during("/people", lambda: actions.renew_secret(connection=connection, secret=world.secret, by=admin))

    with pytest.raises(TryLater):
        go(run)

    assert Connection.objects.get().auth == Connection.Auth.OK
    assert go(run).state == State.DONE


def test_a_test_of_the_old_token_says_nothing_of_the_new_one(connection, world, admin, during):
    world.secret = "toy_another_0123456789abcd"
    during("/me", lambda: actions.renew_secret(connection=connection, secret=world.secret, by=admin))

    checks.check(Connection.objects.get())

    assert Connection.objects.get().auth == Connection.Auth.OK
    assert Check.objects.get().state == State.QUEUED


def test_a_new_token_ends_the_wait_of_a_run(connection, admin):
    run = make_run(connection)
    later = timezone.now() + timedelta(hours=2)
    Connection.objects.update(pause_until=later, pause_reason="rate_limited")
    SyncRun.objects.update(state=State.RUNNING)
    Job.objects.filter(pk=run.job).update(run_after=later)

    actions.renew_secret(connection=connection, secret=f"{SECRET}x", by=admin)

    assert Job.objects.get(pk=run.job).run_after <= timezone.now()


def test_a_stream_paused_while_an_earlier_one_is_read_is_left_out(connection, world, ops, during):
    run = make_run(connection)
    during("/people", lambda: actions.switch_stream(connection=connection, stream="issues", on=False, by=ops))

    assert go(run).state == State.DONE
    assert {path for path, _ in world.requests} == {"/people"}


def test_a_confirmation_given_while_an_earlier_stream_is_read_is_kept(sync, connection, world, ops, during):
    sync()
    StreamState.objects.filter(stream="issues").update(sweep_gone=7, sweep_alive=9)
    during("/people", lambda: actions.confirm_sweep(connection=connection, stream="issues", by=ops))

    sync()

    assert StreamState.objects.get(stream="issues").sweep_confirmed_by == ops


def test_saving_a_name_overwrites_nothing_that_a_sync_wrote_meanwhile(connection, sign_in, admin, monkeypatch):
    page = sign_in(admin)
    kept = Connection.full_clean

    def slow(self, *args, **kwargs):
        Connection.objects.update(auth=Connection.Auth.NEEDS_REAUTH, workspace_name="Toys")
        return kept(self, *args, **kwargs)

    monkeypatch.setattr(Connection, "full_clean", slow)
    page.post(f"/syncs/{connection.pk}/edit/", {"label": "Ours", "base_url": "", "token": ""})

    held = Connection.objects.get()
    assert (held.label, held.auth, held.workspace_name) == ("Ours", Connection.Auth.NEEDS_REAUTH, "Toys")


def test_a_failed_job_tried_again_reads_again_although_its_run_was_closed(connection, sign_in, ops):
    run = make_run(connection)
    Job.objects.filter(pk=run.job).update(state=Job.State.DEAD)
    actions.close_orphans()

    sign_in(ops).post(f"/syncs/{connection.pk}/jobs/{run.job}/retry/")
    for job in Job.objects.filter(state=Job.State.QUEUED, kind__endswith="sync_connection"):
        worker.run(job.pk)

    assert SyncRun.objects.filter(connection=connection, state=State.DONE).exists()


@pytest.mark.parametrize("name", ["connection_edit", "connection_test", "connection_switch", "connection_run"])
def test_what_is_no_source_has_no_page_and_no_button(name, sign_in, admin):
    inlet = Connection.objects.create(service=Connection.PUSHED, label="Miro", is_active=False)
    address = reverse(f"connectors:{name}", args=[inlet.pk, 1] if name == "connection_switch" else [inlet.pk])

    assert sign_in(admin).post(address, {"label": "x"}).status_code == 404
    assert not Connection.objects.get().is_active


def test_an_address_with_no_possible_port_is_sent_back(connection, sign_in, admin):
    data = {"label": "Ours", "base_url": "https://toy.example:99999/", "token": ""}

    assert sign_in(admin).post(reverse("connectors:connection_edit", args=[connection.pk]), data).status_code == 422


def test_a_test_that_another_worker_took_over_writes_nothing(connection, world, admin, during):
    actions.test(connection=connection, by=admin)
    during("/me", lambda: overtake(tasks.check_connection))

    worker.run(Job.objects.get(kind=tasks.check_connection.kind).pk)

    assert Check.objects.get().state == State.QUEUED


def test_a_test_that_is_asked_for_again_is_answered_by_the_later_one(connection, world, admin, during):
    actions.test(connection=connection, by=admin)
    during("/me", lambda: actions.test(connection=connection, by=admin))
    job = Job.objects.get(kind=tasks.check_connection.kind)

    worker.run(job.pk)
    assert Check.objects.get().state == State.QUEUED

    worker.run(job.pk)
    assert Check.objects.get().state == State.DONE


class Lost:
    """The lease of a worker that was thought dead: another one has the job."""

    job_id = None

    def confirm(self):
        raise LeaseLost

    advance = confirm


def test_a_worker_that_was_overtaken_leaves_off_nothing_that_another_reads(connection):
    run = make_run(connection)
    run.streams.create(stream="people")

    with pytest.raises(LeaseLost):
        Engine(run, registry.connector("toy"), Lost()).leave_off()

    assert run.streams.get().state == State.QUEUED


@pytest.mark.parametrize("state", [Job.State.RUNNING, Job.State.DONE])
def test_what_is_not_given_up_is_not_tried_again(connection, ops, state):
    run = make_run(connection)
    SyncRun.objects.update(state=State.DONE)
    Job.objects.filter(pk=run.job).update(state=state)

    actions.retry_job(job=Job.objects.get(pk=run.job), connection=connection, by=ops)

    assert Job.objects.get(pk=run.job).state == state
    assert SyncRun.objects.count() == 1


def test_a_mapping_that_another_worker_took_over_brings_back_nothing_that_was_set_aside(sync, world, connection):
    world.issues["i3"] |= {"state": None}
    sync()
    row = RefusedRecord.objects.get()
    RefusedRecord.objects.update(raw=row.raw | {"state": "started"})
    toy = registry.connector("toy")

    with pytest.raises(LeaseLost):
        remap.reconsider(connection, toy, toy.streams[1], Lost())

    assert RefusedRecord.objects.exists()
