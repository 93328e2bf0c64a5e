"""Real workers that die in every way, at work: nothing is lost, nothing is done twice."""

import random
import time

import pytest

from hub.jobs import worker as hub_worker
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from hub.people.models import Team
from tests.jobs import works
from tests.jobs.processes import Worker, miss_the_dead, tell_again, until
from tests.numbers import times

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.faults]
PATIENCE_SECONDS = 60
KILLS = times(1, 50)
CHILDREN = times(3, 40)
SOFT_SECONDS = times(1, 60)


@pytest.fixture
def step():
    dispatcher = Dispatcher()
    return lambda: tell_again(dispatcher)


def marks():
    return Team.objects.count()


def all_done():
    return not Job.objects.filter(state__in=["queued", "running"], kind__startswith="tests.").exists()


def assert_each_was_done_once(wanted):
    assert Team.objects.filter(slug__startswith="n").count() == wanted
    assert set(Job.objects.filter(kind__startswith="tests.").values_list("state", flat=True)) == {Job.State.DONE}


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(broker, step):
    """The broker forgets everything after every other kill, too."""
    wanted = 30 * KILLS
    for number in range(wanted):
        works.mark.enqueue(name=f"n{number}", seconds=0.02)
    works.count_up.enqueue(name="long", steps=20 * KILLS, seconds=0.05)
    hazard = random.Random(7)

    for kill in range(KILLS):
        with Worker() as victim:
            before = marks()
            assert until(lambda before=before: marks() > before, seconds=PATIENCE_SECONDS, step=step), victim.said()
            until(all_done, seconds=hazard.random() * 0.4, step=step)
        miss_the_dead()
        if kill % 2 == 0:
            broker.flushdb()
    with Worker() as last:
        assert until(all_done, seconds=PATIENCE_SECONDS * KILLS, step=step), last.said()

    assert_each_was_done_once(wanted)
    assert Team.objects.filter(slug__startswith="long-").count() == 20 * KILLS


def test_processes_killed_for_want_of_memory_lose_and_double_nothing(step):
    wanted = 10 * CHILDREN
    for number in range(wanted):
        works.mark.enqueue(name=f"n{number}", seconds=0.02)

    with Worker(lease=2) as victim:
        for kill in range(CHILDREN):
            before = marks()
            assert until(lambda before=before: all_done() or marks() > before, seconds=PATIENCE_SECONDS, step=step), (
                victim.said()
            )
            if kill < CHILDREN - 1 or not all_done():
                victim.kill_child()
            if victim.process.poll() is not None:  # one that loses a child while it starts gives up
                victim.start()
        assert until(all_done, seconds=PATIENCE_SECONDS, step=step), victim.said()

    assert_each_was_done_once(wanted)


def test_work_that_always_runs_out_of_memory_is_given_up_with_the_reason_and_can_be_tried_again(step):
    job = works.swallow_memory.enqueue(name="greedy")

    def is_given_up():
        return works.reload(job).state == Job.State.DEAD

    def miss_and_tell():
        miss_the_dead()
        step()

    with Worker(concurrency=1) as victim:
        assert until(is_given_up, seconds=PATIENCE_SECONDS, step=miss_and_tell, pause=0.3), victim.said()

    given_up = works.reload(job)
    assert given_up.attempts == given_up.max_attempts == 5
    assert "out of memory" in given_up.error
    assert marks() == 0
    hub_worker.retry(given_up)
    assert works.reload(job).state == Job.State.QUEUED


def test_a_worker_asked_to_stop_ends_in_time_and_another_goes_on(step):
    steps = 20 * (SOFT_SECONDS + 2)
    job = works.count_up.enqueue(name="n", steps=steps, seconds=0.05)

    with Worker(soft=SOFT_SECONDS, concurrency=1) as leaving:
        assert until(lambda: marks() > 0, seconds=PATIENCE_SECONDS, step=step), leaving.said()
        begun = time.monotonic()
        leaving.process.terminate()
        leaving.process.wait(SOFT_SECONDS + 30)
        took = time.monotonic() - begun
    written = marks()
    miss_the_dead()
    with Worker(concurrency=1) as other:
        assert until(all_done, seconds=PATIENCE_SECONDS + 2 * SOFT_SECONDS, step=step), other.said()

    assert took < SOFT_SECONDS + 10
    assert 0 < written < steps
    assert works.reload(job).lease_epoch >= 2
    assert_each_was_done_once(steps)
