"""Values that come from outside: judged row by row, stored beside the past they replace. One way in for all."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from hub.people.models import Team, User
from kpis.models import Delivery, Metric, Observation
from kpis.models.intake import REFUSALS_KEPT
from kpis.sync.judging import Grounds, Judged, Refusal, judge
from kpis.sync.statements import merge

DELIVERIES_KEPT = timedelta(days=90)

Row = Mapping[str, Any]
Place = tuple[int, int | None, date]


class Status(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What becomes of one row. `was` is the value it replaces; None where there was none."""

    index: int
    status: Status
    refusal: Refusal | None = None
    judged: Judged | None = None
    was: float | None = None
    is_restated: bool = False


@dataclass(frozen=True)
class Recorded:
    """What became of all rows, in their order, and the delivery that keeps it."""

    outcomes: list[Outcome]
    delivery: Delivery

    def count(self, status: Status) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)


def plan(rows: Sequence[Row], *, source: str, allowed: Collection[str] | None = None) -> list[Outcome]:
    """Return what `record` would do to each row. Nothing is written.

    A row is a mapping of `metric` (key), `week` (a Monday, or 2026-W10), `team` (slug; empty: the company), `value`,
    `num`, `den`, `n`, `coverage`: numbers, or text that `float` reads. `source` is a `Metric.SourceKind`; only metrics
    of that kind are taken, and of them those whose key is in `allowed` where it is given.
    """
    return _weighed(rows, source, allowed, Metric.objects.all())


@transaction.atomic
def record(
    rows: Sequence[Row],
    *,
    source: str,
    by: User | None,
    through: str = "",
    allowed: Collection[str] | None = None,
    read_at: datetime | None = None,
) -> Recorded:
    """Store the rows that keep their metric's contract, and say of each what became of it.

    The good rows of a delivery are stored even where others are refused. A value that differs from what is stored goes
    over it, and the old one into the history; an equal one is left alone. `through` names the token, file or database.
    `read_at` is the moment up to which the source knew; now where it isn't given. Safe to run twice.
    """
    keys = {str(row.get("metric") or "").strip() for row in rows}
    # The rows of metrics are locked in one order: two deliveries of one metric take turns, and never block each other.
    locked = Metric.objects.select_for_update().filter(key__in=keys, source_kind=source).order_by("pk")
    mine = {metric.pk for metric in locked}
    outcomes = _weighed(rows, source, allowed, Metric.objects.filter(key__in=keys))
    at = timezone.now()
    taken = [outcome.judged for outcome in outcomes if outcome.judged and outcome.status == Status.ACCEPTED]
    touched = {outcome.judged.metric.pk for outcome in outcomes if outcome.judged} & mine
    _write(taken, at=at, read_at=read_at or at)
    Metric.objects.filter(pk__in=touched).update(read_at=read_at or at, computed_at=at)
    counts = Counter(outcome.status for outcome in outcomes)
    delivery = Delivery.objects.create(
        source=source,
        through=through[:200],
        by=by,
        recorded_at=at,
        metrics=sorted({outcome.judged.metric.key for outcome in outcomes if outcome.judged}),
        accepted=counts[Status.ACCEPTED],
        unchanged=counts[Status.UNCHANGED],
        refused=counts[Status.REFUSED],
        refusals=[{"index": outcome.index, **outcome.refusal.kept()} for outcome in outcomes if outcome.refusal][
            :REFUSALS_KEPT
        ],
    )
    return Recorded(outcomes, delivery)


def forget_deliveries(*, now: datetime) -> int:
    """Delete what is known of deliveries that came long ago; their values stay. A busy token brings 86,400 a day."""
    return Delivery.objects.filter(recorded_at__lt=now - DELIVERIES_KEPT).delete()[0]


def _weighed(rows: Sequence[Row], source: str, allowed: Collection[str] | None, among: Any) -> list[Outcome]:
    grounds = Grounds(
        source=source,
        metrics={metric.key: metric for metric in among},
        teams={team.slug: team for team in Team.objects.all()} if any(row.get("team") for row in rows) else {},
        today=timezone.localdate(),
        allowed=None if allowed is None else frozenset(allowed),
    )
    judged = [judge(row, grounds) for row in rows]
    stored = _stored([one for one in judged if isinstance(one, Judged)])
    first: dict[Place, int] = {}
    outcomes = []
    for index, one in enumerate(judged):
        if isinstance(one, Refusal):
            outcomes.append(Outcome(index, Status.REFUSED, refusal=one))
        elif one.place in first:
            outcomes.append(Outcome(index, Status.REFUSED, refusal=Refusal("twice", {"row": first[one.place]})))
        else:
            first[one.place] = index
            outcomes.append(_compared(index, one, stored.get(one.place)))
    return outcomes


def _stored(judged: Sequence[Judged]) -> dict[Place, Observation]:
    """Return what is known where the rows would go."""
    if not judged:
        return {}
    weeks = [one.week for one in judged]
    found = Observation.objects.filter(
        metric__in={one.metric.pk for one in judged}, week__gte=min(weeks), week__lte=max(weeks)
    )
    return {(row.metric_id, row.team_id, row.week): row for row in found}


def _compared(index: int, judged: Judged, row: Observation | None) -> Outcome:
    made = Outcome(index, Status.ACCEPTED, judged=judged)
    if row is None:
        return made
    is_same = row.n == judged.n and all(
        _same(getattr(row, name), getattr(judged, name)) for name in ("value", "num", "den", "coverage")
    )
    return replace(
        made, status=Status.UNCHANGED if is_same else Status.ACCEPTED, was=row.value, is_restated=not is_same
    )


def _same(stored: float | None, given: float | None) -> bool:
    """Tell whether two values are equal, as `merge.SAME` does: nine places after the point."""
    if stored is None or given is None:
        return stored is given
    return round(stored, 9) == round(given, 9)


def _write(taken: Sequence[Judged], *, at: datetime, read_at: datetime) -> None:
    """Store the rows by the statements that a computation ends with: the old values into the history first."""
    if not taken:
        return
    given: dict[str, Any] = {"at": at, "now": read_at, "zone": settings.COMPANY_TIME_ZONE, "reason": "source"}
    with connection.cursor() as cursor:
        cursor.execute(merge.STAGE)
        cursor.execute("TRUNCATE kpis_stage")
        with cursor.copy("COPY kpis_stage (key, team_id, week, value, num, den, n, coverage) FROM STDIN") as copy:
            for one in taken:
                team = one.team.pk if one.team else None
                copy.write_row(
                    (one.metric.key, team, one.week, one.value, one.num, one.den, one.n, one.coverage)
                )  # fmt: skip
        cursor.execute(merge.KEEP, given)
        cursor.execute(merge.WRITE, given)
        cursor.execute("TRUNCATE kpis_stage")
