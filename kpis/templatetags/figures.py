"""The marks of the numbers: a chart in one size, a sparkline, a chart's table, the rows of a list of metrics."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from hub.core.templatetags.ui import avatar, badge, muted
from hub.core.text import drawn
from kpis import charts
from kpis.models import Metric
from kpis.queries import Tile

if TYPE_CHECKING:
    from kpis.views.panels import Row

register = template.Library()

LEAST_FOR_WORDS = 52  # units that a gap must be wide to name itself


@register.simple_tag
def spark(values: Sequence[float | None], target: float | None = None, css: str = "") -> SafeString:
    """Draw the last values small; the figures beside it say the same, so readers skip it."""
    one = charts.spark(values, target)
    marks = [
        drawn(
            '<svg class="{}" viewBox="0 0 96 32" width="96" height="32" aria-hidden="true">',
            [(f"spark {css}".strip(),)],
        ),
        drawn('<path class="spark__target" d="M2 {}H94"/>', [] if one.target is None else [(one.target,)]),
        drawn('<path class="spark__line" d="{}"/>', ((path,) for path in one.paths)),
        drawn('<circle class="spark__end" cx="{}" cy="{}" r="3.5"/>', [one.end] if one.end else []),
        "</svg>",
    ]
    return mark_safe("".join(marks))  # noqa: S308 each part escapes what it writes


@register.simple_tag
def drawing(one: charts.Drawing, css: str, label: str, no_data: str = "") -> SafeString:
    """Draw a chart in one size. Written here and not as a template: a dashboard has hundreds of marks."""
    frame = (
        f'<svg class="{{}}" viewBox="0 0 {one.width} {one.height}" role="img" aria-label="{{}}" tabindex="0"'
        " data-drawing>"
    )
    marks = [drawn(frame, [(css, label)]), *_marks(one, no_data), "</svg>"]
    return mark_safe("\n".join(filter(None, marks)))  # noqa: S308 each part escapes what it writes


def _marks(one: charts.Drawing, no_data: str) -> Iterator[SafeString]:
    """Write the marks of a drawing from the back to the front; the strips of the weeks lie on top."""
    left, right, top, bottom = one.left, one.right, one.top, one.bottom
    depth = bottom - top
    yield drawn(
        f'<path class="c-grid" d="M{left} {{1}}H{right}"/><text class="c-end" x="{{0}}" y="{{1}}" dy="4">{{2}}</text>',
        ((line.x, line.y, line.text) for line in one.grid),
    )
    yield drawn(f'<rect class="c-gap" x="{{0}}" y="{top}" width="{{1}}" height="{depth}"/>', one.gaps)
    yield drawn(
        f'<text class="c-mid" x="{{0}}" y="{bottom}" dy="-8">{{1}}</text>',
        ((middle, no_data) for _x, width, middle in one.gaps if no_data and width > LEAST_FOR_WORDS),
    )
    yield drawn(f'<path class="c-axis" d="M{left} {bottom}H{right}"/>', [()])
    yield drawn(
        f'<path class="c-axis" d="M{{0}} {bottom}v4"/><text class="c-mid" x="{{0}}" y="{{1}}">{{2}}</text>',
        ((tick.x, tick.y, tick.text) for tick in one.ticks),
    )
    yield drawn(
        '<rect class="c-bar{}" x="{}" y="{}" width="{}" height="{}"/>',
        ((" c-bar--first" if bar is one.bars[-1] else "", *bar) for bar in one.bars),
    )
    yield drawn(
        f'<path class="c-target" d="M{left} {{0}}H{right}"/>'
        f'<text class="c-strong" x="{right}" y="{{1}}" dx="10" dy="4">{{2}}</text>',
        ((line.y, line.label_y, line.text) for line in one.lines),
    )
    yield drawn(
        f'<path class="c-event" d="M{{0}} 26V{bottom}"/>'
        f'<path class="c-flag" d="M{{0}} {bottom}m0-5 5 5-5 5-5-5z"><title>{{1}}</title></path>'
        '<text class="{2}" x="{0}" y="20">{1}</text>',
        ((flag.x, flag.text, "c-end" if flag.is_left else "") for flag in one.flags),
    )
    yield drawn('<path class="c-line" d="{}"/>', ((path,) for path in one.paths))
    yield drawn('<circle class="c-point" cx="{}" cy="{}" r="3"/>', one.dots)
    if one.last:
        at_point = bool(one.paths) or not one.bars
        if at_point:
            yield drawn('<circle class="c-dot" cx="{}" cy="{}" r="5"/>', [(one.last.x, one.last.y)])
        yield drawn(
            '<text class="c-series" x="{}" y="{}" dx="10" dy="4">{}</text>',
            [(one.last.x if at_point else right, one.last.y, one.last.text)],
        )
    yield drawn(
        f'<rect class="c-slot" x="{{0}}" y="{top}" width="{{1}}" height="{depth}" data-says="{{2}}">'
        "<title>{2}</title></rect>",
        ((slot.x, slot.width, slot.words) for slot in one.slots),
    )


@register.simple_tag
def week_rows(rows: Sequence["Row"]) -> SafeString:
    """List a chart's weeks as the rows of its table."""
    return drawn(
        '<tr><td>{}</td><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>',
        ((row.week, row.value, row.n, row.coverage) for row in rows),
        between="\n",
    )


@register.simple_tag
def stats(tiles: Sequence[Tile]) -> SafeString:
    """Draw figures with their contracts, a card for each. Written here and not as a loop: a dashboard has sixty."""
    nobody = escape(_("No owner yet"))
    return mark_safe("\n".join(stat(tile, nobody) for tile in tiles))  # noqa: S308 every part escapes what it writes


def stat(tile: Tile, nobody: str) -> str:
    """Draw a figure with its change, target, state, last comment and owner."""
    parts = [
        f'<article class="stat stat--{tile.tone}">',
        f'<h2 class="stat__label"><a class="quiet-link" href="{escape(tile.url)}">{escape(tile.label)}</a></h2>',
        f'<p class="stat__value">{escape(tile.value)}{f"<small>{escape(tile.unit)}</small>" if tile.unit else ""}</p>',
    ]
    if tile.has_trend:
        parts.append(spark(tile.trend, tile.target_value, "stat__spark"))
    worse = " change--worse" if tile.is_worse else ""
    change = f'<span class="change{worse}">{escape(tile.change)}</span> ' if tile.change else ""
    parts.append(f'<p class="stat__delta">{change}{escape(tile.span)}</p>')
    if tile.target:
        parts.append(f'<p class="stat__target">{escape(tile.target)}</p>')
    if tile.state:
        parts.append(f'<p class="stat__state">{badge(tile.badge, tile.state, bare=True)}</p>')
    if tile.note:
        parts.append(f'<p class="stat__note">{escape(tile.note)}</p>')
    who = f"{avatar(tile.owner)} {escape(tile.owner)}" if tile.owner else nobody
    since = f'<time datetime="{day_or_moment(tile.as_of)}">{escape(tile.as_of_text)}</time>' if tile.as_of else ""
    parts.append(f'<footer class="stat__foot"><span>{who}</span><span>{since}</span></footer></article>')
    return "".join(parts)


def day_or_moment(at: date | datetime) -> str:
    return (timezone.localtime(at) if isinstance(at, datetime) else at).isoformat()


@register.simple_tag
def silent_lines(tiles: Sequence[Tile]) -> SafeString:
    """List the figures without a value, each with the reason. Written here: a team has dozens."""
    return drawn(
        '<li><span><a class="quiet-link" href="{}">{}</a><span class="lines__sub">{}</span></span>'
        '<span class="lines__end muted">{}</span></li>',
        ((tile.url, tile.label, tile.span, tile.value) for tile in tiles),
    )


@register.simple_tag
def metric_rows(rows: Sequence[tuple[Tile, Metric]]) -> SafeString:
    """List metrics as rows of a table. Written here and not as a loop: there are sixty, with seven cells each."""
    value, state = escape(_("Latest value")), escape(_("State"))
    texts = (
        f'<tr><th scope="row" class="kpis__name">{named(tile, metric)}</th>'
        f'<td class="num" data-label="{value}">{figure(tile)}</td>'
        f'<td class="opt-2">{small_trend(tile)}</td>'
        f"{standing(tile, state)}"
        f'<td class="opt-3">{owner(tile)}</td>'
        f'<td class="opt-2 num muted">{escape(tile.as_of_text)}</td></tr>'
        for tile, metric in rows
    )
    return mark_safe("\n".join(texts))  # noqa: S308 every cell escapes what it writes


def named(tile: Tile, metric: Metric) -> str:
    """Draw the metric's name with what it says in one line."""
    proposed = f"{escape(metric.get_status_display())} · " if metric.status == Metric.Status.PROPOSED else ""
    return (
        f'<a class="quiet-link table__main" href="{escape(tile.url)}">{escape(tile.label)}</a>'
        f'<span class="table__sub">{proposed}{escape(metric.summary_text)}</span>'
    )


def figure(tile: Tile) -> str:
    """Draw the latest value, or the word that stands for it."""
    if not tile.unit:
        return muted(tile.value)
    return f"<span><b>{escape(tile.value)}</b>{escape(tile.unit)}</span>"


def small_trend(tile: Tile) -> str:
    """Draw the last weeks, where there is one to draw."""
    if not tile.has_trend:
        return ""
    return f'<span class="stat--{tile.tone} kpis__spark">{spark(tile.trend, tile.target_value)}</span>'


def standing(tile: Tile, label: str) -> str:
    """Draw the two cells of how it stands to its target; why there is no value takes the place of both."""
    if not tile.unit:
        return f'<td class="small muted" colspan="2" data-label="{label}">{escape(tile.span)}</td>'
    said = badge(tile.badge, tile.state, bare=True) if tile.state else muted(_("No target"))
    target = "" if tile.target_value is None else escape(tile.target)
    return f'<td data-label="{label}">{said}</td><td class="opt-2 muted">{target}</td>'


def owner(tile: Tile) -> str:
    """Draw who answers for it."""
    if tile.owner:
        return f'<span class="who">{avatar(tile.owner)} {escape(tile.owner)}</span>'
    nobody = escape(_("Nobody yet"))
    return f'<span class="muted" aria-hidden="true">–</span><span class="visually-hidden">{nobody}</span>'
