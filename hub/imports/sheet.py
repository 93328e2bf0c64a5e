"""What judging a sheet takes, whatever it holds: columns, values and verdicts. Pure."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.core.csv import Note
from hub.core.text import normalized

Verdict = str  # create, update, close, unchanged, error
# What a column can be, what it is called on the page, and the headers it is known under (normalised).
Columns = Mapping[str, tuple[Promise, str]]
# Cells of one line by field: only those that hold something.
Cells = Mapping[str, str]

PROBLEMS: dict[str, Promise] = {
    "too_long": _("“%(column)s” has %(count)s characters; at most %(limit)s fit. Shorten it."),
    "missing": _("“%(column)s” is empty. Every row needs one."),
    "unknown_choice": _("“%(value)s” is not known for “%(column)s”. Use one of: %(choices)s."),
    "unknown_person": _("Nobody here has the e-mail “%(value)s”. Invite them first, or leave the cell empty."),
    "unknown_team": _("There is no team “%(value)s”. Nearest: %(nearest)s."),
    "not_an_email": _("“%(value)s” is no e-mail address."),
    "not_a_date": _("“%(value)s” is no date that can be read one way only. Write it like 2026-11-23."),
    "not_a_number": _("“%(value)s” is no number that can be read one way only. Write it like 1234.5."),
    "wrong_order": _("“%(first)s” is after “%(last)s”."),
    "twice_row": _("The same one is on line %(line)s already. Keep one of the two lines."),
    "changed_meanwhile": _("Changed in the hub since this plan was made; judged again."),
}


@dataclass
class Judged:
    """One line and what applying it would do."""

    line: int
    title: str
    verdict: Verdict = "error"
    values: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)
    problems: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    target_id: int | None = None
    target_version: int | None = None

    def refuse(self, code: str, **values: Any) -> None:
        """Note a problem; the row stays out."""
        self.problems.append((code, values))

    def settle(self, stored: Mapping[str, Any] | None) -> None:
        """Say what the row does to what is `stored` (None: nothing yet). An empty cell leaves things as they are."""
        if self.problems:
            self.verdict = "error"
        elif stored is None:
            self.verdict = "create"
            self.changes = {name: [None, value] for name, value in self.values.items()}
        else:
            self.changes = {
                name: [stored.get(name), value] for name, value in self.values.items() if stored.get(name) != value
            }
            self.verdict = "update" if self.changes else "unchanged"


def suggest_mapping(header: Sequence[str], columns: Columns) -> dict[str, int]:
    """Guess which column is what, by its header in English or French; each column and each field at most once."""
    found: dict[str, int] = {}
    keys = [normalized(name) for name in header]
    known = dict(_headers(columns))
    for exact in (True, False):
        for index, key in enumerate(keys):
            if not key or index in found.values():
                continue
            near = [key] if exact else difflib.get_close_matches(key, known, n=1, cutoff=0.84)
            for name in near:
                if name in known and known[name] not in found:
                    found[known[name]] = index
    return found


def _headers(columns: Columns) -> Iterator[tuple[str, str]]:
    """Give each header with its field; what comes later wins, so a field's own name is never another's."""
    for name, (label, words) in columns.items():
        for language in ("en", "fr"):
            with translation.override(language):
                yield normalized(str(label)), name
        for word in words.split():
            yield word, name
    for name in columns:
        yield normalized(name), name


def cells_of(cells: Sequence[str], mapping: Mapping[str, int]) -> dict[str, str]:
    """Return the filled cells of a line by field."""
    return {name: cells[index] for name, index in mapping.items() if index < len(cells) and cells[index]}


def choices_in_words(choices: Any) -> dict[str, str]:
    """Return every way to write a choice: its value, and its label in both languages."""
    found = {}
    for language in ("en", "fr"):
        with translation.override(language):
            found.update({normalized(str(label)): value for value, label in choices.choices})
    return found | {normalized(value): value for value in choices.values}


def parts_of(cell: str) -> list[str]:
    """Cut a cell that lists several things."""
    return [part for part in (" ".join(part.split()) for part in re.split(r"[;,|\n]", cell)) if part]


def nearest(key: str, known: Mapping[str, str]) -> str:
    """Return the value in `known` whose key is nearest, a dash for none."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return known[near[0]] if near else "—"


# ---------------------------------------------------------------- values

YES = frozenset({"yes", "true", "1", "y", "x", "active", "on", "oui", "vrai", "o", "actif"})
NO = frozenset({"no", "false", "0", "n", "inactive", "off", "non", "faux", "inactif", "suspended", "suspendu"})
_SLASHED = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_WEEK = re.compile(r"(\d{4})-?[WS](\d{1,2})", re.IGNORECASE)  # S: semaine
_BLANKS = re.compile(r"[\s\u00a0\u202f']")


def truth(cell: str) -> bool | None:
    """Read yes or no in either language; None for anything else."""
    key = normalized(cell)
    return True if key in YES else False if key in NO else None


def day_first(cells: Iterable[str]) -> bool | None:
    """Tell from a whole column whether 03/04/2026 is in April: None where no cell gives it away, or two disagree."""
    told = set()
    for cell in cells:
        found = _SLASHED.fullmatch(cell.strip())
        if found and int(found[1]) > 12:
            told.add(True)
        elif found and int(found[2]) > 12:
            told.add(False)
    return told.pop() if len(told) == 1 else None


def read_day(cell: str, *, is_day_first: bool | None = None) -> date | None:
    """Read a date: ISO (a time after it is dropped), an ISO week (its Monday), or with slashes where that is clear."""
    cell = cell.strip()
    try:
        if found := _WEEK.fullmatch(cell):
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        if found := _ISO.fullmatch(cell):
            year, month, day = (int(part) for part in found.groups())
        elif found := _SLASHED.fullmatch(cell):
            day, month, year = (int(part) for part in found.groups())
            if month > 12 or (is_day_first is False and "." not in cell):  # with dots a day always comes first
                day, month = month, day
            elif is_day_first is None and day <= 12 and day != month and "." not in cell:
                return None
        else:
            return None
        return date(year, month, day)
    except ValueError:
        return None


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def read_number(cell: str) -> float | None:
    """Read a number as either language writes it; None where it is none, or could be two (1,234)."""
    text = _BLANKS.sub("", cell)
    share = text.endswith("%")
    text = text.removesuffix("%")
    if "," in text and "." in text:
        thousands = "," if text.rfind(",") < text.rfind(".") else "."
        text = text.replace(thousands, "")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text) and not text.lstrip("+-").startswith("0,"):
        return None
    text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", text):
        return None
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    return value / 100 if share else value


# ---------------------------------------------------------------- words


def problem_text(code: str, values: Mapping[str, Any], own: Mapping[str, str | Promise], columns: Columns) -> str:
    """Say a stored problem in the active language: in a kind's `own` words, in ours, or in those of the file."""
    words = own.get(code) or PROBLEMS.get(code)
    if words is None:
        return Note(code, values).text
    said = dict(values)
    for name in ("column", "first", "last"):
        if said.get(name) in columns:
            said[name] = str(columns[str(said[name])][0])
    return str(words) % said
