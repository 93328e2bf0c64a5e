"""The arithmetic of a number's state: attainment, status, change. Pure; definitions from kpis.md 3.1."""

import re
from collections.abc import Iterable
from enum import StrEnum

PRICE = re.compile(r"(?P<service>[a-z0-9_-]+)[\s:=]+(?P<amount>\d{1,6}(?:[.,]\d{1,2})?)\s*(?P<currency>[A-Z]{3})")


class Status(StrEnum):
    """How a number is doing; the first that applies, in this order."""

    NOT_MEASURED = "not_measured"
    TOO_FEW = "too_few"
    STALE = "stale"
    OFF_TRACK = "off_track"
    AT_RISK = "at_risk"
    ON_TRACK = "on_track"
    NO_TARGET = "no_target"


def attainment(value: float, target: float, *, direction: str, upper: float | None = None) -> float | None:
    """Return how much of the target is reached; 1 is all of it, more is beyond.

    Higher is better: value ÷ target; lower is better: target ÷ value; a band: 1 inside, else 1 less the distance in
    band widths, at least 0. None where the division says nothing (not positive), or the metric has no better side.
    """
    if direction == "band" and upper is not None:
        if target <= value <= upper:
            return 1.0
        width = upper - target
        distance = target - value if value < target else value - upper
        return max(0.0, 1 - distance / width) if width > 0 else 0.0
    if direction not in ("up", "down") or target <= 0 or value <= 0:
        return None
    return value / target if direction == "up" else target / value


def status_against(
    value: float, target: float | None, *, direction: str, upper: float | None = None, amber_ratio: float = 0.95
) -> Status:
    """Return the state of `value` against its target; compared directly where attainment can't be computed."""
    if target is None or direction == "neutral":
        return Status.NO_TARGET
    reached = attainment(value, target, direction=direction, upper=upper)
    if reached is None:
        good = value >= target if direction == "up" else value <= target
        return Status.ON_TRACK if good else Status.OFF_TRACK
    if reached >= 1:
        return Status.ON_TRACK
    return Status.AT_RISK if reached >= amber_ratio else Status.OFF_TRACK


def is_worse(
    now: float, before: float, *, direction: str, target: float | None = None, upper: float | None = None
) -> bool:
    """Tell whether a value went the wrong way; out of a band: farther from it. What has no better side never does."""
    if direction == "band" and target is not None and upper is not None:
        return max(target - now, now - upper, 0.0) > max(target - before, before - upper, 0.0)
    return (direction == "up" and now < before) or (direction == "down" and now > before)


def relative_change(now: float, before: float) -> float | None:
    """Return the change as a share of `before`; None when `before` is zero or the sign turned."""
    if before == 0 or (now < 0) != (before < 0):
        return None
    return (now - before) / abs(before)


class NotAPrice(ValueError):
    """A line does not say what a seat costs, or in another currency than the lines before."""


def seat_prices(lines: Iterable[str]) -> tuple[dict[str, float], str]:
    """Read “linear 12.50 EUR”, one a line: what a seat costs a month by service, and the currency. Raises NotAPrice."""
    found: dict[str, float] = {}
    currency = ""
    for line in lines:
        said = PRICE.fullmatch(line.strip())
        if said is None or said["currency"] != (currency or said["currency"]):
            raise NotAPrice(line)
        currency = said["currency"]
        found[said["service"]] = float(said["amount"].replace(",", "."))
    return found, currency
