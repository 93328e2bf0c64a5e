"""A real worker, killed with SIGKILL in the middle of a real sync, again and again."""

import os
import random
import signal
import time

import pytest

from connectors.models import PersonAccount, SourceRecord, State, StateSpan, WorkItem
from hub.jobs.dispatch import Dispatcher
from tests.connectors.factories import make_connection, make_run
from tests.connectors.stand_in import issue
from tests.jobs.processes import Worker, miss_the_dead, tell_again, until
from tests.numbers import times

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.faults]

KILLS, ISSUES = times(1, 50), times(400, 2500)
PATIENCE_SECONDS = 60


@pytest.fixture
def big_world(world):
    world.issues = {f"i{n}": issue(n) for n in range(ISSUES)}
    world.delay = 0.1  # so that a run outlasts its kills
    return world


@pytest.fixture
def step():
    dispatcher = Dispatcher()
    return lambda: tell_again(dispatcher)


def check(run, world):
    run.refresh_from_db()
    assert run.state == State.DONE
    assert set(WorkItem.objects.values_list("external_id", flat=True)) == set(world.issues)
    assert StateSpan.objects.filter(deleted_at=None).count() == 2 * len(world.issues)
    assert SourceRecord.objects.count() == len(world.issues) + len(world.people)
    assert PersonAccount.objects.count() == len(world.people)
    assert run.new == len(world.issues) + len(world.people)  # each was new once: nothing was counted twice


def test_a_worker_killed_mid_sync_leaves_exactly_what_the_source_has(source, big_world, clean_redis, step):
    """Redis forgets everything after every other kill, too.

    The other kills wait for a page to be written: a sync that dies five times on one spot is given up.
    """
    run = make_run(make_connection())
    hazard = random.Random(11)
    kills = 0

    def is_over():
        run.refresh_from_db()
        return not run.is_open

    while kills < KILLS and not is_over():
        with Worker(toy_url=source.url, concurrency=1) as victim:
            met = len(big_world.requests) + hazard.randint(1, 2)
            written = SourceRecord.objects.count() if kills % 2 else -1
            assert until(
                lambda met=met, written=written: (
                    (len(big_world.requests) >= met and SourceRecord.objects.count() > written) or is_over()
                ),
                seconds=PATIENCE_SECONDS,
                step=step,
                pause=0.02,
            ), victim.said()
        kills += 1
        miss_the_dead()
        if kills % 2:
            clean_redis.flushdb()
    big_world.delay = 0
    with Worker(toy_url=source.url, concurrency=1) as last:
        assert until(is_over, seconds=2 * PATIENCE_SECONDS, step=step), last.said()

    print(f"{kills} kills in one sync of {len(big_world.requests)} requests, resumed {run.resumed} times")
    check(run, big_world)
    assert kills == KILLS
    assert run.resumed >= 1


def test_a_worker_that_slept_past_its_lease_writes_nothing_when_it_wakes(source, big_world, step):
    run = make_run(make_connection())

    def is_over():
        run.refresh_from_db()
        return not run.is_open

    with Worker(toy_url=source.url, lease=2, concurrency=1) as sleeper:
        assert until(WorkItem.objects.exists, seconds=PATIENCE_SECONDS, step=step, pause=0.05), sleeper.said()
        os.killpg(sleeper.process.pid, signal.SIGSTOP)
        with Worker(toy_url=source.url, lease=2, concurrency=1) as other:
            assert until(is_over, seconds=PATIENCE_SECONDS, step=step), other.said()
            os.killpg(sleeper.process.pid, signal.SIGCONT)
            time.sleep(1.5)  # it tries to write, and is refused

    check(run, big_world)
