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
from tests.jobs.processes import Worker, tell_again, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ISSUES = 600


@pytest.fixture
def big_world(world):
    world.issues = {f"i{n}": issue(n) for n in range(ISSUES)}
    world.delay = 0.03
    return world


def check(run, world):
    run.refresh_from_db()
    assert run.state == State.DONE
    assert set(WorkItem.objects.values_list("external_id", flat=True)) == set(world.issues)
    assert StateSpan.objects.filter(deleted_at=None).count() == 2 * len(world.issues)
    assert SourceRecord.objects.count() == len(world.issues) + len(world.people)
    assert PersonAccount.objects.count() == len(world.people)
    assert run.new == len(world.issues) + len(world.people)  # each was new once: nothing was counted twice


def test_a_worker_killed_mid_sync_leaves_exactly_what_the_source_has(source, big_world, clean_redis):
    connection = make_connection()
    run = make_run(connection)
    dispatcher = Dispatcher()
    hazard = random.Random(11)

    def is_over():
        run.refresh_from_db()
        return not run.is_open

    def step():
        tell_again(dispatcher)

    kills = 0
    while not is_over() and kills < 3:
        with Worker(toy_url=source.url, concurrency=1) as worker:
            before = len(big_world.requests)
            assert until(lambda before=before: len(big_world.requests) > before, seconds=40, step=step, pause=0.05)
            until(is_over, seconds=0.2 + hazard.random() * 0.6, step=step, pause=0.05)
            worker.kill()
        kills += 1
        if kills == 2:
            clean_redis.flushdb()
    with Worker(toy_url=source.url, concurrency=1):
        assert until(is_over, seconds=40, step=step)

    check(run, big_world)
    assert kills >= 2
    assert run.resumed >= 1


def test_a_worker_that_slept_past_its_lease_writes_nothing_when_it_wakes(source, big_world):
    connection = make_connection()
    run = make_run(connection)
    dispatcher = Dispatcher()

    def is_over():
        run.refresh_from_db()
        return not run.is_open

    with Worker(toy_url=source.url, lease=2, concurrency=1) as sleeper:
        assert until(WorkItem.objects.exists, seconds=40, step=lambda: tell_again(dispatcher), pause=0.05)
        os.killpg(sleeper.process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        with Worker(toy_url=source.url, lease=2, concurrency=1):
            assert until(is_over, seconds=50, step=lambda: tell_again(dispatcher))
            os.killpg(sleeper.process.pid, signal.SIGCONT)
            time.sleep(1.5)

    check(run, big_world)
