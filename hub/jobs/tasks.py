"""The one Celery task, and the jobs' own housekeeping."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from hub.core.stack import with_room

from . import dispatch, worker
from .work import work


@shared_task(name="hub.jobs.run_job", ignore_result=True)
def run_job(job_id: str) -> None:
    """Do one job; a job that is done, taken or unknown is left alone."""
    with_room(worker.run, job_id)


@work(every=timedelta(hours=1))
def prune_jobs() -> None:
    """Forget jobs that ended long ago."""
    dispatch.prune(timezone.now())
