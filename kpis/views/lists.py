"""What a metric's page lists under its chart: feedback by source, features by status, reviews that are overdue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from hub.core.templatetags.ui import number, percent
from hub.people.models import Team
from kpis.sync import listed

SHOWN_AT_MOST = 30
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Listing:
    """A table under the chart. `others` are rows that are not shown; `none` is said where there are no rows."""

    title: str
    heads: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    none: str = ""
    others: int = 0

    @property
    def told(self) -> list[list[tuple[Cell, str]]]:
        """The rows, each cell with what its column is called: narrow screens show it beside the cell."""
        return [[(cell, head.text) for cell, head in zip(row, self.heads, strict=True)] for row in self.rows]


def lists(key: str, team: Team | None) -> list[Listing]:
    """Return what stands behind a metric in a scope, in words; nothing for those that are a number alone."""
    return DRESSED[key](listed.rows(key, team)) if key in DRESSED else []


def listing(title: str, heads: Sequence[Cell], rows: Sequence[tuple[Cell, ...]], none: str) -> Listing:
    """Cut a table to what is shown."""
    return Listing(title, tuple(heads), tuple(rows[:SHOWN_AT_MOST]), none, max(0, len(rows) - SHOWN_AT_MOST))


def figure(value: float | None, places: int = 0) -> Cell:
    return Cell("" if value is None else number(value, places), is_number=True)


def head(text: str) -> Cell:
    return Cell(text, is_number=True)


def feedback(rows: Rows) -> list[Listing]:
    """Notes of thirteen weeks by where they came from, and by their tags: one may have several."""
    every = next((count for kind, _name, count in rows if not kind), 0)
    count_heads = (head(_("Notes")), head(_("Share")))
    none = _("No feedback came in.")

    def by(kind: str, nameless: str) -> list[tuple[Cell, ...]]:
        return [
            (Cell(name or nameless), figure(count), Cell(percent(count / every), is_number=True))
            for of, name, count in rows
            if of == kind
        ]

    sources = by("source", _("not said"))
    tags = by("tag", _("no tag"))
    return [
        listing(_("By source, last 13 weeks"), (Cell(pgettext("of feedback", "Source")), *count_heads), sources, none),
        listing(_("By tag, last 13 weeks"), (Cell(_("Tag")), *count_heads), tags, none),
    ]


def statuses(rows: Rows) -> list[Listing]:
    heads: tuple[Cell, ...] = (
        Cell(_("Status")), head(_("Features")), head(_("Days in it, median")), head(_("85% stayed less than")),
        head(_("Beyond")),
    )  # fmt: skip
    shown: list[tuple[Cell, ...]] = [
        (
            Cell(name or _("no status")),
            figure(count),
            figure(days),
            figure(usual),
            figure(None if usual is None else old),
        )
        for name, count, days, usual, old in rows
    ]
    if all(days is None and usual is None for _name, _count, days, usual, _old in rows):  # the first night
        heads, shown = heads[:2], [row[:2] for row in shown]
    return [listing(_("By status"), heads, shown, _("No feature was read yet."))]


def moves(rows: Rows) -> list[Listing]:
    heads = (Cell(pgettext("status", "From")), Cell(pgettext("status", "To")), head(_("Features")))
    nameless = _("no status")
    shown = [(Cell(before or nameless), Cell(after or nameless), figure(count)) for before, after, count in rows]
    return [listing(_("Moves, last 13 weeks"), heads, shown, _("No feature was seen to move yet."))]


def reviews(rows: Rows) -> list[Listing]:
    heads = (Cell(_("Decision")), Cell(_("Owner")), Cell(_("Review on")), head(_("Days late")))
    today = timezone.localdate()
    shown = [
        (
            Cell(title or _("Untitled"), url),
            Cell(owners or _("nobody")),
            Cell(day_text(due)),
            figure((today - due).days),
        )
        for title, url, due, owners in rows
    ]
    return [listing(_("To be looked at again"), heads, shown, _("No review is overdue."))]


def results(rows: Rows) -> list[Listing]:
    every = sum(count for _name, count in rows)
    heads = (Cell(_("Result")), head(_("Experiments")), head(_("Share")))
    shown = [
        (Cell(name or _("no result")), figure(count), Cell(percent(count / every), is_number=True))
        for name, count in rows
    ]
    return [listing(_("By result"), heads, shown, _("No experiment was due in the last 90 days."))]


def day_text(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


DRESSED: dict[str, Callable[[Rows], list[Listing]]] = {
    "feedback-volume": feedback,
    "features-by-status": statuses,
    "feature-moves": moves,
    "overdue-reviews": reviews,
    "experiment-results": results,
}
