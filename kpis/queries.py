"""What the pages show of the numbers: figures, tiles, restatements. Few statements, whatever the number of teams."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext, npgettext, pgettext
from django.utils.translation import gettext as _

from connectors import registry
from connectors.models import WorkTeam
from hub.activity.models import Event
from hub.core.templatetags.ui import number, short_day
from hub.people.models import Team, User
from hub.people.permissions import require

from .formulas import Status, is_worse, seat_prices, status_against
from .models import Comment, Metric, Observation, ObservationHistory, Target
from .parameters import said

RANGES = (13, 26, 52)
TREND_WEEKS = 13
WEEK = timedelta(days=7)
LATEST_WITHIN = 4  # weeks: a value older than that is not today's
CYCLE_WITHIN = 9  # the same where only the end of a cycle brings a value; a cycle lasts up to eight
COMPARED_WITH = 4  # weeks before
SMALL_GROUP = 5  # people: figures about fewer are not shown by team
MOST_HEADLINES = 9

TONES = {
    Status.NOT_MEASURED: ("none", "none"),
    Status.TOO_FEW: ("none", "none"),
    Status.STALE: ("stale", "warn"),
    Status.OFF_TRACK: ("bad", "bad"),
    Status.AT_RISK: ("warn", "warn"),
    Status.ON_TRACK: ("ok", "ok"),
    Status.NO_TARGET: ("plain", "neutral"),
}  # of a tile, of its badge
STATES = {
    Status.NOT_MEASURED: gettext_lazy("Not measured"),
    Status.TOO_FEW: gettext_lazy("Too few"),
    Status.STALE: gettext_lazy("Stale"),
    Status.OFF_TRACK: gettext_lazy("Off target"),
    Status.AT_RISK: gettext_lazy("At risk"),
    Status.ON_TRACK: gettext_lazy("On target"),
    Status.NO_TARGET: gettext_lazy("No target"),
}
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


@cache
def empty(week: date) -> Point:
    """Return the point of a week that nothing is known of; most weeks of most metrics share it."""
    return Point(week)


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


@dataclass(frozen=True)
class Tile:
    """One figure as a stat tile shows it (`components/stat.html`); every text is in the reader's language."""

    key: str
    url: str
    label: str
    value: str
    unit: str
    tone: str
    badge: str
    state: str
    status: Status
    change: str
    is_worse: bool  # the change went the wrong way
    span: str
    target: str
    trend: tuple[float | None, ...]
    target_value: float | None
    as_of: date | datetime | None
    as_of_text: str
    owner: str
    note: str

    @property
    def has_trend(self) -> bool:
        """Tell whether there is a line to draw: one value alone says nothing that the figure doesn't."""
        return sum(value is not None for value in self.trend) > 1


@dataclass(frozen=True)
class Restatement:
    """A value that was corrected: its week, what was shown before, what is known now, when and why."""

    week: date
    before: str
    after: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Redefinition:
    """A change of the definition: when, by whom, why, and the texts before and after."""

    at: datetime
    who: str
    why: str
    before: str
    after: str


def leadership_tiles(user: User) -> tuple[Tile, ...]:
    """Return the company's headline figures for `user`, at most nine, those off target first.

    Raises PermissionDenied for who may not see the leadership page.
    """
    require(user, "kpis.see_leadership")
    metrics = Metric.objects.shown().filter(is_headline=True)
    return tuple(tile(figure) for figure in worst_first(figures(metrics, with_comments=True))[:MOST_HEADLINES])


def team_tiles(team: Team) -> tuple[Tile, ...]:
    """Return every figure of `team`, in the order of the dictionary."""
    return tuple(tile(figure) for figure in figures(Metric.objects.shown(), team=team))


@dataclass(frozen=True)
class Trackers:
    """What the trackers' teams tell: the active teams they stand for, by name, and those without a known time zone."""

    teams: tuple[tuple[str, str], ...]  # address and name of each
    zoneless: tuple[tuple[int | None, str], ...]  # the team it stands for, the name in the tracker

    def without_zone(self, team: Team | None) -> list[str]:
        """Return the names, in the tracker, of what counts in this scope by the company's time zone."""
        return [name for team_id, name in self.zoneless if team is None or team_id == team.pk]


def trackers(team: Team | None = None) -> Trackers:
    """Look at the trackers' teams, or at those of one team. One statement, of the few columns that are told."""
    services = registry.reading("issues")
    rows = WorkTeam.objects.live().filter(connection__is_active=True, connection__service__in=services)
    rows = rows.order_by("name", "pk")
    read = (rows.filter(team=team) if team else rows).values_list(
        "name", "key", "time_zone", "team", "team__slug", "team__name", "team__is_active"
    )
    zones, teams, zoneless = known_zones(), set(), []
    for name, key, zone, team_id, slug, team_name, is_active in read:
        if is_active:
            teams.add((team_name, team_id, slug))
        if zone not in zones:
            zoneless.append((team_id, name or key))
    return Trackers(tuple((slug, name) for name, _pk, slug in sorted(teams)), tuple(zoneless))


@cache
def known_zones() -> frozenset[str]:
    """Return the names of time zones; reading them takes a walk through a folder."""
    return frozenset(available_timezones())


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
        metrics = metrics.select_related("owner").defer(*Metric.CONTRACT).order_by("position", "pk")
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
    points = tuple(_point(metric, team, last - back * WEEK, rows) for back in range(weeks - 1, -1, -1))
    within = CYCLE_WITHIN if is_of_cycles(metric) else LATEST_WITHIN
    recent = (point for point in reversed(points[-within:]) if point.n is not None)
    latest = next(recent, None)
    # A target counts for a team only where it says the same: a company's count is no team's aim.
    if target and team and target.team_id is None and metric.kind in (Metric.Kind.COUNT, Metric.Kind.STOCK):
        target = None
    return Figure(metric, team, points, latest, target, _status(metric, latest, target), comment)


def _point(metric: Metric, team: Team | None, week: date, rows: dict[date, Point]) -> Point:
    point = rows.get(week) or empty(week)
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


# ---------------------------------------------------------------- words


def amount(metric: Metric, value: float, *, signed: bool = False, places: int | None = None) -> str:
    """Write a value without its unit, as the reader's language does; a ratio in percent."""
    places = metric.decimals if places is None else places
    shown = value * 100 if metric.unit == Metric.Unit.PERCENT else value
    text = number(abs(round(shown, places)), places)
    sign = "−" if round(shown, places) < 0 else "+" if signed and round(shown, places) > 0 else ""
    return sign + text


def unit(metric: Metric, value: float) -> str:
    """Return what stands after the figure, its space with it."""
    if metric.unit == Metric.Unit.MONEY:
        return f"\u00a0{seat_prices(metric.settings.get('prices', ()))[1]}"
    return _unit(metric.unit, 1 if abs(value) == 1 else 2, get_language())


@cache  # a chart says it for every week
def _unit(key: str, count: int, _language: str | None) -> str:
    match key:
        case Metric.Unit.PERCENT:
            return pgettext("after the figure", "%")
        case Metric.Unit.DAYS:
            word = ngettext("day", "days", count)
        case Metric.Unit.ITEMS:
            word = ngettext("item", "items", count)
        case Metric.Unit.NOTES:
            word = ngettext("note", "notes", count)
        case Metric.Unit.INTERVIEWS:
            word = ngettext("interview", "interviews", count)
        case Metric.Unit.PAGES:
            word = npgettext("unit", "page", "pages", count)
        case Metric.Unit.OBJECTIVES:
            word = ngettext("objective", "objectives", count)
        case Metric.Unit.KEY_RESULTS:
            word = ngettext("key result", "key results", count)
        case Metric.Unit.FEATURES:
            word = npgettext("unit", "feature", "features", count)
        case Metric.Unit.DECISIONS:
            word = npgettext("unit", "decision", "decisions", count)
        case Metric.Unit.TIMES:
            word = npgettext("unit", "time", "times", count)
        case _:
            word = ngettext("seat", "seats", count)
    return f"\u00a0{word}"


def full(metric: Metric, value: float | None) -> str:
    """Write a value with its unit; None is "not measured"."""
    return _("not measured") if value is None else amount(metric, value) + unit(metric, value)


def difference(metric: Metric, value: float, *, signed: bool = True) -> str:
    """Write a difference of two values; of two percentages in points."""
    if metric.unit == Metric.Unit.PERCENT:
        return _("%(figure)s pt") % {"figure": amount(metric, value, signed=signed)}
    return amount(metric, value, signed=signed) + unit(metric, value)


def aim(metric: Metric, value: float) -> str:
    """Write a target's figure, round ones without decimals."""
    shown = value * 100 if metric.unit == Metric.Unit.PERCENT else value
    places = 0 if abs(shown - round(shown)) < 1e-9 else max(1, metric.decimals)
    return amount(metric, value, places=places)


def target_text(metric: Metric, target: Target) -> str:
    """Write what is aimed at: a figure, or a band."""
    if target.upper is not None:
        high = aim(metric, target.upper) + unit(metric, target.upper)
        return _("%(low)s to %(high)s") % {"low": aim(metric, target.value), "high": high}
    return aim(metric, target.value) + unit(metric, target.value)


def aim_text(metric: Metric, target: Target) -> str:
    """Write a target as what is asked: “at most 5 days” says by itself which side is the good one."""
    if target.upper is not None:
        high = aim(metric, target.upper) + unit(metric, target.upper)
        return _("between %(low)s and %(high)s") % {"low": aim(metric, target.value), "high": high}
    values = {"target": target_text(metric, target)}
    if metric.direction == Metric.Direction.UP:
        return _("at least %(target)s") % values
    if metric.direction == Metric.Direction.DOWN:
        return _("at most %(target)s") % values
    return _("target %(target)s") % values


def note_text(metric: Metric, comment: Comment) -> str:
    """Write a comment as a tile has it; who speaks is named, unless it is the owner, who stands below."""
    if comment.author is None or comment.author_id == metric.owner_id:
        return comment.text
    return _("%(who)s: %(text)s") % {"who": comment.author.name, "text": comment.text}


def state_text(status: Status) -> str:
    """Return a state in words."""
    return str(STATES[status])


def missing_text(figure: Figure) -> str:
    """Say why there is no value, and what would bring one."""
    if figure.status == Status.TOO_FEW and figure.latest:
        least, n = least_shown(figure.metric, figure.team), figure.latest.n or 0
        return ngettext(
            "%(n)s case; shown from %(least)s up.", "%(n)s cases; shown from %(least)s up.", n
        ) % {"n": n, "least": least}  # fmt: skip
    if figure.metric.read_at is None:
        return first_value_text(figure.metric)
    if is_of_cycles(figure.metric):
        return _("No cycle to compute it from ended in the last nine weeks.")
    return _("Nothing to compute it from in the last four weeks.")


def first_value_text(metric: Metric) -> str:
    """Say what brings the first value, by who writes them."""
    if metric.source_kind == Metric.SourceKind.PUSHED:
        return _("Nothing was pushed yet. A system with a token can send the first value.")
    if metric.source_kind == Metric.SourceKind.UPLOADED:
        return _("Nothing was uploaded yet. A file of observations brings the first value.")
    if metric.source_kind == Metric.SourceKind.SQL:
        return _("Nothing was read yet. A technical admin writes the query that brings the first value.")
    return _("Connect %(source)s; the first sync brings it.") % {"source": metric.source}


def tile(figure: Figure) -> Tile:
    """Say a figure as a tile does."""
    metric, latest, before = figure.metric, figure.latest, figure.before
    tone, badge = TONES[figure.status]
    value = latest.value if latest else None
    change = span = ""
    turned_worse = False
    as_of: date | datetime | None = None
    if value is not None and latest is not None:
        if before is not None and before.value is not None:
            change = difference(metric, value - before.value)
            span = _("in 4 weeks")
            low, high = (goal.value, goal.upper) if (goal := figure.target) else (None, None)
            turned_worse = is_worse(value, before.value, direction=metric.direction, target=low, upper=high)
        as_of = latest.read_at if is_of_a_moment(metric) and latest.read_at else latest.week + timedelta(days=6)
        if figure.status == Status.STALE:
            change, span = "", _("Last good value")
    else:
        span = missing_text(figure)
    url = metric.get_absolute_url() + (f"?team={figure.team.slug}" if figure.team else "")
    return Tile(
        key=metric.key,
        url=url,
        label=str(metric),
        value=state_text(figure.status) if value is None else amount(metric, value),
        unit="" if value is None else unit(metric, value),
        tone=tone,
        badge=badge,
        state="" if value is None or figure.status == Status.NO_TARGET else state_text(figure.status),
        status=figure.status,
        change=change,
        is_worse=turned_worse,
        span=span,
        target="" if value is None else aim_text(metric, figure.target) if figure.target else _("no target"),
        trend=tuple(
            point.value for point in figure.points[-TREND_WEEKS:] if point.value is not None or not is_of_cycles(metric)
        ),
        target_value=figure.target.value if figure.target else None,
        as_of=as_of,
        as_of_text=short_day(as_of) if as_of else "",
        owner=metric.owner.name if metric.owner else "",
        note=note_text(metric, figure.comment) if figure.comment else "",
    )


# ---------------------------------------------------------------- a metric's past


def restatements(metric: Metric, team: Team | None, limit: int = 10) -> list[Restatement]:
    """Return values that changed after their week was over, newest correction first. One statement."""
    now = Observation.objects.filter(metric=metric, team=team, week=OuterRef("week"))
    rows = (
        ObservationHistory.objects.filter(metric=metric, team=team)
        .exclude(reason=ObservationHistory.Reason.PARTIAL)
        .annotate(value_now=Subquery(now.values("value")), n_now=Subquery(now.values("n")))
        .order_by("-superseded_at", "-week", "-pk")[:limit]
    )

    def shown(value: float | None, n: int | None) -> str:
        if n is None:
            return _("not measured")
        return _("too few") if n < least_shown(metric, team) else full(metric, value)

    return [
        Restatement(
            row.week, shown(row.value, row.n), shown(row.value_now, row.n_now), row.superseded_at,
            row.get_reason_display(),
        )
        for row in rows
    ]  # fmt: skip


def redefinitions(metric: Metric, field: str = "definition", limit: int = 10) -> list[Redefinition]:
    """Return how the definition changed, newest first, in the reader's language where it was written in it."""
    events = (
        Event.objects.filter(kind="kpis.metric", object_id=str(metric.pk), verb="redefined")
        .select_related("by")
        .order_by("-at", "-pk")[:limit]
    )
    found = []
    for event in events:
        pair = event.changes.get(field) or next(iter(event.changes.values()), ["", ""])
        before, after = (str(said(value)) if isinstance(value, dict) else str(value) for value in pair)
        found.append(Redefinition(event.at, str(event.by) if event.by else "", event.why, before, after))
    return found


def newest_read() -> datetime | None:
    """Return when the freshest metric's data was read; None before the first sync."""
    newest: datetime | None = Metric.objects.aggregate(at=Max("read_at"))["at"]
    return newest
