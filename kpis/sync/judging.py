"""Judging values that come from outside by the contract of their metric. Pure: no query, nothing is written."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team
from kpis.models import Metric

FIELDS = ("metric", "week", "team", "value", "num", "den", "n", "coverage")
EARLIEST = date(2000, 1, 3)
MOST = 1e15  # beyond it a float no longer counts in ones
MOST_CASES = 2**31 - 1
ISO_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.ASCII)

# Codes are part of the push API: they never change. The sentences are for people.
REASONS: dict[str, str | Promise] = {
    "unknown_field": _("There is no field “%(field)s”. Fields are: %(fields)s."),
    "unknown_metric": _("There is no metric “%(metric)s”."),
    "metric_not_allowed": _("This token may not write “%(metric)s”."),
    "metric_retired": _("“%(metric)s” is retired: it takes no values any more."),
    "wrong_source": _("“%(metric)s” gets its values another way: %(kind)s."),
    "unknown_team": _("There is no team “%(team)s”."),
    "bad_week": _("“%(week)s” is no week: write its Monday, 2026-03-02, or 2026-W10."),
    "not_a_monday": _("A week is named by its Monday: %(monday)s, not %(week)s."),
    "future_week": _("The week of %(week)s has not begun."),
    "too_old": _("Weeks before %(earliest)s are not kept."),
    "bad_number": _("“%(field)s” is no number: “%(given)s”."),
    "missing": _("“%(field)s” is missing."),
    "out_of_range": _("%(field)s is %(given)s; %(unit)s go from %(low)s to %(high)s."),
    "counts_disagree": _("value is %(value)s, but num ÷ den is %(rate)s."),
    "no_cases": _("den is 0: where there is nothing to measure, leave the row out."),
    "tool_not_allowed": _("This token may not report the use of “%(tool)s”."),
    "tool_is_read": _("“%(tool)s” is read by a connector: its use is not typed in beside it."),
    "unknown_person": _("Nobody who works here has the e-mail “%(person)s”. People are never made by a push."),
    "bad_day": _("“%(day)s” is no day: write 2026-03-02."),
    "future_day": _("%(day)s is still to come."),
    "day_too_old": _("Days further back than %(days)s days are not taken."),
    "bad_signal": _("“%(signal)s” is no signal. Signals are: %(signals)s."),
    "bad_count": _("“%(given)s” is no count from 1 to %(most)s."),
    "said_twice": _("This person, tool, day and signal are in row %(row)s already."),
    "twice": _("This metric, team and week are in row %(row)s already."),
}


@dataclass(frozen=True)
class Refusal:
    """Why a row is not taken: a stable code, and what the sentence names."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in the language of the moment."""
        return str(REASONS[self.code]) % self.values

    def kept(self) -> dict[str, object]:
        """Return what is stored of it: it is said later, in another reader's language."""
        return {"code": self.code, "values": {name: str(value) for name, value in self.values.items()}}


def told(kept: Mapping[str, Any]) -> str:
    """Say a refusal that was stored; one of an older release by its code."""
    sentence = REASONS.get(str(kept["code"]))
    return str(kept["code"]) if sentence is None else str(sentence) % kept["values"]


@dataclass(frozen=True)
class Judged:
    """A row that keeps the contract of its metric."""

    metric: Metric
    team: Team | None
    week: date
    value: float
    num: float | None
    den: float | None
    n: int
    coverage: float | None

    @property
    def place(self) -> tuple[int, int | None, date]:
        """Where it is stored: metric, team, week."""
        return self.metric.pk, self.team.pk if self.team else None, self.week


@dataclass(frozen=True)
class Grounds:
    """What rows are judged by. Metrics are found by key, teams by slug; `allowed` None: every key may be written."""

    source: str  # a Metric.SourceKind
    metrics: Mapping[str, Metric]
    teams: Mapping[str, Team]
    today: date
    allowed: frozenset[str] | None = None


class _Unfit(Exception):
    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, values)


def judge(row: Mapping[str, Any], grounds: Grounds) -> Judged | Refusal:
    """Return the row as it can be stored, or why it can't."""
    try:
        return _judged(row, grounds)
    except _Unfit as unfit:
        return unfit.refusal


def _judged(row: Mapping[str, Any], grounds: Grounds) -> Judged:
    for name in row:
        if name not in FIELDS:
            raise _Unfit("unknown_field", field=str(name)[:40], fields=", ".join(FIELDS))
    metric = _metric(row, grounds)
    slug = str(row.get("team") or "").strip()
    if slug and slug not in grounds.teams:
        raise _Unfit("unknown_team", team=slug[:60])
    week = week_of(row.get("week"), grounds.today)
    value, num, den = (_number(row, name) for name in ("value", "num", "den"))
    if metric.kind == Metric.Kind.RATIO:
        value = _rate(value, num, den)
    if value is None:
        raise _Unfit("missing", field="value")
    _in_range(metric, value)
    coverage = _number(row, "coverage")
    if coverage is not None and not 0 <= coverage <= 1:
        raise _Unfit("out_of_range", field="coverage", given=coverage, unit=_("shares"), low=0, high=1)
    n = _cases(row, metric, value, den)
    return Judged(metric, grounds.teams.get(slug), week, value, num, den, n, coverage)


def _metric(row: Mapping[str, Any], grounds: Grounds) -> Metric:
    key = str(row.get("metric") or "").strip()
    if not key:
        raise _Unfit("missing", field="metric")
    metric = grounds.metrics.get(key)
    if metric is None:
        raise _Unfit("unknown_metric", metric=key[:60])
    if grounds.allowed is not None and key not in grounds.allowed:
        raise _Unfit("metric_not_allowed", metric=key)
    if metric.source_kind != grounds.source:
        raise _Unfit("wrong_source", metric=key, kind=Metric.SourceKind(metric.source_kind).label)
    if metric.status == Metric.Status.RETIRED:
        raise _Unfit("metric_retired", metric=key)
    return metric


def week_of(given: object, today: date) -> date:
    """Return the Monday that names the week."""
    if given is None or given == "":
        raise _Unfit("missing", field="week")
    day = _day(given)
    if day is None:
        raise _Unfit("bad_week", week=str(given)[:40])
    first = day - timedelta(days=day.weekday())
    if day != first:
        raise _Unfit("not_a_monday", week=day.isoformat(), monday=first.isoformat())
    if day > today:
        raise _Unfit("future_week", week=day.isoformat())
    if day < EARLIEST:
        raise _Unfit("too_old", earliest=EARLIEST.isoformat())
    return day


def _day(given: object) -> date | None:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    text = str(given).strip()
    try:
        if week := ISO_WEEK.fullmatch(text):
            return date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(row: Mapping[str, Any], name: str) -> float | None:
    given = row.get(name)
    if given is None or given == "":
        return None
    if not isinstance(given, int | float | Decimal | str) or isinstance(given, bool):
        raise _Unfit("bad_number", field=name, given=str(given)[:40])
    try:
        found = float(given)
    except (ValueError, OverflowError):
        raise _Unfit("bad_number", field=name, given=str(given)[:40]) from None
    if not math.isfinite(found) or abs(found) > MOST:
        raise _Unfit("bad_number", field=name, given=str(given)[:40])
    return found


def _rate(value: float | None, num: float | None, den: float | None) -> float:
    """Return the ratio of the counts; ratios without their counts can never be added up, so they are not taken."""
    for name, count in (("num", num), ("den", den)):
        if count is None:
            raise _Unfit("missing", field=name)
        if count < 0:
            raise _Unfit("out_of_range", field=name, given=count, unit=_("counts"), low=0, high="∞")
    assert num is not None and den is not None
    if den == 0:
        raise _Unfit("no_cases")
    rate = num / den
    if value is not None and not math.isclose(value, rate, rel_tol=1e-4, abs_tol=1e-6):
        raise _Unfit("counts_disagree", value=value, rate=round(rate, 6))
    return rate


def _in_range(metric: Metric, value: float) -> None:
    high = 1.0 if metric.unit == Metric.Unit.PERCENT else math.inf
    if not 0 <= value <= high:
        unit = _("shares") if metric.unit == Metric.Unit.PERCENT else metric.get_unit_display()
        raise _Unfit("out_of_range", field="value", given=value, unit=unit, low=0, high="1" if high == 1 else "∞")


def _cases(row: Mapping[str, Any], metric: Metric, value: float, den: float | None) -> int:
    """Return how many cases stand behind the value; of a ratio its `den`, of a count the count itself."""
    given = _number(row, "n")
    if given is None:
        if metric.kind == Metric.Kind.PERCENTILE:
            raise _Unfit("missing", field="n")
        given = float(math.floor(den if metric.kind == Metric.Kind.RATIO and den is not None else value))
    if given != int(given):
        raise _Unfit("bad_number", field="n", given=given)
    if not 0 <= given <= MOST_CASES:
        raise _Unfit("out_of_range", field="n", given=given, unit=_("counts"), low=0, high=MOST_CASES)
    return int(given)
