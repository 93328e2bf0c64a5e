"""Judging a list of accounts: pure, so that what a plan shows is what applying it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.core.csv import Line
from hub.imports.sheet import Columns, Judged, cells_of, choices_in_words, day_first, nearest, read_day, truth
from tooling.models import normalized

COLUMNS: Columns = {
    "tool": (_("tool"), "outil app application product produit software logiciel"),
    "email": (_("account’s e-mail"), "mail courriel useremail memberemail emailaddress adressemail login"),
    "name": (_("account’s name"), "nom user username fullname member membre utilisateur displayname"),
    "kind": (_("kind of account"), "type role userrole plan seattype"),
    "is_active": (_("active"), "actif status statut state enabled etat"),
    "joined_on": (_("since"), "joined created createdat dateadded depuis ajoutele"),
    "last_seen_on": (_("last seen"), "lastseen lastactive lastactivity lastlogin dernieracces derniereactivite vule"),
}
DAYS = ("joined_on", "last_seen_on")

PROBLEMS: dict[str, Promise] = {
    "tool_unknown": _("There is no tool “%(value)s”. Nearest: %(nearest)s. Add the tool first."),
    "tool_wired": _("The accounts of %(tool)s are read from the tool itself; a file would fight with that."),
    "nobody": _("The row names nobody. Fill in the e-mail, or the name."),
    "not_yes_or_no": _("“%(value)s” is neither yes nor no, for “%(column)s”."),
    "seen_later": _("“%(value)s” is still to come."),
}


class SeatKind(models.TextChoices):
    """What an account is; the words of connectors.records."""

    MEMBER = "member", _("Member")
    ADMIN = "admin", _("Admin")
    GUEST = "guest", _("Guest")
    BOT = "bot", _("Robot")


@dataclass(frozen=True)
class Seat:
    """An account as it is kept."""

    pk: int
    values: Mapping[str, Any]  # keys of COLUMNS but the tool; days in ISO form


@dataclass(frozen=True)
class Known:
    """What judging needs to know of the hub."""

    tools: Mapping[str, str]  # normalised slug, name or alias → slug
    names: Mapping[str, str]  # slug → name
    wired: frozenset[str]  # slugs of tools that a connection reads
    seats: Mapping[tuple[str, str], Seat]  # (tool's slug, key of the account)
    today: date


@dataclass
class Judge:
    """Judges line after line; remembers which accounts the file named before."""

    mapping: Mapping[str, int]
    known: Known
    is_day_first: bool | None = None
    named: dict[tuple[str, str], int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=lambda: choices_in_words(SeatKind))

    def __call__(self, line: Line) -> Judged:
        cells = cells_of(line.cells, self.mapping)
        row = Judged(line=line.number, title=(cells.get("email") or cells.get("name") or "…")[:200])
        if line.problem:
            row.refuse(line.problem.code, **line.problem.values)
            return row
        slug = self._tool(cells, row)
        key = self._who(cells, row)
        self._standing(cells, row)
        self._days(cells, row)
        if row.problems:
            return row
        row.title = f"{row.title} · {self.known.names[slug]}"[:200]
        if (slug, key) in self.named:
            row.refuse("twice_row", line=self.named[slug, key])
            return row
        self.named[slug, key] = row.line
        seat = self.known.seats.get((slug, key))
        if seat is None:
            row.values.setdefault("kind", SeatKind.MEMBER.value)
            row.values.setdefault("is_active", True)
        else:
            row.target_id = seat.pk
        row.settle(seat.values if seat else None)
        row.values |= {"tool": slug, "key": key}
        return row

    def _tool(self, cells: Mapping[str, str], row: Judged) -> str:
        if "tool" not in cells:
            row.refuse("missing", column="tool")
            return ""
        key = normalized(cells["tool"])
        slug = self.known.tools.get(key, "")
        if not slug:
            row.refuse("tool_unknown", value=cells["tool"][:80], nearest=nearest(key, self.known.tools))
        elif slug in self.known.wired:
            row.refuse("tool_wired", tool=self.known.names[slug])
        return slug

    def _who(self, cells: Mapping[str, str], row: Judged) -> str:
        """Return the key of the account: its e-mail, else its name."""
        name, email = " ".join(cells.get("name", "").split()), cells.get("email", "").lower()
        if len(name) > 200:
            row.refuse("too_long", column="name", count=len(name), limit=200)
        elif name:
            row.values["name"] = name
        if email:
            try:
                validate_email(email)
            except ValidationError:
                row.refuse("not_an_email", value=email[:120])
            row.values["email"] = email
            return email
        if not normalized(name):
            row.refuse("nobody")
        return f"name:{normalized(name)}"[:200]

    def _standing(self, cells: Mapping[str, str], row: Judged) -> None:
        if "kind" in cells:
            kind = self.kinds.get(normalized(cells["kind"]))
            if kind is None:
                choices = ", ".join(SeatKind.values)
                row.refuse("unknown_choice", column="kind", value=cells["kind"][:80], choices=choices)
            else:
                row.values["kind"] = kind
        if "is_active" in cells:
            is_active = truth(cells["is_active"])
            if is_active is None:
                row.refuse("not_yes_or_no", column="is_active", value=cells["is_active"][:40])
            else:
                row.values["is_active"] = is_active

    def _days(self, cells: Mapping[str, str], row: Judged) -> None:
        for name in DAYS:
            if name in cells:
                day = read_day(cells[name], is_day_first=self.is_day_first)
                if day is None:
                    row.refuse("not_a_date", value=cells[name][:40])
                elif day > self.known.today:
                    row.refuse("seen_later", value=day.isoformat())
                else:
                    row.values[name] = day.isoformat()


def judge(lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
    """Say of every line what it would do. Nothing is read or written."""
    at = [mapping[name] for name in DAYS if name in mapping]
    told = day_first(line.cells[index] for line in lines for index in at if index < len(line.cells))
    judge_one = Judge(mapping, known, told)
    return [judge_one(line) for line in lines]


def gone(rows: Sequence[Judged], known: Known) -> list[Judged]:
    """Return, as accounts to close, those that the whole list leaves out, for each tool that it names."""
    here = {row.target_id for row in rows}
    tools = {row.values["tool"] for row in rows}
    return [
        Judged(
            line=0,
            title=f"{seat.values['email'] or seat.values['name']} · {known.names[slug]}"[:200],
            verdict="close",
            values={"tool": slug, "key": key, "is_active": False},
            changes={"is_active": [True, False]},
            target_id=seat.pk,
        )
        for (slug, key), seat in sorted(known.seats.items())
        if slug in tools and seat.pk not in here and seat.values["is_active"]
    ]
