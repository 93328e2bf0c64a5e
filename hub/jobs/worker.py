"""What a worker does with the id it was handed: claim the row, do the work, write down how it went."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from .models import Job
from .work import Lease, LeaseLost, TryLater, Work, give_up, work_named

log = structlog.get_logger()

LEASE_SECONDS = 60.0  # a worker that is killed is missed after this long
BEAT_SECONDS = 15.0
FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=15)


def run(job_id: UUID | str) -> None:
    """Do the job if it is due and nobody else does. Any number of deliveries of one id have one effect."""
    job = claim(job_id)
    if job is None:
        log.info("job.not_mine", job=str(job_id))
        return
    lease = Lease(job.pk, job.lease_epoch, LEASE_SECONDS)
    try:
        made = work_named(job.kind)
        if made.is_long:
            with heartbeat(lease):
                made.function(lease=lease, **job.payload)
            with transaction.atomic():
                lease.confirm()
                finish(lease)
        else:
            do_short(made, job, lease)
    except LeaseLost:
        log.warning("job.fenced", job=str(job.pk), kind=job.kind, epoch=job.lease_epoch)
    except TryLater as later:
        put_off(lease, later)
    except Exception as error:
        log.exception("job.failed", job=str(job.pk), kind=job.kind, attempt=job.attempts)
        drop_broken_connection()
        fail(lease, f"{type(error).__name__}: {error}")


def drop_broken_connection() -> None:
    """Have the next query open a new connection where the database went away under this one."""
    if not connection.in_atomic_block and connection.connection is not None and not connection.is_usable():
        connection.close()


def claim(job_id: UUID | str) -> Job | None:
    """Take the job, with a higher fencing number than anyone before; None if it is done, taken or not due yet."""
    now = timezone.now()
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True)
            .filter(pk=job_id, state=Job.State.QUEUED, run_after__lte=now)
            .first()
        )
        if job is None:
            return None
        job.state = Job.State.RUNNING
        job.lease_epoch += 1
        job.attempts += 1
        job.lease_until = now + timedelta(seconds=LEASE_SECONDS)
        job.save(update_fields=["state", "lease_epoch", "attempts", "lease_until"])
    return job


def do_short(made: Work, job: Job, lease: Lease) -> None:
    """Do the work and mark it done in one transaction: both happen or neither."""
    with transaction.atomic():
        lease.confirm()
        made.function(**job.payload)
        finish(lease)


def finish(lease: Lease) -> None:
    Job.objects.filter(pk=lease.job_id, lease_epoch=lease.epoch).update(
        state=Job.State.DONE, finished_at=timezone.now(), lease_until=None, error=""
    )


def put_off(lease: Lease, later: TryLater) -> None:
    """Queue the job again for later, without counting an attempt."""
    Job.objects.filter(pk=lease.job_id, lease_epoch=lease.epoch, state=Job.State.RUNNING).update(
        state=Job.State.QUEUED,
        attempts=0,
        run_after=timezone.now() + later.after,
        dispatched_at=None,
        lease_until=None,
        error=str(later)[:2000],
    )


def fail(lease: Lease, error: str) -> None:
    """Queue the job again after a growing pause, or give it up after its last attempt."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update()
            .filter(pk=lease.job_id, lease_epoch=lease.epoch, state=Job.State.RUNNING)
            .first()
        )
        if job is None:
            return
        if job.attempts >= job.max_attempts:
            give_up(job, error)
            return
        job.state, job.error, job.run_after = Job.State.QUEUED, error[:2000], timezone.now() + backoff(job.attempts)
        job.lease_until = job.dispatched_at = None
        job.save(update_fields=["state", "error", "run_after", "lease_until", "dispatched_at"])


def backoff(attempt: int) -> timedelta:
    """Return how long to wait after the `attempt`th failure: doubling, capped, spread by a fifth."""
    doublings = min(max(0, attempt - 1), 20)
    return min(FIRST_BACKOFF * (1 << doublings), LONGEST_BACKOFF) * random.uniform(0.8, 1.2)


def retry(job: Job) -> None:
    """Give a failed job another five lives; a person asked for it."""
    Job.objects.filter(pk=job.pk, state=Job.State.DEAD).update(
        state=Job.State.QUEUED,
        attempts=0,
        run_after=timezone.now(),
        dispatched_at=None,
        finished_at=None,
        lease_epoch=F("lease_epoch") + 1,
    )


def hurry(job_id: UUID) -> None:
    """Have a job that was put off done now: what it waited for is over."""
    waiting = Job.objects.filter(pk=job_id, state=Job.State.QUEUED, run_after__gt=timezone.now())
    waiting.update(run_after=timezone.now(), dispatched_at=None)


def call_back(job_id: UUID) -> None:
    """Have a job begin anew at once, whoever does it or waits with it: what it was told to do has changed.

    The worker that has it learns at its next confirmation that the job is no longer its own, and writes nothing more.
    """
    open_states = (Job.State.QUEUED, Job.State.RUNNING)
    Job.objects.filter(pk=job_id, state__in=open_states).update(
        state=Job.State.QUEUED, attempts=0, run_after=timezone.now(), dispatched_at=None, lease_until=None
    )


def call_back_all(made: Work, **payload: Any) -> bool:
    """Have all open jobs for this work begin anew, as above; False where there was none."""
    same = Job.objects.filter(kind=made.kind, payload=payload, state__in=(Job.State.QUEUED, Job.State.RUNNING))
    held = list(same.order_by("pk").values_list("pk", flat=True))
    for key in held:
        call_back(key)
    return bool(held)


def begin_anew(made: Work, *, priority: int = 0, **payload: Any) -> None:
    """Have this done from now on, by a job that waits or runs already or by a new one: only the latest answer counts.

    Before the row that it answers to is locked: a worker, too, locks its job first.
    """
    if not call_back_all(made, **payload):
        made.enqueue(priority=priority, **payload)


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Renew the lease beside the work, on a database connection of its own."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(min(BEAT_SECONDS, lease.seconds / 4)):
            try:
                if not lease.beat():
                    return
            except OperationalError:
                log.warning("job.heartbeat_missed", job=str(lease.job_id))
                connection.close()
        connection.close()

    thread = threading.Thread(target=renew, daemon=True, name=f"lease-{lease.job_id}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
