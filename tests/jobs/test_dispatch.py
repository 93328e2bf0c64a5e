"""Dispatchers, and brokers that forget."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from hub.jobs import dispatch, worker
from hub.jobs.broker import celery_address, redis_address
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from hub.jobs.work import Lease
from hub.people.models import Team
from tests.jobs import works
from tests.jobs.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(broker):
    return broker.llen("default")


def test_due_jobs_are_told_once_until_they_are_overdue(broker):
    works.mark.enqueue(name="now")
    works.mark.enqueue(name="later", run_after=timezone.now() + timedelta(hours=1))
    dispatcher = Dispatcher()

    assert dispatcher.round().sent == 1
    assert dispatcher.round().sent == 0
    assert waiting(broker) == 1


def test_a_broker_that_forgot_everything_is_told_again_within_two_minutes(broker):
    works.mark.enqueue(name="now")
    dispatcher = Dispatcher()
    dispatcher.round()

    broker.flushdb()

    assert dispatcher.round(timezone.now() + timedelta(minutes=1)).sent == 1
    assert waiting(broker) == 1


def test_a_full_queue_is_not_filled_further(broker):
    for number in range(dispatch.OUTSTANDING + 20):
        works.mark.enqueue(name=f"n{number}")
    dispatcher = Dispatcher()

    dispatcher.round()
    dispatcher.round(timezone.now() + timedelta(minutes=5))

    assert waiting(broker) == dispatch.OUTSTANDING


def test_what_matters_more_is_told_first():
    works.mark.enqueue(name="night")
    urgent = works.mark.enqueue(name="by-hand", priority=10)

    with transaction.atomic():
        assert dispatch.take_due("default", 1, timezone.now()) == [urgent.pk]


def test_three_dispatchers_tell_each_job_once(broker):
    for number in range(30):
        works.mark.enqueue(name=f"n{number}")

    def work(_):
        try:
            dispatcher = Dispatcher()
            return sum(dispatcher.round().sent for _ in range(5))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        sent = sum(pool.map(work, range(3)))

    assert sent == waiting(broker) == 30


def test_a_broker_that_is_away_delays_and_harms_nothing(settings):
    works.mark.enqueue(name="now")
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    started = time.monotonic()

    done = Dispatcher().round()

    assert done.sent == 0
    assert time.monotonic() - started < 10
    assert Job.objects.get(kind="tests.jobs.works.mark").dispatched_at is None


def test_the_clock_writes_one_row_per_period_however_many_clocks_there_are():
    from connectors.tasks import start_due_syncs

    now = timezone.now().replace(second=10)
    for _ in range(3):
        dispatch.enqueue_periodic(now)
        dispatch.enqueue_periodic(now + timedelta(seconds=1))

    assert Job.objects.filter(kind=start_due_syncs.kind).count() == 1


def test_the_clock_s_work_is_done_once_in_its_period_whatever_is_forgotten_meanwhile():
    from hub.people.tasks import forget_sessions

    now = timezone.now().replace(hour=0, minute=1)
    dispatch.enqueue_periodic(now)
    Job.objects.update(state=Job.State.DONE, finished_at=now)

    dispatch.prune(now + timedelta(hours=23))
    dispatch.enqueue_periodic(now + timedelta(hours=23))

    assert Job.objects.get(kind=forget_sessions.kind).state == Job.State.DONE


@pytest.mark.parametrize(
    ("celery", "plain"),
    [
        ("redis+socket:///run/r.sock?virtual_host=3", "unix:///run/r.sock?db=3"),
        ("redis://h:6379/1", "redis://h:6379/1"),
    ],
)
def test_both_spellings_of_the_broker_lead_to_the_same_place(celery, plain):
    assert redis_address(celery) == plain
    assert celery_address(plain) == celery


def test_a_worker_that_freezes_while_it_writes_loses_the_job_and_what_it_wrote():
    job = works.mark.enqueue(name="frozen")
    held = worker.claim(job.pk)
    frozen = Lease(job.pk, held.lease_epoch, seconds=0.5)

    def write_and_freeze():
        try:
            with transaction.atomic():
                frozen.confirm()
                Team.objects.create(name="half", slug="half")
                time.sleep(1.5)
                Team.objects.create(name="whole", slug="whole")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_and_freeze)
        time.sleep(1)
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())  # hangs where the lock is still held
        assert Dispatcher().round().requeued == 1
        with pytest.raises(DatabaseError, match="idle-in-transaction"):
            writing.result(timeout=10)

    worker.run(job.pk)

    assert [team.slug for team in Team.objects.all()] == ["frozen"]


def test_a_round_leaves_no_connection_to_the_broker_open(broker):
    before = clients_of(broker)
    works.mark.enqueue(name="now")

    assert Dispatcher().round().sent == 1

    assert until(lambda: clients_of(broker) <= before, seconds=5)


def clients_of(broker):
    """Return who is connected to this process's own database; the server may be shared."""
    mine = str(broker.client_id())
    database = {one["id"]: one["db"] for one in broker.client_list()}
    return {one for one, number in database.items() if number == database[mine]}
