"""How the sources stand, as the shell around every page wants to know it, and what was kept of a day."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import JSONObject
from django.utils import timezone

from connectors.base import FailureClass
from connectors.models import Connection, DailySnapshot, PersonAccount

STALE_AFTER = timedelta(days=2)  # two periods without a good run


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


def standing(now: datetime | None = None, *, counts_unmatched: bool = False) -> Standing:
    """Tell how the sources stand, by what is stored and not by what the clock says it did. One query.

    Accounts are counted only where asked for: once for all connections, without a join to them.
    """
    now = now or timezone.now()
    loose = PersonAccount.objects.filter(deleted_at=None, is_active=True, match=PersonAccount.Match.UNMATCHED)
    by_connection = loose.order_by().values("connection").annotate(count=Count("pk"))
    waiting = ArraySubquery(by_connection.values(row=JSONObject(connection="connection", count="count")))
    rows = Connection.objects.filter(is_active=True).annotate(
        oldest=Min("streams__last_success_at"),
        latest=Max("streams__last_success_at"),
        count=Count("streams"),
        never=Count("streams", filter=Q(streams__last_success_at=None)),
        good=Count("streams", filter=Q(streams__failure__in=("", FailureClass.STREAM_UNAVAILABLE))),
    )
    known = ["pk", "auth", "oldest", "latest", "count", "never", "good"]
    if counts_unmatched:
        rows, known = rows.annotate(waiting=waiting), [*known, "waiting"]
    as_of, total, fresh, failing, unmatched = None, 0, 0, 0, 0
    for pk, auth, oldest, latest, count, never, good, *waits in rows.order_by().values_list(*known):
        total += 1
        if latest is not None and (as_of is None or latest > as_of):
            as_of = latest
        fresh += oldest is not None and not never and now - oldest <= STALE_AFTER
        failing += auth != Connection.Auth.OK or good < count  # what the plan leaves out is no failure
        unmatched += sum(row["count"] for rows_waiting in waits for row in rows_waiting if row["connection"] == pk)
    return Standing(Freshness(as_of, fresh, total), failing, unmatched)


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
