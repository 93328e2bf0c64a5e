"""How the sources stand, as the shell around every page wants to know it, and what was kept of a day."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection as database
from django.utils import timezone

from connectors.base import FailureClass
from connectors.models import Connection, DailySnapshot, PersonAccount
from hub.jobs.models import Job

STALE_AFTER = timedelta(days=2)  # two periods without a good run
MOST_COUNTED = 1000  # every page asks, and nobody needs to know whether it is 3,000 or 4,000
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
    unmatched: int  # accounts that belong to nobody we know; MOST_COUNTED stands for as many or more
    stuck_since: datetime | None = None  # the oldest work that is due and that nobody takes up


# One statement by hand: every page asks it, and putting it together from querysets took longer than answering it.
STANDING = """
    SELECT max(latest),
           count(*) FILTER (WHERE NOT is_unread AND oldest >= %(stale)s),
           count(*) FILTER (WHERE service <> %(file)s),
           count(*) FILTER (WHERE auth <> %(ok)s OR is_failing),
           (SELECT count(*) FROM (SELECT FROM connectors_personaccount
             WHERE %(counts_unmatched)s AND deleted_at IS NULL AND is_active AND match = %(unmatched)s
               AND connection_id = ANY (ARRAY (SELECT id FROM connectors_connection WHERE is_active))
             LIMIT %(most)s) AS waiting),
           (SELECT min(run_after) FROM jobs_job WHERE state = %(queued)s AND run_after < %(stuck)s)
      FROM (SELECT c.service, c.auth, min(s.last_success_at) AS oldest, max(s.last_success_at) AS latest,
                   bool_or(s.last_success_at IS NULL) AS is_unread,
                   coalesce(bool_or(s.failure <> ALL (%(no_failure)s)), false) AS is_failing
              FROM connectors_connection AS c LEFT JOIN connectors_streamstate AS s ON s.connection_id = c.id
             WHERE c.is_active GROUP BY c.id) AS source
"""


def standing(now: datetime | None = None, *, counts_unmatched: bool = False) -> Standing:
    """Tell how the sources stand, by what is stored and not by what the clock says it did. One query.

    Accounts are counted only where asked for.
    """
    now = now or timezone.now()
    asked: dict[str, Any] = {
        "stale": now - STALE_AFTER,
        "stuck": now - STUCK_AFTER,
        "file": Connection.FILE,
        "ok": Connection.Auth.OK,
        "no_failure": ["", FailureClass.STREAM_UNAVAILABLE],  # what the plan leaves out is no failure
        "counts_unmatched": counts_unmatched,
        "unmatched": PersonAccount.Match.UNMATCHED,
        "most": MOST_COUNTED,
        "queued": Job.State.QUEUED,
    }
    with database.cursor() as cursor:
        cursor.execute(STANDING, asked)
        as_of, fresh, total, failing, unmatched, stuck_since = cursor.fetchone()
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
