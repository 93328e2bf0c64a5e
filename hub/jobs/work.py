"""Declaring work, enqueueing it, and what a running piece of work may raise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from .models import Job

log = structlog.get_logger()


class TryLater(Exception):
    """The work can't be done now; do it again after `after`. Does not count as a failed attempt."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class LeaseLost(Exception):
    """Another worker took this work over; whatever this one still holds must not be written."""


@dataclass(frozen=True)
class Lease:
    """The right to write for one job, until somebody else is given a higher number."""

    job_id: Any
    epoch: int
    seconds: float

    def confirm(self) -> None:
        """Renew, inside the transaction that writes. Locks the row, so nobody takes over before it commits.

        A worker that falls silent in the middle (a frozen machine, a cut cable) must not keep the lock for ever: its
        session is ended when it has sat idle for as long as its lease.
        Raises LeaseLost, and the caller's transaction rolls back.
        """
        self._hold()

    def advance(self) -> None:
        """Confirm where what is written need not be done again, were the worker to stop right after it.

        Progress forgives earlier stops: only a job that dies again and again on the same spot is given up.
        """
        self._hold(attempts=1)

    def _hold(self, **news: int) -> None:
        until = timezone.now() + timedelta(seconds=self.seconds)
        if not self._mine().update(lease_until=until, **news):
            raise LeaseLost(str(self.job_id))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [str(int(self.seconds * 1000))]
            )

    def beat(self) -> bool:
        """Renew without writing anything; False when the lease is lost."""
        until = timezone.now() + timedelta(seconds=self.seconds)
        return bool(self._mine().update(lease_until=until))

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job_id, lease_epoch=self.epoch, state=Job.State.RUNNING)


@dataclass(frozen=True)
class Work:
    """A function whose calls can be written down as rows and done later by a worker."""

    function: Callable[..., None]
    kind: str
    queue: str
    is_long: bool
    max_attempts: int
    every: timedelta | None = None
    given_up: Callable[..., None] | None = None  # says so where somebody waits for it

    def __call__(self, **payload: Any) -> None:
        """Do it here and now (tests, commands)."""
        self.function(**payload)

    def enqueue(
        self, *, run_key: str | None = None, run_after: datetime | None = None, priority: int = 0, **payload: Any
    ) -> Job:
        """Write the row, in the caller's transaction. A second row under the same `run_key` is the first one.

        Higher `priority` goes first.
        """
        fields = {
            "kind": self.kind,
            "queue": self.queue,
            "payload": payload,
            "priority": priority,
            "max_attempts": self.max_attempts,
            "run_after": run_after or timezone.now(),
        }
        if run_key is None:
            return Job.objects.create(**fields)
        job, _ = Job.objects.get_or_create(run_key=run_key, defaults=fields)
        return job


_works: dict[str, Work] = {}


def work(
    *,
    queue: str = "default",
    is_long: bool = False,
    max_attempts: int = 5,
    every: timedelta | None = None,
    given_up: Callable[..., None] | None = None,
) -> Callable[[Callable[..., None]], Work]:
    """Declare a function as work that a worker does.

    A short one runs in one transaction with its row: effects and *done* commit together. A long one (`is_long`)
    is leased: it takes `lease` as a keyword and calls `lease.confirm()` in each transaction that writes,
    or `lease.advance()` where that brings it further.
    It takes ids by keyword and must be safe to run twice. `every` has the clock enqueue it, once per period
    however many clocks there are; such work takes no arguments. `given_up` is called with the same keywords, and
    `error`, when the last attempt has failed: it ends what a page still shows as under way.
    """

    def declare(function: Callable[..., None]) -> Work:
        kind = f"{function.__module__}.{function.__name__}"
        made = Work(function, kind, queue, is_long, max_attempts, every, given_up)
        _works[made.kind] = made
        return made

    return declare


def work_named(kind: str) -> Work:
    """Return the work declared under `kind`. Raises KeyError for one that this release does not know."""
    if kind not in _works:
        try:
            import_module(kind.rpartition(".")[0])
        except (ImportError, ValueError) as error:
            raise KeyError(kind) from error
    return _works[kind]


def periodic_works() -> list[Work]:
    """Return the works that the clock enqueues."""
    return [made for made in _works.values() if made.every is not None]


def give_up(job: Job, error: str) -> None:
    """Try a job no more, and have that said where somebody waits for it. In a transaction, with the job's row locked.

    A page that can't be told is logged: the other jobs are given up all the same.
    """
    job.state, job.error, job.finished_at = Job.State.DEAD, error[:2000], timezone.now()
    job.lease_until = job.dispatched_at = None
    job.save(update_fields=["state", "error", "finished_at", "lease_until", "dispatched_at"])
    try:
        with transaction.atomic():
            if (say := work_named(job.kind).given_up) is not None:
                say(error=job.error, **job.payload)
    except Exception:
        log.exception("job.not_told", job=str(job.pk), kind=job.kind)
