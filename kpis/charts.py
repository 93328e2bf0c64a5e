"""Drawings made on the server: where each mark of a chart goes. Pure; templates only print what is computed here.

Each chart is drawn twice, wide and narrow, and a container query shows one: so its text keeps its size. What a chart
has many of is a tuple: a dashboard makes hundreds of each.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

Values = Sequence[float | None]
LETTER, LONGEST = 6.8, 18  # how wide a bold letter is drawn; a longer word at the line's end would leave no line


class Reading(NamedTuple):
    """One week as it is drawn: its first day, its value (None: nothing known), and all of it in words."""

    week: date
    value: float | None
    words: str


@dataclass(frozen=True)
class Mark:
    """Something that happened: its day, in words for a wide and for a narrow drawing."""

    day: date
    text: str
    short: str


@dataclass(frozen=True)
class Line:
    """A line across the drawing (a target, an edge of a band), with its name."""

    value: float
    text: str
    short: str


class At(NamedTuple):
    """A text at a place."""

    x: float
    y: float
    text: str


class Named(NamedTuple):
    """A line across, at `y`, with its name at `label_y`, clear of other texts."""

    y: float
    label_y: float
    text: str


class Slot(NamedTuple):
    """The strip of one week, that pointer and arrow keys read; `y` is None where nothing is known."""

    x: float
    width: float
    middle: float
    y: float | None
    words: str


class Flag(NamedTuple):
    """A mark on the axis with its text, to the left or right of it."""

    x: float
    text: str
    is_left: bool


@dataclass(frozen=True)
class Drawing:
    """One drawing, in its own units."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    grid: tuple[At, ...]
    ticks: tuple[At, ...]
    gaps: tuple[tuple[float, float, float], ...]  # x, width, middle
    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]  # single weeks between two gaps; every value of a line that connects
    bars: tuple[tuple[float, float, float, float], ...]  # x, y, width, height
    lines: tuple[Named, ...]
    flags: tuple[Flag, ...]
    last: At | None
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Chart:
    """Both drawings, and where the axis starts (None: at zero)."""

    wide: Drawing
    narrow: Drawing
    starts_at: float | None


@dataclass(frozen=True)
class Spark:
    """A line of 96 by 32: one path per unbroken stretch, the target's height, the last point."""

    paths: tuple[str, ...]
    target: float | None
    end: tuple[float, float] | None


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round figures from below `low` to above `high`, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if high - low < 1e-6:  # as good as flat: what it is worth is seen from zero
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-6:
        high = low + 1.0
    raw = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def stretches(values: Values) -> list[list[int]]:
    """Return the places of the values, cut where one is missing: a gap in the data is a gap in the line."""
    found: list[list[int]] = []
    for place, value in enumerate(values):
        if value is None:
            continue
        if found and found[-1][-1] == place - 1:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def drawn_runs(values: Values, *, connects: bool) -> list[list[int]]:
    """Return the places that one line joins each: all known ones where it connects over the weeks between."""
    known = [place for place, value in enumerate(values) if value is not None]
    return ([known] if known else []) if connects else stretches(values)


def axis(values: Values, lines: Sequence[Line], *, from_zero: bool) -> list[float]:
    """Return the figures of the value axis; it starts at zero unless all values are far from it, and many."""
    told = [value for value in values if value is not None]
    known = told + [line.value for line in lines]
    if not known:
        return [0.0, 1.0]
    low, high = min(known), max(known)
    if low >= 0 and (from_zero or len(told) == 1 or low < 0.6 * high or high == 0):
        low = 0.0
    return nice_ticks(low, high)


def chart(
    readings: Sequence[Reading],
    *,
    figure: Callable[[float], str],
    month: Callable[[date], str],
    no_data: str,
    lines: Sequence[Line] = (),
    marks: Sequence[Mark] = (),
    as_bars: bool = False,
    connects: bool = False,
    last: str = "",
    width: int = 860,
) -> Chart:
    """Draw weekly readings as a line, or as bars from zero.

    `connects` joins the values over weeks without one, where such a week is no gap in what is known.
    `figure` writes a value on the axis, `month` a month under it, `last` is what stands at the line's end; `width` is
    that of the wide drawing.
    """
    values = [reading.value for reading in readings]
    ticks = axis(values, lines, from_zero=as_bars)
    longest = min(max(len(text) for text in (last, *(line.short for line in lines))), LONGEST)

    def draw(width: float, height: float, right: float, *, is_wide: bool) -> Drawing:
        return _draw(
            readings, ticks, lines, marks, width=width, height=height, right=right, is_wide=is_wide, as_bars=as_bars,
            connects=connects, figure=figure, month=month, no_data=no_data, last=last,
        )  # fmt: skip

    return Chart(
        wide=draw(width, 272, 110, is_wide=True),
        narrow=draw(340, 240, max(58, 14 + LETTER * longest), is_wide=False),
        starts_at=None if ticks[0] <= 0 else ticks[0],
    )


def _draw(
    readings: Sequence[Reading], ticks: list[float], lines: Sequence[Line], marks: Sequence[Mark], *, width: float,
    height: float, right: float, is_wide: bool, as_bars: bool, connects: bool, figure: Callable[[float], str],
    month: Callable[[date], str], no_data: str, last: str,
) -> Drawing:  # fmt: skip
    """Place every mark for one size."""
    labels = [figure(tick) for tick in ticks]
    left = 16.0 + 7 * max(len(label) for label in labels)
    end, top, bottom = width - right, 34.0, height - 26
    count = max(1, len(readings))
    step = (end - left) / count
    low, high = ticks[0], ticks[-1]

    def x(place: int) -> float:
        return round(left + step * (place + 0.5), 1)

    def y(value: float) -> float:
        return round(bottom - (value - low) / (high - low) * (bottom - top), 1)

    values = [reading.value for reading in readings]
    runs = drawn_runs(values, connects=connects)
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    first = known[0][0] if known else 0
    tail = known[-1][0] if known else 0
    slots = tuple(
        Slot(
            round(left + step * place, 1), round(step, 1), x(place),
            None if reading.value is None else y(reading.value), reading.words,
        )
        for place, reading in enumerate(readings)
    )  # fmt: skip
    holes = [] if as_bars or connects else _holes(values, first, tail)
    point = {place: (x(place), y(value)) for place, value in known}
    base = y(max(0.0, low))
    last_at = At(*point[tail], last) if known and last else None
    taken = last_at.y if last_at else None
    named = [_named(y(line.value), line.text if is_wide else line.short, taken) for line in lines]
    return Drawing(
        width=width,
        height=height,
        left=left,
        right=end,
        top=top,
        bottom=bottom,
        grid=tuple(At(left - 8, y(tick), label) for tick, label in zip(ticks, labels, strict=True)),
        ticks=_months(readings, x, bottom, month, 46 if is_wide else 40),
        gaps=tuple(
            (round(left + step * a, 1), round(step * (b - a + 1), 1), round(left + step * (a + b + 1) / 2, 1))
            for a, b in holes
        ),
        paths=()
        if as_bars
        else tuple("M" + " ".join(f"{point[p][0]:g} {point[p][1]:g}" for p in run) for run in runs if len(run) > 1),
        dots=()
        if as_bars
        else tuple(point[place] for run in runs if connects or len(run) == 1 for place in run if place != tail),
        bars=tuple(
            (
                round(x(place) - step * 0.36, 1),
                min(y(value), base),
                round(step * 0.72, 1),
                round(abs(base - y(value)), 1),
            )
            for place, value in known
        )
        if as_bars
        else (),
        lines=tuple(named),
        flags=_flags(readings, marks, left=left, step=step, end=end, is_wide=is_wide),
        last=last_at,
        slots=slots,
    )


def _named(y: float, text: str, taken: float | None) -> Named:
    """Name a line, 14 units off the height where the last value's text stands."""
    if taken is None or abs(y - taken) >= 14:
        return Named(y, y, text)
    return Named(y, taken - 14 if y <= taken else taken + 14, text)


def _holes(values: Values, first: int, tail: int) -> list[tuple[int, int]]:
    """Return the first and last place of each gap between the first and the last known value."""
    found: list[tuple[int, int]] = []
    for place in range(first, tail + 1):
        if values[place] is None:
            found = (
                [*found[:-1], (found[-1][0], place)]
                if found and found[-1][1] == place - 1
                else [*found, (place, place)]
            )
    return found


def _months(
    readings: Sequence[Reading], x: Callable[[int], float], bottom: float, month: Callable[[date], str], least: float
) -> tuple[At, ...]:
    """Name each month under its first week, and leave out those that would touch the one before."""
    found: list[At] = []
    for place, reading in enumerate(readings):
        is_first = place > 0 and reading.week.month != readings[place - 1].week.month
        if is_first and (not found or x(place) - found[-1].x >= least):
            found.append(At(x(place), bottom + 18, month(reading.week)))
    return tuple(found)


def _flags(
    readings: Sequence[Reading], marks: Sequence[Mark], *, left: float, step: float, end: float, is_wide: bool
) -> tuple[Flag, ...]:
    """Place what happened on the axis; only the latest in a narrow drawing keeps its text."""
    if not readings:
        return ()
    start = readings[0].week
    placed = [(left + step * (mark.day - start).days / 7, mark) for mark in marks]
    inside = [(at, mark) for at, mark in placed if left <= at <= end]
    kept = 3 if is_wide else 1
    return tuple(
        Flag(
            round(at, 1),
            (mark.text if is_wide else mark.short) if index >= len(inside) - kept else "",
            at > (left + end) / 2,
        )
        for index, (at, mark) in enumerate(inside)
    )


def spark(values: Values, target: float | None = None) -> Spark:
    """Draw the last values in 96 by 32; the target is drawn where it fits between them or near."""
    known = [value for value in values if value is not None]
    if not known:
        return Spark((), None, None)
    low = min([*known, target] if target is not None else known)
    high = max([*known, target] if target is not None else known)

    def place(index: int, value: float) -> tuple[float, float]:
        x = 2 + index * 88 / max(1, len(values) - 1)
        y = 16.0 if high == low else 28 - (value - low) / (high - low) * 24
        return round(x, 1), round(y, 1)

    points = {index: place(index, value) for index, value in enumerate(values) if value is not None}
    paths = tuple(
        "M" + " ".join(f"{points[index][0]:g} {points[index][1]:g}" for index in run)
        for run in stretches(values)
        if len(run) > 1
    )
    return Spark(paths, None if target is None else place(0, target)[1], points[max(points)])
