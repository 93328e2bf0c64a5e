"""Figures as stat tiles show them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from hub.core.templatetags.ui import short_day
from hub.people.models import Team, User
from hub.people.permissions import require
from kpis.formulas import Status, is_worse
from kpis.models import Metric

from .figure import TREND_WEEKS, Figure, figures, is_of_a_moment, is_of_cycles, worst_first
from .words import aim_text, amount, difference, missing_text, note_text, state_text, unit

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


@dataclass(frozen=True)
class Tile:
    """One figure as a stat tile shows it (`{% stats %}`); every text is in the reader's language."""

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


def trend(figure: Figure) -> tuple[float | None, ...]:
    """Return the values of the last weeks; a week in which no cycle ended is no gap in what cycles tell."""
    values = [point.value for point in figure.points[-TREND_WEEKS:]]
    return tuple([value for value in values if value is not None] if is_of_cycles(figure.metric) else values)


def tile(figure: Figure, why: str = "") -> Tile:
    """Say a figure as a tile does; `why` is the reason, where it is known, that it has no value."""
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
        span = why or missing_text(figure)
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
        trend=() if latest is None else trend(figure),
        target_value=figure.target.value if figure.target else None,
        as_of=as_of,
        as_of_text=short_day(as_of) if as_of else "",
        owner=metric.owner.name if metric.owner else "",
        note=note_text(metric, figure.comment) if figure.comment else "",
    )
