"""Computing the observations anew. Nothing changed: no row is written. Something changed: the old value is kept."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from connectors.models import (
    Connection,
    StateSpan,
    StreamState,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkState,
    WorkTeam,
)
from kpis.models import Metric

from . import statements

READ = (WorkItem, StateSpan, Transition, WorkCycle, WorkState, WorkLabel, WorkTeam)
WEEKS_REREAD = 9  # a late edit reaches back two cycles and more
ESTIMATES_OFF = ("", "notUsed")

FLOW_KEYS = ("cycle-time", "cycle-time-p85", "lead-time", "throughput")
BUG_KEYS = ("bug-ratio", "bug-ratio-done")
STOCK_KEYS = ("wip", "wip-age-p85", "ageing-share")
CYCLE_KEYS = ("predictability", "scope-change")
SEAT_KEYS = ("seats-active", "seats-dormant")


@dataclass(frozen=True)
class Written:
    """What a computation changed: values new or restated, and those that are no more."""

    written: int = 0
    restated: int = 0
    gone: int = 0


def monday(day: date) -> date:
    """Return the first day of the ISO week of `day`."""
    return day - timedelta(days=day.weekday())


def read_until(streams: tuple[str, ...]) -> datetime | None:
    """Return the moment up to which every source was read; None where one was never read to its end."""
    active = Connection.objects.filter(is_active=True, streams__stream__in=streams).distinct()
    rows = StreamState.objects.filter(connection__in=active, stream__in=streams)
    if not rows.exists() or rows.filter(last_success_at=None).exists():
        return None
    found: datetime | None = rows.aggregate(at=Min("last_success_at"))["at"]
    return found


@transaction.atomic
def recompute(*, first: date | None = None, now: datetime | None = None, reason: str = "source") -> Written:
    """Compute every metric for the weeks from `first` (nine weeks back by default) to the present one.

    `now` is the moment up to which the sources were read; it is looked up where it isn't given. A family of metrics
    whose streams were never read to the end is left alone: not measured is not zero.
    """
    today = timezone.localdate()
    first = monday(first or today - timedelta(weeks=WEEKS_REREAD))
    past = monday(today) + timedelta(days=7)
    total = Written()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x4B501])  # one computation at a time
        cursor.execute(statements.STAGE)
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")  # compiling these statements takes longer than running them
        count_rows(cursor)
        for keys, statement, streams in (
            (FLOW_KEYS, statements.FLOW, ("issues",)),
            (BUG_KEYS, statements.BUGS, ("issues", "labels")),
            (STOCK_KEYS, statements.STOCK, ("issues", "states")),
            (CYCLE_KEYS, statements.CYCLES, ("issues", "cycles")),
            (SEAT_KEYS, statements.SEATS, ("users",)),
        ):
            read_at = now or read_until(streams)
            if read_at is None:
                continue
            start = (
                monday(read_at.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date()) if keys is SEAT_KEYS else first
            )
            given = parameters(first=start, past=past, now=read_at)
            cursor.execute("TRUNCATE kpis_stage")
            cursor.execute(f"INSERT INTO kpis_stage {statement}", given)  # our own statements
            total = merge(cursor, keys, given, total, reason)
    return total


def count_rows(cursor: Any) -> None:
    """Gather statistics of tables that have none, as after a first sync: without them plans take minutes."""
    cursor.execute(statements.UNCOUNTED, [[model._meta.db_table for model in READ]])
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {table}")  # one of our own tables


def merge(cursor: Any, keys: tuple[str, ...], given: dict[str, Any], total: Written, reason: str) -> Written:
    """Write what differs from what is stored, the old values into the history first."""
    at = timezone.now()
    given = {**given, "at": at, "keys": list(keys), "zone": settings.COMPANY_TIME_ZONE, "reason": reason}
    cursor.execute(statements.KEEP, given)
    restated = cursor.rowcount
    cursor.execute(statements.KEEP_GONE, given)
    gone = cursor.rowcount
    cursor.execute(statements.WRITE, given)
    written = cursor.rowcount
    Metric.objects.filter(key__in=keys).update(read_at=given["now"], computed_at=at)
    return Written(total.written + written, total.restated + restated, total.gone + gone)


def parameters(*, first: date, past: date, now: datetime) -> dict[str, Any]:
    """Return what the statements ask for: the tracker's teams with their zones, and the span of weeks."""
    zones = available_timezones()
    teams = list(
        WorkTeam.objects.live()
        .filter(connection__is_active=True)
        .values_list("connection_id", "external_id", "team_id", "time_zone", "estimation")
    )
    bugs = Metric.objects.filter(key="bug-ratio").values_list("settings", flat=True).first() or {}
    return {
        "connections": [row[0] for row in teams],
        "refs": [row[1] for row in teams],
        "teams": [row[2] for row in teams],
        "zones": [row[3] if row[3] in zones else settings.COMPANY_TIME_ZONE for row in teams],
        "pointed": [row[4] not in ESTIMATES_OFF for row in teams],
        "bugs": [str(name).lower() for name in bugs.get("labels", ["bug"])],
        "read": list(Connection.objects.filter(is_active=True).values_list("pk", flat=True)),
        "first": first,
        "past": past,
        "week": first,
        "now": now,
        "today": now.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date(),
    }


def first_week() -> date | None:
    """Return the day of the first item known, at most three years back: where a full computation begins."""
    opened = WorkItem.objects.live().aggregate(at=Min("opened_at"))["at"]
    return max(opened.date(), timezone.localdate() - timedelta(weeks=156)) if opened else None
