"""Judging a spreadsheet of people: pure, so that what a plan shows is what applying it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.core.csv import Line
from hub.core.text import normalized
from hub.people.models import Role

from .sheet import Columns, Judged, cells_of, choices_in_words, day_first, nearest, read_day

COLUMNS: Columns = {
    "email": (_("e-mail"), "mail courriel adressemail emailaddress workemail adresseelectronique"),
    "name": (_("name"), "nom fullname nomcomplet person personne displayname"),
    "job_title": (_("job title"), "title poste fonction intitule"),
    "role": (_("role in the hub"), "role profil hubrole"),
    "team": (_("team"), "equipe squad department service"),
    "team_from": (_("in the team from"), "teamfrom membershipfrom startsin dansequipedepuis depuis"),
    "team_until": (_("in the team until"), "teamuntil membershipuntil jusqua until"),
    "started_on": (_("first day"), "startdate hiredate starton debut dateentree datedarrivee"),
    "left_on": (_("last day"), "enddate leavedate lefton departure depart datesortie datededepart"),
}
LONGEST = {"name": 120, "job_title": 120}
DAYS = ("team_from", "team_until", "started_on", "left_on")
OF_TEAM = ("team", "team_from", "team_until")

PROBLEMS: dict[str, Promise] = {
    "own_role": _("Nobody changes their own role or access: ask a colleague."),
    "protected": _("A technical admin is changed by technical admins only."),
    "leaves_later": _("“%(value)s” is still to come. Bring in the last day once it is past."),
    "dates_without_team": _("There is a date for a team, and no team. Fill in the team, or empty the date."),
    "memberships_cross": _("From %(value)s on, the person is in another team or in this one already."),
}


@dataclass(frozen=True)
class Belongs:
    """One membership as it stands."""

    pk: int
    team: str  # slug
    starts_on: str
    ends_on: str | None
    is_primary: bool


@dataclass(frozen=True)
class Facts:
    """What the hub knows of one person, in the form of a row."""

    pk: int
    version: int
    is_active: bool
    is_protected: bool
    is_self: bool
    values: Mapping[str, Any]  # keys of COLUMNS; days in ISO form, the team as a slug
    memberships: tuple[Belongs, ...] = ()


@dataclass(frozen=True)
class Known:
    """What judging a sheet needs to know of the hub."""

    people: Mapping[str, Facts]  # by e-mail
    teams: Mapping[str, str]  # normalised name or slug → slug
    today: date


@dataclass
class Judge:
    """Judges line after line; remembers whom the file named before."""

    mapping: Mapping[str, int]
    known: Known
    is_day_first: bool | None = None
    named: dict[str, int] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=lambda: choices_in_words(Role))

    def __call__(self, line: Line) -> Judged:
        cells = cells_of(line.cells, self.mapping)
        row = Judged(line=line.number, title=(cells.get("name") or cells.get("email") or "…")[:200])
        if line.problem:
            row.refuse(line.problem.code, **line.problem.values)
            return row
        email = self._email(cells, row)
        if row.problems:
            return row
        person = self.known.people.get(email)
        self._plain(cells, row)
        self._days(cells, row)
        self._team(cells, row)
        if person is None:
            row.values["email"] = email
            if "name" not in row.values:
                row.refuse("missing", column="name")
        else:
            row.target_id, row.target_version = person.pk, person.version
        if not row.problems:
            self._leaving(row, person)
            self._joining(row, person)
        row.settle(person.values if person else None)
        if person is not None and row.verdict == "update":
            self._rights(row, person)
            if row.changes.keys() & {*OF_TEAM, "left_on"}:
                row.values["held"] = said(person.memberships)
        return row

    def _email(self, cells: Mapping[str, str], row: Judged) -> str:
        email = cells.get("email", "").strip().lower()
        if not email:
            row.refuse("missing", column="email")
            return email
        try:
            validate_email(email)
        except ValidationError:
            row.refuse("not_an_email", value=email[:120])
            return email
        if email in self.named:
            row.refuse("twice_row", line=self.named[email])
        self.named.setdefault(email, row.line)
        return email

    def _plain(self, cells: Mapping[str, str], row: Judged) -> None:
        for name, limit in LONGEST.items():
            text = " ".join(cells.get(name, "").split())
            if len(text) > limit:
                row.refuse("too_long", column=name, count=len(text), limit=limit)
            elif text:
                row.values[name] = text
        if "role" in cells:
            role = self.roles.get(normalized(cells["role"]))
            if role is None:
                row.refuse("unknown_choice", column="role", value=cells["role"][:80], choices=", ".join(Role.values))
            else:
                row.values["role"] = role

    def _days(self, cells: Mapping[str, str], row: Judged) -> None:
        for name in DAYS:
            if name in cells:
                day = read_day(cells[name], is_day_first=self.is_day_first)
                if day is None:
                    row.refuse("not_a_date", value=cells[name][:40])
                else:
                    row.values[name] = day.isoformat()
        for first, last in (("started_on", "left_on"), ("team_from", "team_until")):
            if row.values.get(first, "") > row.values.get(last, "9999"):
                row.refuse("wrong_order", first=first, last=last)

    def _team(self, cells: Mapping[str, str], row: Judged) -> None:
        if "team" not in cells:
            return
        slug = self.known.teams.get(normalized(cells["team"]))
        if slug is None:
            near = nearest(normalized(cells["team"]), self.known.teams)
            row.refuse("unknown_team", value=cells["team"][:80], nearest=near)
        else:
            row.values["team"] = slug

    def _leaving(self, row: Judged, person: Facts | None) -> None:
        """Who left, or leaves with this row, joins no team any more."""
        left_on = row.values.get("left_on")
        if left_on and left_on > self.known.today.isoformat():
            row.refuse("leaves_later", value=left_on)
        started = row.values.get("started_on") or (person.values["started_on"] if person else None)
        if left_on and started and started > left_on:
            row.refuse("wrong_order", first="started_on", last="left_on")
        if left_on or (person is not None and not person.is_active):
            for name in OF_TEAM:
                row.values.pop(name, None)

    def _joining(self, row: Judged, person: Facts | None) -> None:
        """Settle from when on the person is in the team, and that nothing else holds on those days."""
        dated = "team_from" in row.values or "team_until" in row.values
        now = person.values if person else {}
        team = row.values.get("team") or (now.get("team") if dated else None)
        if team is None:
            if dated:
                row.refuse("dates_without_team")
            return
        row.values["team"] = team
        is_move = team != now.get("team")
        if is_move:
            start = row.values.get("started_on") or now.get("started_on") if person is None else None
            row.values.setdefault("team_from", start or self.known.today.isoformat())
            row.values.setdefault("team_until", None)
        starts_on = row.values.get("team_from") or now.get("team_from") or ""
        until = row.values.get("team_until")
        if until is not None and until <= starts_on:
            row.refuse("wrong_order", first="team_from", last="team_until")
        if person is not None:
            self._crossing(row, person, team, starts_on, is_move=is_move)

    def _crossing(self, row: Judged, person: Facts, team: str, starts_on: str, *, is_move: bool) -> None:
        main = main_of(person.memberships)
        for held in person.memberships:
            if held == main and not is_move:
                continue
            ends = starts_on if held == main else held.ends_on or "9999"  # the old main team ends when the new begins
            is_rival = held.is_primary or held.team == team
            if is_rival and (ends > starts_on or (held == main and held.starts_on >= starts_on)):
                row.refuse("memberships_cross", value=starts_on)
                return

    def _rights(self, row: Judged, person: Facts) -> None:
        if person.is_self and row.changes.keys() & {"role", "left_on"}:
            row.refuse("own_role")
        if person.is_protected:
            row.refuse("protected")
        if row.problems:
            row.verdict = "error"


def said(memberships: Sequence[Belongs]) -> list[list[Any]]:
    """Return memberships as a row keeps them, to be given back by *undo*."""
    return [[one.pk, one.team, one.starts_on, one.ends_on, one.is_primary] for one in memberships]


def main_of(memberships: Sequence[Belongs]) -> Belongs | None:
    """Return the main team that holds last: the open one where there is one."""
    mains = [one for one in memberships if one.is_primary]
    return max(mains, key=lambda one: (one.ends_on or "9999", one.starts_on), default=None)


def judge(lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
    """Say of every line what it would do. Nothing is read or written."""
    at = [mapping[name] for name in DAYS if name in mapping]
    told = day_first(line.cells[index] for line in lines for index in at if index < len(line.cells))
    judge_one = Judge(mapping, known, told)
    return [judge_one(line) for line in lines]


def gone(rows: Sequence[Judged], known: Known) -> list[Judged]:
    """Return as leavers those whom the whole list leaves out; never a technical admin, never the reader."""
    here = {row.target_id for row in rows}
    today = known.today.isoformat()
    return [
        Judged(
            line=0,
            title=str(facts.values["name"] or email)[:200],
            verdict="close",
            values={"left_on": today, "held": said(facts.memberships)},
            changes={"left_on": [None, today]},
            target_id=facts.pk,
            target_version=facts.version,
        )
        for email, facts in sorted(known.people.items())
        if facts.is_active and facts.pk not in here and not facts.is_protected and not facts.is_self
        if (facts.values["started_on"] or "") <= today
    ]
