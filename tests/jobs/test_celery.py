"""What a worker's process does around its jobs."""

import gc
import subprocess
import sys
import weakref
from uuid import uuid4

import pytest

from hub.jobs.tasks import run_job

FROZEN = """
import gc
from celery.signals import worker_process_init
from hub.celery import app
worker_process_init.send(None)
print(gc.get_freeze_count())
"""


class Held:
    """Something that holds itself, as a traceback does."""

    def __init__(self):
        self.itself = self


@pytest.mark.django_db
def test_what_a_job_left_behind_in_a_circle_is_freed_after_it():
    gc.collect()
    gc.disable()
    try:
        left = weakref.ref(Held())
        is_left = left() is not None
        run_job.apply(args=[str(uuid4())])
    finally:
        gc.enable()

    assert is_left
    assert left() is None


def test_what_a_process_has_loaded_is_no_longer_searched():
    done = subprocess.run([sys.executable, "-c", FROZEN], capture_output=True, text=True, check=True)

    assert int(done.stdout) > 10_000
