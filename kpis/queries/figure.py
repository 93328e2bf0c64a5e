"""Metrics in a scope, week by week: a few statements, whatever the number of teams."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from hub.people.models import Team
from kpis.formulas import Status, status_against
from kpis.models import Comment, Metric, Observation, Target

RANGES = (13, 26, 52)
TREND_WEEKS = 13
WEEK = timedelta(days=7)
LATEST_WITHIN = 4  # weeks: a value older than that is not today's
CYCLE_WITHIN = 9  # the same where only the end of a cycle brings a value; a cycle lasts up to eight
COMPARED_WITH = 4  # weeks before
SMALL_GROUP = 5  # people: figures about fewer are not shown by team
LISTED = tuple(field.name for field in Metric._meta.concrete_fields if field.name not in Metric.CONTRACT)
URGENCY = (
    Status.OFF_TRACK, Status.AT_RISK, Status.STALE, Status.ON_TRACK, Status.NO_TARGET, Status.TOO_FEW,
    Status.NOT_MEASURED,
)  # fmt: skip


class Point(NamedTuple):
    """One week of a figure. `value` is None where nothing is known, or too little to be shown (`n` says how many)."""

    week: date
    value: float | None = None
    n: int | None = None
    coverage: float | None = None
    spread: float | None = None
    num: float | None = None
    den: float | None = None
    read_at: datetime | None = None
    is_too_few: bool = False


OBSERVED = ("value", "n", "coverage", "spread", "num", "den", "read_at")  # as a point has them, after its week


@dataclass(frozen=True)
class Figure:
    """A metric in one scope (`team` None: the company): its weeks, oldest first, its latest value, target and state."""

    metric: Metric
    team: Team | None
    points: tuple[Point, ...]
    latest: Point | None
    target: Target | None
    status: Status
    comment: Comment | None = None

    @property
    def before(self) -> Point | None:
        """The week to compare the latest one with, if it has a value."""
        if self.latest is None or self.latest.value is None:
            return None
        day = self.latest.week - COMPARED_WITH * WEEK
        return next((point for point in self.points if point.week == day and point.value is not None), None)


def worst_first(found: Iterable[Figure]) -> list[Figure]:
    """Order figures by how much they ask for attention, then as the dictionary does."""
    return sorted(found, key=lambda figure: (URGENCY.index(figure.status), figure.metric.position, figure.metric.pk))


def figures(
    metrics: Iterable[Metric], *, team: Team | None = None, weeks: int = TREND_WEEKS,
    charted: Collection[str] | None = None, with_comments: bool = False,
) -> list[Figure]:  # fmt: skip
    """Return each metric in one scope over its last `weeks` weeks: three statements, four with the latest comments.

    Where `charted` names some by their keys, the others come with the weeks of a trend. A queryset is put in the
    dictionary's order; metrics already read are taken as they are.
    """
    if isinstance(metrics, QuerySet):
        metrics = metrics.select_related("owner").only(*LISTED, "owner__name").order_by("position", "pk")
    rows = list(metrics)
    ids = [metric.pk for metric in rows]
    spans = {metric.pk: weeks if charted is None or metric.key in charted else TREND_WEEKS for metric in rows}
    read = min((metric.read_at for metric in rows if metric.read_at), default=None)
    newest = monday(timezone.localtime(read).date() if read else timezone.localdate())
    known = Observation.objects.filter(metric__in=ids, team=team, week__gte=newest - weeks * WEEK)
    if charted is not None:
        long = [pk for pk, span in spans.items() if span > TREND_WEEKS]
        known = known.filter(Q(week__gte=newest - TREND_WEEKS * WEEK) | Q(metric__in=long))
    stored: dict[int, dict[date, Point]] = defaultdict(dict)
    for metric_id, week, *rest in known.values_list("metric", "week", *OBSERVED):  # hundreds: no model for each
        stored[metric_id][week] = Point(week, *rest)
    aims = targets(ids, team)
    said: dict[int, Comment] = {}
    if with_comments:
        latest = Comment.objects.filter(metric__in=ids, team=team).order_by("metric", "-written_at", "-id")
        said = {comment.metric_id: comment for comment in latest.distinct("metric").select_related("author")}
    return [
        _figure(metric, team, stored[pk], aims.get(pk), weeks=spans[pk], comment=said.get(pk))
        for pk, metric in zip(ids, rows, strict=True)
    ]


def targets(metric_ids: Sequence[int], team: Team | None, on: date | None = None) -> dict[int, Target]:
    """Return the target in force of each metric: the team's own, else the company's. One statement."""
    day = on or timezone.localdate()
    scope = Q(team=None) | Q(team=team) if team else Q(team=None)
    found: dict[int, Target] = {}
    rows = Target.objects.filter(scope, metric__in=metric_ids, since__lte=day, withdrawn_at=None)
    for target in rows.order_by("since", "pk"):
        known = found.get(target.metric_id)
        if known is None or target.team_id or not known.team_id:
            found[target.metric_id] = target
    return found


def _figure(
    metric: Metric, team: Team | None, rows: dict[date, Point], target: Target | None, *, weeks: int,
    comment: Comment | None,
) -> Figure:  # fmt: skip
    """Put one metric's rows on its calendar and judge the latest."""
    last = last_week(metric)
    calendar = weeks_to(last, weeks)
    points = tuple([_point(metric, team, week, rows) for week in calendar]) if rows else unknown(calendar)
    within = CYCLE_WITHIN if is_of_cycles(metric) else LATEST_WITHIN
    recent = (point for point in reversed(points[-within:]) if point.n is not None)
    latest = next(recent, None)
    # A target counts for a team only where it says the same: a company's count is no team's aim.
    if target and team and target.team_id is None and metric.kind in (Metric.Kind.COUNT, Metric.Kind.STOCK):
        target = None
    return Figure(metric, team, points, latest, target, _status(metric, latest, target), comment)


@lru_cache(maxsize=64)
def weeks_to(last: date, count: int) -> tuple[date, ...]:
    """Return the first days of so many weeks, oldest first; the metrics of a page share a few."""
    return tuple(last - back * WEEK for back in range(count - 1, -1, -1))


@lru_cache(maxsize=64)
def unknown(weeks: tuple[date, ...]) -> tuple[Point, ...]:
    """Return the points of a metric without any value."""
    return tuple(Point(week) for week in weeks)


def _point(metric: Metric, team: Team | None, week: date, rows: dict[date, Point]) -> Point:
    point = rows.get(week) or Point(week)
    if point.n is not None and point.n < least_shown(metric, team):
        return Point(week, n=point.n, is_too_few=True, read_at=point.read_at)
    return point


def least_shown(metric: Metric, team: Team | None) -> int:
    """Return the fewest cases that are shown; a figure about people needs five of them in a team."""
    return max(metric.least, SMALL_GROUP) if metric.is_about_people and team else metric.least


def _status(metric: Metric, latest: Point | None, target: Target | None) -> Status:
    if latest is None:
        return Status.NOT_MEASURED
    if latest.value is None:
        return Status.TOO_FEW if latest.is_too_few else Status.NOT_MEASURED
    if metric.is_stale:
        return Status.STALE
    return status_against(
        latest.value, target.value if target else None, direction=metric.direction,
        upper=target.upper if target else None, amber_ratio=target.amber_ratio if target else 0.95,
    )  # fmt: skip


def monday(day: date) -> date:
    """Return the first day of the ISO week of `day`."""
    return day - timedelta(days=day.weekday())


def is_of_a_moment(metric: Metric) -> bool:
    """True for what holds at a moment (work under way, seats): the present week's value is as good as any."""
    return metric.is_of_now


def is_of_cycles(metric: Metric) -> bool:
    """True for what only the end of a cycle tells: a week in which none ended is no gap."""
    return "cycles" in metric.streams


def last_week(metric: Metric) -> date:
    """Return the week of the latest value: the present one for a stock, else the last one that was over when read."""
    present = monday(timezone.localtime(metric.read_at).date() if metric.read_at else timezone.localdate())
    return present if is_of_a_moment(metric) else present - WEEK


def newest_read() -> datetime | None:
    """Return when the freshest metric's data was read; None before the first sync."""
    newest: datetime | None = Metric.objects.aggregate(at=Max("read_at"))["at"]
    return newest
