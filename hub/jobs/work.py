"""Declaring work, enqueueing it, and what a running piece of work may raise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from .models import Job


class TryLater(Exception):
    """The work can't be done now; do it again after `after`. Does not count as a failed attempt."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Work:
    """A function whose calls can be written down as rows and done later by a worker."""

    function: Callable[..., None]
    kind: str
    queue: str
    is_long: bool
    max_attempts: int

    def __call__(self, **payload: Any) -> None:
        """Do it here and now (tests, commands)."""
        self.function(**payload)

    def enqueue(
        self, *, run_key: str | None = None, run_after: datetime | None = None, priority: int = 0, **payload: Any
    ) -> Job:
        """Write the row, in the caller's transaction. A second row under the same `run_key` is the first one."""
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
    *, queue: str = "default", is_long: bool = False, max_attempts: int = 5
) -> Callable[[Callable[..., None]], Work]:
    """Declare a function as work that a worker does.

    A short one runs in one transaction with its row: effects and *done* commit together. A long one (`is_long`)
    is leased: it takes `lease` as a keyword, renews it, and every page it writes checks the fencing number.
    It takes ids by keyword and must be safe to run twice.
    """

    def declare(function: Callable[..., None]) -> Work:
        made = Work(function, f"{function.__module__}.{function.__name__}", queue, is_long, max_attempts)
        _works[made.kind] = made
        return made

    return declare


def work_named(kind: str) -> Work:
    """Return the work declared under `kind`. Raises KeyError for one that this release does not know."""
    return _works[kind]
