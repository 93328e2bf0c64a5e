"""One job, whatever happens to it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from hub.jobs import dispatch, worker
from hub.jobs.models import Job
from hub.jobs.work import Lease, LeaseLost
from hub.people.models import Team
from tests.jobs import works
from tests.jobs.works import reload

pytestmark = pytest.mark.django_db


def test_a_job_is_done_once_and_leaves_its_mark():
    job = works.mark.enqueue(name="one")

    worker.run(job.pk)
    worker.run(job.pk)

    assert reload(job).state == Job.State.DONE
    assert Team.objects.filter(slug="one").count() == 1


def test_a_run_key_stands_for_one_row():
    first = works.mark.enqueue(run_key="night", name="a")

    assert works.mark.enqueue(run_key="night", name="b").pk == first.pk


def test_a_job_is_not_done_before_its_time():
    job = works.mark.enqueue(name="one", run_after=timezone.now() + timedelta(minutes=1))

    worker.run(job.pk)

    assert reload(job).state == Job.State.QUEUED


def test_a_failed_job_leaves_nothing_waits_longer_each_time_and_is_given_up():
    job = works.fail.enqueue(name="broken")
    pauses = []

    for _ in range(3):
        Job.objects.update(run_after=timezone.now())
        worker.run(job.pk)
        pauses.append((reload(job).run_after - timezone.now()).total_seconds())

    assert not Team.objects.exists()
    assert reload(job).state == Job.State.DEAD
    assert "it broke" in reload(job).error
    assert 7 < pauses[0] < 13 < pauses[1] < 25


def test_a_dead_job_lives_again_when_a_person_asks():
    job = works.fail.enqueue(name="broken")
    Job.objects.update(state=Job.State.DEAD, attempts=3)

    worker.retry(reload(job))

    assert (reload(job).state, reload(job).attempts) == (Job.State.QUEUED, 0)


def test_putting_off_is_no_failure():
    job = works.later.enqueue(name="x")

    worker.run(job.pk)

    again = reload(job)
    assert (again.state, again.attempts) == (Job.State.QUEUED, 0)
    assert again.run_after > timezone.now() + timedelta(minutes=4)


def test_a_worker_that_was_overtaken_writes_nothing():
    job = works.count_up.enqueue(name="c", steps=3)
    old = worker.claim(job.pk)
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    dispatch.requeue_expired(timezone.now())
    worker.claim(job.pk)

    with pytest.raises(LeaseLost), transaction.atomic():
        Team.objects.create(name="stale", slug="stale")
        Lease(old.pk, old.lease_epoch, 60).confirm()

    assert not Team.objects.exists()


def test_a_job_whose_worker_dies_again_and_again_is_given_up_with_a_reason():
    job = works.mark.enqueue(name="oom")
    for _ in range(5):
        assert worker.claim(job.pk)
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        dispatch.requeue_expired(timezone.now())

    assert reload(job).state == Job.State.DEAD
    assert "out of memory" in reload(job).error


def fails(job):
    for _ in range(2):
        Job.objects.update(run_after=timezone.now())
        worker.run(job.pk)


def is_killed(_job):
    works.kill_workers(works.fail_aloud)


@pytest.mark.parametrize(("end", "says"), [(fails, "ValueError: it broke"), (is_killed, dispatch.LAST_WORDS)])
def test_a_job_that_is_given_up_says_so_where_somebody_waits_for_it(end, says):
    job = works.fail_aloud.enqueue(name="aloud")

    end(job)

    assert reload(job).state == Job.State.DEAD
    assert Team.objects.get().name == says


@pytest.mark.parametrize("end", [fails, is_killed])
def test_a_job_of_which_nobody_can_be_told_is_given_up_all_the_same(end):
    Team.objects.create(name="aloud", slug="aloud")  # so what it says breaks a constraint
    other = works.mark.enqueue(name="other")
    job = works.fail_aloud.enqueue(name="aloud")

    end(job)

    assert reload(job).state == Job.State.DEAD
    assert reload(other).state == Job.State.QUEUED


def test_what_is_asked_for_anew_is_done_by_one_job_and_whoever_began_it_writes_nothing():
    worker.begin_anew(works.count_up, name="c", steps=1)
    job = Job.objects.get()
    old = worker.claim(job.pk)

    worker.begin_anew(works.count_up, name="c", steps=1)
    worker.begin_anew(works.count_up, name="d", steps=1)

    assert reload(job).state == Job.State.QUEUED
    assert Job.objects.count() == 2
    with pytest.raises(LeaseLost):
        Lease(old.pk, old.lease_epoch, 60).confirm()


def test_work_of_an_unknown_release_waits_and_is_then_given_up():
    job = Job.objects.create(kind="gone.tasks.nothing", max_attempts=1)

    worker.run(job.pk)

    assert reload(job).state == Job.State.DEAD


def test_old_jobs_are_forgotten_and_failed_ones_kept():
    long_ago = timezone.now() - timedelta(days=20)
    Job.objects.create(kind="a", state=Job.State.DONE, finished_at=long_ago)
    kept = Job.objects.create(kind="b", state=Job.State.DEAD, finished_at=long_ago)

    dispatch.prune(timezone.now())

    assert list(Job.objects.all()) == [kept]


@pytest.mark.django_db(transaction=True)
def test_the_same_job_delivered_a_hundred_times_has_one_effect():
    job = works.mark.enqueue(name="once", seconds=0.05)

    def deliver(_):
        try:
            worker.run(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(100)))

    assert Team.objects.filter(slug="once").count() == 1
    assert (reload(job).state, reload(job).lease_epoch) == (Job.State.DONE, 1)
