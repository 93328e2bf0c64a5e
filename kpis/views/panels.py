"""A chart with all that stands around it: its sentence, its table, its words."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from hub.core.templatetags.ui import number, percent, short_day
from kpis import charts, queries
from kpis.models import Metric
from kpis.queries import Figure, Point


@dataclass(frozen=True)
class Row:
    """One week in a chart's table."""

    week: str
    value: str
    n: str
    coverage: str


@dataclass(frozen=True)
class Panel:
    """A chart with all that stands around it (`components/chart.html`)."""

    title: str
    says: str
    label: str
    no_data: str
    foot: str
    csv: str
    chart: charts.Chart
    rows: tuple[Row, ...]


def panel(figure: Figure, *, marks: list[charts.Mark] | None = None, width: int = 860) -> Panel:
    """Draw a figure's weeks, and say in a sentence what there is to see."""
    metric, points = figure.metric, figure.points
    as_bars = metric.kind == Metric.Kind.COUNT
    language = get_language() or ""
    said = [(point, _day(point.week, language), _shown(metric, point)) for point in points]
    readings = [
        charts.Reading(point.week, point.value, _words(metric, point, day, value, language))
        for point, day, value in said
    ]
    places = metric.decimals if metric.unit != Metric.Unit.PERCENT else 0
    known = [point for point in points if point.value is not None]
    last = queries.full(metric, known[-1].value) if known else ""
    drawing = charts.chart(
        readings,
        figure=lambda value: _tick(metric, value, places),
        month=lambda day: _month(day, language),
        no_data=_("no data"),
        lines=_lines(figure),
        marks=marks or [],
        as_bars=as_bars,
        connects=queries.is_of_cycles(metric),
        last=last,
        width=width,
    )
    start, end = points[0].week, points[-1].week + timedelta(days=6)
    query = {"weeks": len(points)} | ({"team": figure.team.slug} if figure.team else {})
    foot = _("By week, to %(day)s.") % {"day": short_day(end).removesuffix(".")}  # in French months end in one, too
    if drawing.starts_at is not None:
        start_text = _tick(metric, drawing.starts_at, places) + queries.unit(metric, drawing.starts_at)
        foot += " " + _("The axis starts at %(figure)s.") % {"figure": start_text}
    label = _("%(metric)s by week, %(start)s to %(end)s.") % {
        "metric": metric, "start": date_format(start, "DATE_FORMAT"), "end": date_format(end, "DATE_FORMAT"),
    }  # fmt: skip
    says = sentence(figure)
    return Panel(
        title=str(metric),
        says=says,
        label=f"{label} {says}",
        no_data=_("no data"),
        foot=foot,
        csv=reverse("kpis:metric_csv", args=[metric.key]) + f"?{urlencode(query)}",
        chart=drawing,
        rows=tuple(
            Row(
                day,
                value,
                "" if point.n is None or point.is_too_few else number(point.n),
                "" if point.coverage is None else percent(point.coverage),
            )
            for point, day, value in reversed(said)
        ),
    )


@lru_cache(maxsize=2048)
def _day(day: date, _language: str) -> str:
    """Write a day out; the charts of a page have the same weeks."""
    return date_format(day, "DATE_FORMAT")


@lru_cache(maxsize=2048)
def _month(day: date, _language: str) -> str:
    return date_format(day, "N")


def _shown(metric: Metric, point: Point) -> str:
    """Write a week's value; where only a cycle's end brings one, say that none ended."""
    if point.is_too_few:
        return _("too few")
    if point.value is None and queries.is_of_cycles(metric):
        return _("no cycle ended")
    return queries.full(metric, point.value)


def _tick(metric: Metric, value: float, places: int) -> str:
    """Write a figure of the axis: as short as it can be without a lie."""
    shown = value * 100 if metric.unit == Metric.Unit.PERCENT else value
    return number(shown, 0 if abs(shown - round(shown)) < 1e-9 else max(1, places))


def _lines(figure: Figure) -> list[charts.Line]:
    """Return the target's line, or both edges of its band."""
    metric, target = figure.metric, figure.target
    if target is None:
        return []
    if target.upper is None:
        text = queries.target_text(metric, target)
        return [charts.Line(target.value, _("Target %(target)s") % {"target": text}, text)]
    low = queries.aim(metric, target.value) + queries.unit(metric, target.value)
    high = queries.aim(metric, target.upper) + queries.unit(metric, target.upper)
    return [
        charts.Line(target.value, _("From %(target)s") % {"target": low}, low),
        charts.Line(target.upper, _("To %(target)s") % {"target": high}, high),
    ]


@lru_cache(maxsize=2048)
def _cases(n: int, _language: str) -> str:
    """Say from how many cases a value comes; the weeks of a team have alike counts."""
    return ngettext(", from %(n)s case", ", from %(n)s cases", n) % {"n": number(n)}


def _words(metric: Metric, point: Point, day: str, value: str, language: str) -> str:
    """Say one week aloud; `day` and `value` are its first day and its value as the table writes them."""
    if point.is_too_few:
        return _("Week of %(day)s: too few cases to show") % {"day": day}
    if point.value is None and queries.is_of_cycles(metric):
        return _("Week of %(day)s: no cycle ended") % {"day": day}
    if point.value is None:
        return _("Week of %(day)s: not measured") % {"day": day}
    text = _("Week of %(day)s: %(value)s") % {"day": day, "value": value}
    if point.n and metric.kind != Metric.Kind.COUNT:
        text += _cases(point.n, language)
    return text


def sentence(figure: Figure) -> str:
    """Say what the chart shows: the latest value, how it stands to its target, and a run of weeks in one direction."""
    metric, latest = figure.metric, figure.latest
    if latest is None or latest.value is None:
        return queries.missing_text(figure)
    values = {"value": queries.full(metric, latest.value), "day": date_format(latest.week, "DATE_FORMAT")}
    said = _("%(value)s in the week of %(day)s.") % values
    target = figure.target
    if target is not None:
        edge = target.value if target.upper is None or latest.value < target.value else target.upper
        gap = latest.value - edge
        values |= {
            "gap": queries.difference(metric, abs(gap), signed=False),
            "target": queries.target_text(metric, target),
        }
        inside = target.upper is not None and target.value <= latest.value <= target.upper
        if inside:
            said = _("%(value)s in the week of %(day)s, inside its band of %(target)s.") % values
        elif gap > 0:
            said = _("%(value)s in the week of %(day)s, %(gap)s above its target of %(target)s.") % values
        elif gap < 0:
            said = _("%(value)s in the week of %(day)s, %(gap)s under its target of %(target)s.") % values
        else:
            said = _("%(value)s in the week of %(day)s, right on its target.") % values
    until = [point.value for point in figure.points if point.week <= latest.week]
    of_cycles = queries.is_of_cycles(metric)
    run = _run([value for value in until if value is not None] if of_cycles else until)
    if of_cycles and abs(run) >= 3:
        said += " " + (
            ngettext("It rose %(count)s cycle in a row.", "It rose %(count)s cycles in a row.", run)
            if run > 0
            else ngettext("It fell %(count)s cycle in a row.", "It fell %(count)s cycles in a row.", -run)
        ) % {"count": abs(run)}
    elif run >= 3:
        said += " " + ngettext("It rose %(count)s week in a row.", "It rose %(count)s weeks in a row.", run) % {
            "count": run
        }
    elif run <= -3:
        said += " " + ngettext("It fell %(count)s week in a row.", "It fell %(count)s weeks in a row.", -run) % {
            "count": -run
        }
    return said


def _run(values: list[float | None]) -> int:
    """Return for how many steps the values rose (positive) or fell (negative) up to the last."""
    run = 0
    for later, earlier in zip(reversed(values), list(reversed(values))[1:], strict=False):
        if later is None or earlier is None or later == earlier:
            break
        step = 1 if later > earlier else -1
        if run and (run > 0) != (step > 0):
            break
        run += step
    return run
