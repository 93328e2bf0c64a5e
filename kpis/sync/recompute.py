"""Computing the observations anew. Nothing changed: no row is written. Something changed: the old value is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from connectors.models import (
    AccountDay,
    Connection,
    DailySnapshot,
    Document,
    Feedback,
    FeedbackLink,
    PersonAccount,
    ProductItem,
    ProductLink,
    StateSpan,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkProject,
    WorkState,
    WorkTeam,
)
from kpis.formulas import seat_prices
from kpis.models import Metric, Observation

from .families import FAMILIES, Family, Reads, board, states_of, tracker
from .statements import merge as merging

READ = (
    WorkItem, StateSpan, Transition, WorkCycle, WorkState, WorkLabel, WorkTeam, WorkProject, PersonAccount, Feedback,
    FeedbackLink, ProductItem, ProductLink, AccountDay, DailySnapshot, Document,
)  # fmt: skip
WEEKS_REREAD = 9  # a late edit reaches back two cycles and more
YEARS_BACK = 3
ESTIMATES_OFF = ("", "notUsed")
HYGIENE = "features-hygiene"  # the metric that keeps which states are under way
STATUSES = ("planned", "in progress")  # of features under way, until Product Ops names others
DELIVERED = ("delivered", "released", "done")  # and of those that are out
TITLES = ("product manager", "product designer", "product owner", "user researcher")


@dataclass(frozen=True)
class Written:
    """What a computation changed: values new or restated, and those that are no more."""

    written: int = 0
    restated: int = 0
    gone: int = 0


def monday(day: date) -> date:
    """Return the first day of the ISO week of `day`."""
    return day - timedelta(days=day.weekday())


def read_until(reads: Iterable[Reads]) -> datetime | None:
    """Return the moment up to which every source was read; None where one was never read to its end."""
    moments: list[datetime] = []
    for one in reads:
        states = states_of(one)
        if {state.stream for state in states} != set(one.streams):
            return None
        for state in states:
            if state.last_success_at is None:
                return None
            moments.append(state.last_success_at)
    return min(moments)


@transaction.atomic
def recompute(
    *,
    first: date | None = None,
    now: datetime | None = None,
    reason: str = "source",
    after: Connection | None = None,
) -> Written:
    """Compute metrics for the weeks from `first` to the present one; all of them, or those a sync of `after` can change.

    Without `first`, nine weeks are read again, and the whole past of what was never computed before. `now` is the
    moment up to which the sources were read; it is looked up where it isn't given. A family of metrics whose streams
    were never read to the end is left alone: not measured is not zero.
    """
    today = timezone.localdate()
    past = monday(today) + timedelta(days=7)
    total = Written()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x4B501])  # one computation at a time
        cursor.execute(merging.STAGE)
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL jit = off")  # compiling these statements takes longer than running them
        count_rows(cursor)
        known = set(Observation.objects.values_list("metric__key", flat=True).order_by().distinct())
        chosen = choices()
        for family in FAMILIES:
            if after is not None and not family.follows(after):
                continue
            read_at = now or read_until(family.reads)
            if read_at is None:
                continue
            given = chosen | times(first=start_of(family, first, known, read_at), past=past, now=read_at)
            cursor.execute("TRUNCATE kpis_stage")
            cursor.execute(f"INSERT INTO kpis_stage {family.statement}", given)  # our own statements
            total = merge(cursor, family.keys, given, total, reason)
    return total


def start_of(family: Family, first: date | None, known: set[str], read_at: datetime) -> date:
    """Return the first week to compute a family for."""
    if family.is_of_now:
        return monday(read_at.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date())
    if first is None and known.isdisjoint(family.keys):
        first = first_week()
    return monday(first or timezone.localdate() - timedelta(weeks=WEEKS_REREAD))


def count_rows(cursor: Any) -> None:
    """Gather statistics of tables that have none, as after a first sync: without them plans take minutes."""
    cursor.execute(merging.UNCOUNTED, [[model._meta.db_table for model in READ]])
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {table}")  # one of our own tables


def merge(cursor: Any, keys: tuple[str, ...], given: dict[str, Any], total: Written, reason: str) -> Written:
    """Write what differs from what is stored, the old values into the history first."""
    at = timezone.now()
    given = {**given, "at": at, "keys": list(keys), "reason": reason}
    cursor.execute(merging.KEEP, given)
    restated = cursor.rowcount
    cursor.execute(merging.KEEP_GONE, given)
    gone = cursor.rowcount
    cursor.execute(merging.WRITE, given)
    written = cursor.rowcount
    Metric.objects.filter(key__in=keys).update(read_at=given["now"], computed_at=at)
    return Written(total.written + written, total.restated + restated, total.gone + gone)


def parameters(*, first: date, past: date, now: datetime) -> dict[str, Any]:
    """Return what the statements ask for."""
    return choices() | times(first=first, past=past, now=now)


def times(*, first: date | None, past: date, now: datetime) -> dict[str, Any]:
    """Return the span of weeks, and the moment up to which the sources were read."""
    today = now.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date()
    return {"first": first, "past": past, "week": first, "now": now, "today": today}


def choices() -> dict[str, Any]:
    """Return the tracker's teams with their zones, the connections, and what was chosen. Three statements."""
    zones = available_timezones()
    trackers = tracker().services
    teams = list(
        WorkTeam.objects.live()
        .filter(connection__is_active=True, connection__service__in=trackers)
        .values_list("connection_id", "external_id", "team_id", "time_zone", "estimation")
    )
    read = list(Connection.objects.filter(is_active=True).values_list("pk", "service"))
    boards = board().services
    chosen: dict[str, Any] = dict(Metric.objects.exclude(settings={}).values_list("key", "settings"))
    prices, _currency = seat_prices(chosen.get("spend-at-risk", {}).get("prices", ()))
    return {
        "connections": [row[0] for row in teams],
        "refs": [row[1] for row in teams],
        "teams": [row[2] for row in teams],
        "zones": [row[3] if row[3] in zones else settings.COMPANY_TIME_ZONE for row in teams],
        "pointed": [row[4] not in ESTIMATES_OFF for row in teams],
        "bugs": _lower(chosen, "bug-ratio", "labels", ("bug",)),
        "statuses": statuses_under_way(chosen),
        "delivered": _lower(chosen, "feedback-to-ship", "delivered", DELIVERED),
        "released": _lower(chosen, "releases-on-time", "delivered", DELIVERED),
        "titles": [f"%{name}%" for name in _lower(chosen, "discovery-people", "titles", TITLES)],
        "boards_counter": str(chosen.get("boards-opened", {}).get("counter", "boardsOpened")),
        "notes_counter": str(chosen.get("note-changes", {}).get("counter", "noteStatesChanged")),
        "priced": list(prices),
        "prices": list(prices.values()),
        "efforts": list(chosen.get("effort-alignment", {}).get("efforts", ())),
        "evidence": int(chosen.get("evidence", {}).get("notes", 3)),
        "feedback_days": int(chosen.get("time-to-process", {}).get("days", 90)),
        "fresh_days": int(chosen.get("doc-freshness", {}).get("days", 90)),
        "policy_days": int(chosen.get("doc-freshness", {}).get("policy_days", 365)),
        "cadence_weeks": int(chosen.get("interview-cadence", {}).get("weeks", 13)),
        "read": [pk for pk, _service in read],
        "trackers": [pk for pk, service in read if service in trackers],
        "boards": [pk for pk, service in read if service in boards],
        "zone": settings.COMPANY_TIME_ZONE,
    }


def statuses_under_way(chosen: dict[str, Any]) -> list[str]:
    """Return the states, in lower case, that a feature under way is in; `chosen` holds the settings of metrics by key."""
    return _lower(chosen, HYGIENE, "statuses", STATUSES)


def _lower(chosen: dict[str, Any], key: str, name: str, otherwise: Iterable[str]) -> list[str]:
    """Return a list among a metric's parameters in lower case."""
    return [str(one).lower() for one in chosen.get(key, {}).get(name, otherwise)]


def first_week() -> date | None:
    """Return the day of the first thing known, at most three years back: where a full computation begins."""
    found = [
        model.objects.filter(deleted_at=None).aggregate(at=Min("opened_at"))["at"]
        for model in (WorkItem, Feedback, Document)
    ]
    opened = [moment.date() for moment in found if moment]
    return max(min(opened), timezone.localdate() - timedelta(weeks=52 * YEARS_BACK)) if opened else None
