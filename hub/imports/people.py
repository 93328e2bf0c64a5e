"""A spreadsheet of people: what judging it takes, writing it in sets, taking it back.

A row never opens a door: who is new is a name in the directory, and comes in by an invitation. Who left is closed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.db.models import F, ForeignObjectRel, Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.activity.models import Event
from hub.core.csv import Line
from hub.core.text import normalized
from hub.people.models import Invitation, Membership, Role, Team, User

from .kinds import Kind, Left
from .models import ImportRow
from .people_sheet import COLUMNS, OF_TEAM, PROBLEMS, Belongs, Facts, Known, gone, judge, main_of
from .sheet import Judged

BATCH = 2000
FIELDS = ("name", "job_title", "role", "started_on", "left_on")  # a person's own columns
DATES = ("started_on", "left_on")


class People(Kind):
    """Colleagues of the directory, one a line."""

    key = "people"
    title = _("People")
    lede = _("Who works here, in which team, since when; who left, and when. Nobody can sign in without an invitation.")
    noun = _("Person")
    right = "people.edit_people"
    columns = COLUMNS
    keys = ("email",)
    key_missing = _("Say which column holds the e-mail: without it no person can be told from another.")
    problems = PROBLEMS
    closes = _("Who is not in it has left: their access and their teams end today.")
    careful = frozenset({"role"})

    def known(self, by: User | None) -> Known:
        return known_now(by)

    def judge(self, lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
        return judge(lines, mapping, known)

    def gone(self, rows: Sequence[Judged], known: Known) -> list[Judged]:
        return gone(rows, known)

    def write(self, rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
        return write(rows, by=by, batch=batch)

    def undo(self, rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
        return undo(rows, by=by, batch=batch)

    def absent(self, named: "QuerySet[ImportRow]") -> "QuerySet[User]":
        found: QuerySet[User] = User.objects.active().exclude(pk__in=named.values("target_id")).order_by("name", "pk")
        return found

    def words(self, name: str, value: Any) -> str:
        return str(Role(value).label) if name == "role" and value in Role.values else super().words(name, value)

    def examples(self) -> Sequence[Mapping[str, str]]:
        team = Team.objects.active().order_by("name", "pk").first()
        return [
            {
                "email": "lea.moreau@example.com", "name": "Léa Moreau", "job_title": "Product manager",
                "role": str(Role.MEMBER.label), "team": team.name if team else "", "started_on": "2026-02-02",
            },
            {"email": "sam.diallo@example.com", "name": "Sam Diallo", "left_on": "2026-06-30"},
        ]  # fmt: skip


def known_now(by: User | None) -> Known:
    """Gather everybody, their teams and their memberships: three queries."""
    teams: dict[str, str] = {}
    for slug, name in Team.objects.active().order_by("pk").values_list("slug", "name"):
        teams[normalized(slug)] = slug
        teams.setdefault(normalized(name), slug)
    held: dict[int, list[Belongs]] = {}
    belongs = Membership.objects.order_by("starts_on", "pk").values_list(
        "person_id", "pk", "team__slug", "starts_on", "ends_on", "is_primary"
    )
    for person_id, pk, slug, starts_on, ends_on, is_primary in belongs:
        one = Belongs(pk, slug, starts_on.isoformat(), iso(ends_on), is_primary)
        held.setdefault(person_id, []).append(one)
    may_touch_admins = by is not None and (by.is_staff or by.is_superuser)
    today = timezone.localdate()
    people: dict[str, Facts] = {}
    columns = ("pk", "version", "email", "is_active", "is_staff", "is_superuser", *FIELDS)
    for row in User.objects.order_by("pk").values(*columns).iterator(chunk_size=BATCH):
        memberships = tuple(held.get(row["pk"], ()))
        main = main_of([one for one in memberships if one.ends_on is None or one.ends_on > today.isoformat()])
        people[row["email"]] = Facts(
            pk=row["pk"],
            version=row["version"],
            is_active=row["is_active"],
            is_protected=(row["is_staff"] or row["is_superuser"]) and not may_touch_admins,
            is_self=by is not None and row["pk"] == by.pk,
            values={
                "email": row["email"],
                **{name: iso(row[name]) if name in DATES else row[name] for name in FIELDS},
                "team": main.team if main else None,
                "team_from": main.starts_on if main else None,
                "team_until": main.ends_on if main else None,
            },
            memberships=memberships,
        )
    return Known(people, teams, today)


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def write(rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
    """Write judged rows in sets; return the person of each line."""
    held = User.objects.select_for_update().in_bulk([row.target_id for row in rows if row.target_id])
    people: dict[int, User] = {}
    fresh, edited = [], []
    for row in rows:
        if row.target_id:
            person = held[row.target_id]
            person.version += 1
            edited.append(person)
        else:
            person = User(email=row.values["email"])
            person.set_unusable_password()
            fresh.append(person)
        for name in row.changes.keys() & set(FIELDS):
            value = row.changes[name][1]
            setattr(person, name, date.fromisoformat(value) if name in DATES and value else value)
        if "left_on" in row.changes:
            person.is_active = person.left_on is None
        people[row.line] = person
    User.objects.bulk_create(fresh, batch_size=BATCH)
    User.objects.bulk_update(edited, [*FIELDS, "is_active", "version"], batch_size=500)
    _end_memberships(rows, people)
    _join_teams(rows, people)
    _tell(rows, people, by=by, batch=batch)
    return {line: (person.pk, person.version) for line, person in people.items()}


def _end_memberships(rows: Sequence[Judged], people: Mapping[int, User]) -> None:
    """End, on their last day, the teams of those who left; take back invitations that still wait for them."""
    leavers = {people[row.line].pk: row for row in rows if row.target_id and row.changes.get("left_on", [0, None])[1]}
    if not leavers:
        return
    open_ones = list(
        Membership.objects.filter(person__in=leavers).filter(Q(ends_on=None) | Q(ends_on__gt=F("person__left_on")))
    )
    later: set[int] = set()
    for one in open_ones:
        row = leavers[one.person_id]
        left_on = date.fromisoformat(row.changes["left_on"][1])
        if one.starts_on >= left_on:
            later.add(one.pk)
        one.ends_on, one.updated_at = left_on, timezone.now()
    Membership.objects.filter(pk__in=later).delete()
    Membership.objects.bulk_update(
        [one for one in open_ones if one.pk not in set(later)], ["ends_on", "updated_at"], batch_size=500
    )
    emails = [people[row.line].email for row in leavers.values()]
    Invitation.objects.unanswered().filter(email__in=emails).update(revoked_at=timezone.now())


def _join_teams(rows: Sequence[Judged], people: Mapping[int, User]) -> None:
    """Put people into their main team; the one before ends on the day the new one begins."""
    teams = dict(Team.objects.values_list("slug", "pk"))
    movers = {people[row.line].pk: row for row in rows if "team" in row.changes}
    dated = {
        people[row.line].pk: row for row in rows if row.changes.keys() & set(OF_TEAM) and "team" not in row.changes
    }
    mains = Membership.objects.filter(person__in=[*movers, *dated], is_primary=True)
    by_person: dict[int, Membership] = {}
    for one in mains.order_by("starts_on", "pk"):
        latest = by_person.get(one.person_id)
        if latest is None or (one.ends_on or date.max) >= (latest.ends_on or date.max):
            by_person[one.person_id] = one
    moved = []
    for pk, row in movers.items():
        now = by_person.get(pk)
        start = date.fromisoformat(row.values["team_from"])
        if now is not None and (now.ends_on is None or now.ends_on > start):
            now.ends_on = start
            moved.append(now)
    for pk, row in dated.items():
        one = by_person[pk]
        if "team_from" in row.changes:
            one.starts_on = date.fromisoformat(row.changes["team_from"][1])
        if "team_until" in row.changes:
            until = row.changes["team_until"][1]
            one.ends_on = date.fromisoformat(until) if until else None
        moved.append(one)
    for one in moved:
        one.updated_at = timezone.now()
    Membership.objects.bulk_update(moved, ["starts_on", "ends_on", "updated_at"], batch_size=500)
    Membership.objects.bulk_create(
        (
            Membership(
                person_id=pk,
                team_id=teams[row.values["team"]],
                starts_on=date.fromisoformat(row.values["team_from"]),
                ends_on=date.fromisoformat(row.values["team_until"]) if row.values.get("team_until") else None,
            )
            for pk, row in movers.items()
            if row.values["team"]
        ),
        batch_size=BATCH,
    )


def _tell(rows: Sequence[Judged], people: Mapping[int, User], *, by: User, batch: UUID) -> None:
    Event.objects.bulk_create(
        (
            Event(
                by=by,
                verb=_verb(row),
                kind="people.user",
                object_id=str(people[row.line].pk),
                title=str(people[row.line])[:200],
                changes=row.changes if row.verdict != "create" else {},
                batch=batch,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )


def _verb(row: Judged) -> str:
    if row.verdict == "create":
        return "created"
    left = row.changes.get("left_on")
    return "deactivated" if left and left[1] and not left[0] else "changed"


def undo(rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
    """Take rows back where nobody touched their people since. Returns how many were.

    Who was made goes, unless something in the hub knows them by now; who was changed or closed is as before. An
    invitation that was taken back stays so.
    """
    if not rows:
        return 0
    applied_at = rows[0].plan.applied_at
    ids = [row.target_id for row in rows]
    people = {person.pk: person for person in User.objects.select_for_update().filter(pk__in=ids)}
    moved = set(
        Membership.objects.filter(person__in=ids, updated_at__gt=applied_at).values_list("person_id", flat=True)
    )
    intact = [
        (row, people[row.target_id])
        for row in rows
        if row.target_id in people and people[row.target_id].version == row.target_version
        if row.target_id not in moved
    ]
    made = {person.pk for row, person in intact if row.verdict == "create"}
    made -= known_elsewhere(made)
    back = [(row, person) for row, person in intact if row.verdict != "create"]
    for row, person in back:
        for name in row.changes.keys() & set(FIELDS):
            value = row.changes[name][0]
            setattr(person, name, date.fromisoformat(value) if name in DATES and value else value)
        if "left_on" in row.changes:
            person.is_active = person.left_on is None
        person.version += 1
    User.objects.bulk_update([person for _row, person in back], [*FIELDS, "is_active", "version"], batch_size=500)
    _give_back_teams([(row, person) for row, person in back if "held" in row.values])
    Event.objects.bulk_create(
        (
            Event(
                by=by,
                verb="deleted" if row.target_id in made else "changed",
                kind="people.user",
                object_id=str(row.target_id),
                title=row.title,
                changes={name: [after, before] for name, (before, after) in row.changes.items()}
                if row.target_id not in made
                else {},
                batch=batch,
            )
            for row, _person in intact
            if row.verdict != "create" or row.target_id in made
        ),
        batch_size=BATCH,
    )
    User.objects.filter(pk__in=made).delete()
    return len(made) + len(back)


def known_elsewhere(ids: set[int]) -> set[int]:
    """Return those of these people that any other row of the hub points to, their own memberships aside."""
    found: set[int] = set()
    for relation in User._meta.get_fields(include_hidden=True):
        model = relation.related_model
        if isinstance(relation, ForeignObjectRel) and model not in (Membership, "self"):
            name = relation.field.name
            rows = cast(type[Model], model)._base_manager.filter(**{f"{name}__in": ids})
            found |= set(rows.values_list(name, flat=True))
    return found


def _give_back_teams(rows: Sequence[tuple[ImportRow, User]]) -> None:
    """Set each person's memberships to what they were; the one that the row made goes."""
    teams = dict(Team.objects.values_list("slug", "pk"))
    wanted = {
        pk: Membership(
            pk=pk,
            person=person,
            team_id=teams[team],
            starts_on=date.fromisoformat(starts_on),
            ends_on=date.fromisoformat(ends_on) if ends_on else None,
            is_primary=is_primary,
            updated_at=timezone.now(),
            created_at=timezone.now(),
        )
        for row, person in rows
        for pk, team, starts_on, ends_on, is_primary in row.values["held"]
        if team in teams
    }
    theirs = Membership.objects.filter(person__in=[person.pk for _row, person in rows])
    theirs.exclude(pk__in=wanted).delete()
    there = set(theirs.values_list("pk", flat=True))
    kept = [one for pk, one in wanted.items() if pk in there]
    Membership.objects.bulk_update(kept, ["starts_on", "ends_on", "is_primary", "updated_at"], batch_size=500)
    Membership.objects.bulk_create([one for pk, one in wanted.items() if pk not in there], batch_size=BATCH)
