"""How the sources stand, as the shell around every page wants to know it, and what was kept of a day."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, Min, Q, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from connectors.base import FailureClass
from connectors.models import Connection, DailySnapshot, PersonAccount
from hub.jobs.models import Job

STALE_AFTER = timedelta(days=2)  # two periods without a good run
STUCK_AFTER = timedelta(minutes=5)  # due work that nobody took up for so long: a worker, the clock or Redis is away


class Freshness(NamedTuple):
    """How fresh the hub's data is: the latest good read, and how many of its sources are fresh."""

    as_of: datetime | None
    fresh: int
    total: int


class Standing(NamedTuple):
    """How the sources stand, as the shell around every page tells it."""

    freshness: Freshness
    failing: int  # connections that need somebody's attention
    unmatched: int  # accounts that belong to nobody we know
    stuck_since: datetime | None = None  # the oldest work that is due and that nobody takes up


def standing(now: datetime | None = None, *, counts_unmatched: bool = False) -> Standing:
    """Tell how the sources stand, by what is stored and not by what the clock says it did. One query.

    Accounts are counted only where asked for: once for all connections, without a join to them.
    """
    now = now or timezone.now()
    loose = PersonAccount.objects.filter(deleted_at=None, is_active=True, match=PersonAccount.Match.UNMATCHED)
    by_connection = loose.order_by().values("connection").annotate(count=Count("pk"))
    waiting = ArraySubquery(by_connection.values(row=JSONObject(connection="connection", count="count")))
    stuck = Job.objects.filter(state=Job.State.QUEUED, run_after__lt=now - STUCK_AFTER).order_by("run_after")
    rows = Connection.objects.filter(is_active=True).annotate(
        stuck=Subquery(stuck.values("run_after")[:1]),
        oldest=Min("streams__last_success_at"),
        latest=Max("streams__last_success_at"),
        count=Count("streams"),
        never=Count("streams", filter=Q(streams__last_success_at=None)),
        good=Count("streams", filter=Q(streams__failure__in=("", FailureClass.STREAM_UNAVAILABLE))),
    )
    known = ["pk", "service", "stuck", "auth", "oldest", "latest", "count", "never", "good"]
    if counts_unmatched:
        rows, known = rows.annotate(waiting=waiting), [*known, "waiting"]
    as_of, stuck_since, total, fresh, failing, unmatched = None, None, 0, 0, 0, 0
    for pk, service, oldest_work, auth, oldest, latest, count, never, good, *waits in rows.order_by().values_list(
        *known
    ):
        total += service != Connection.FILE
        stuck_since = oldest_work  # the same in every row
        if latest is not None and (as_of is None or latest > as_of):
            as_of = latest
        fresh += oldest is not None and not never and now - oldest <= STALE_AFTER
        failing += auth != Connection.Auth.OK or good < count  # what the plan leaves out is no failure
        unmatched += sum(row["count"] for rows_waiting in waits for row in rows_waiting if row["connection"] == pk)
    return Standing(Freshness(as_of, fresh, total), failing, unmatched, stuck_since)


def freshness(now: datetime | None = None) -> Freshness:
    """Tell how fresh the sources are. One query."""
    return standing(now).freshness


def snapshot_on(connection: Connection, stream: str, day: date) -> dict[str, dict[str, Any]]:
    """Return what the kept values of each record were on a day: external id → values."""
    rows = (
        DailySnapshot.objects.filter(connection=connection, stream=stream, day__lte=day)
        .order_by("external_id", "-day")
        .distinct("external_id")
    )
    return dict(rows.values_list("external_id", "values"))
