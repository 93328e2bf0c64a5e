"""The clock as Celery's beat makes it."""

import pytest

from hub.celery import app
from hub.jobs.beat import PAUSE_SECONDS, Scheduler
from tests.jobs import works

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_tick_tells_due_jobs_and_leaves_a_sign_of_life(broker, tmp_path):
    works.mark.enqueue(name="now")
    sign = tmp_path / "schedule"
    scheduler = Scheduler(app, schedule_filename=str(sign), lazy=True)
    assert not sign.exists()

    pause = scheduler.tick()

    assert pause == PAUSE_SECONDS
    assert broker.llen("default") == 1
    assert sign.stat().st_size == 0
