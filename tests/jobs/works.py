"""Works for tests; each leaves a mark in the database."""

import os
import signal
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hub.jobs import dispatch, worker
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


def say_so(*, name, error):
    Team.objects.create(name=error, slug=name)


@work(max_attempts=2, given_up=say_so)
def fail_aloud(*, name):
    raise ValueError("it broke")


def kill_workers(made):
    """Have every worker that takes a job of this kind up be killed, until the job is given up."""
    while job := Job.objects.filter(kind=made.kind, state=Job.State.QUEUED).first():
        Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
        assert worker.claim(job.pk)
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        dispatch.requeue_expired(timezone.now())
    assert Job.objects.filter(kind=made.kind, state=Job.State.DEAD).exists()


def overtake(made):
    """Have another worker take a job of this kind over while the present one is at it."""
    Job.objects.filter(kind=made.kind, state=Job.State.RUNNING).update(lease_epoch=F("lease_epoch") + 1)


def reload(job):
    return Job.objects.get(pk=job.pk)
