"""Figures, targets and what is missing, in the reader's language."""

from functools import cache

from django.utils.translation import get_language, gettext_lazy, ngettext, npgettext, pgettext
from django.utils.translation import gettext as _

from hub.core.templatetags.ui import number
from kpis.formulas import Status, seat_prices
from kpis.models import Comment, Metric, Target

from .figure import Figure, is_of_cycles, least_shown

STATES = {
    Status.NOT_MEASURED: gettext_lazy("Not measured"),
    Status.TOO_FEW: gettext_lazy("Too few"),
    Status.STALE: gettext_lazy("Stale"),
    Status.OFF_TRACK: gettext_lazy("Off target"),
    Status.AT_RISK: gettext_lazy("At risk"),
    Status.ON_TRACK: gettext_lazy("On target"),
    Status.NO_TARGET: gettext_lazy("No target"),
}


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
