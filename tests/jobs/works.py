"""Works for tests; each leaves a mark in the database."""

import os
import signal
import time
from datetime import timedelta

from django.db import transaction

from hub.jobs.models import Job
from hub.jobs.work import TryLater, work
from hub.people.models import Team


@work()
def mark(*, name, seconds=0.0):
    """Leave one mark; the second one would break a constraint."""
    Team.objects.create(name=name, slug=name)
    time.sleep(seconds)


@work(max_attempts=3)
def fail(*, name):
    Team.objects.create(name=name, slug=name)
    raise ValueError("it broke")


@work()
def later(*, name):
    raise TryLater("not now", after=timedelta(minutes=5))


@work()
def swallow_memory(*, name):
    """Leave a mark, then have the system end this process as it does when memory runs out."""
    Team.objects.create(name=name, slug=name)
    os.kill(os.getpid(), signal.SIGKILL)


@work(is_long=True)
def count_up(*, name, steps, seconds=0.0, lease=None):
    """Write `steps` marks, one transaction each, going on where an earlier worker stopped."""
    done = Team.objects.filter(slug__startswith=f"{name}-").count()
    for step in range(done, steps):
        time.sleep(seconds)
        with transaction.atomic():
            lease.advance()
            Team.objects.create(name=f"{name}-{step}", slug=f"{name}-{step}")


def reload(job):
    return Job.objects.get(pk=job.pk)
