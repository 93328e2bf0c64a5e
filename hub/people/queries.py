"""What the people pages show, across models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from django.db.models import Count, F, Prefetch, QuerySet

from hub.core.http import address_of

from .models import Membership, Team, User


def with_teams(people: "QuerySet[User]", *, day: date) -> "QuerySet[User]":
    """Bring each person's teams of `day` along as `teams_now`, the main one first, in one more query."""
    held = Membership.objects.on(day).select_related("team").order_by("-is_primary", "team__name", "pk")
    return people.prefetch_related(Prefetch("memberships", queryset=held, to_attr="teams_now"))


def teams_now(person: User) -> "list[Membership]":
    """Return what `with_teams` brought along."""
    held: list[Membership] = person.teams_now  # type: ignore[attr-defined]
    return held


@dataclass(frozen=True)
class TeamRow:
    """A team in the list, at its depth in the tree."""

    name: str
    url: str
    is_active: bool
    depth: int
    size: int  # people in the team itself
    total: int  # people in it and in all teams below
    lead: str  # a name
    lead_url: str


class Read(NamedTuple):
    """What is read of a team for the list; whole teams and people would cost most of the page."""

    pk: int
    name: str
    slug: str
    parent_id: int | None
    is_active: bool
    lead_id: int | None
    lead__name: str | None
    lead__email: str | None


def team_tree(*, day: date, shows_closed: bool = False) -> Sequence[TeamRow]:
    """Order the teams as a tree, children under their parent by name. Two queries.

    A team whose parent is not among them stands at the top.
    """
    members = Membership.objects.on(day).filter(person__is_active=True).order_by()
    sizes = dict(members.values_list("team").annotate(size=Count("person", distinct=True)))
    teams = Team.objects.all()
    read = [Read(*row) for row in (teams if shows_closed else teams.active()).values_list(*Read._fields)]
    rows = sorted(read, key=lambda team: (team.name.casefold(), team.pk))
    known = {team.pk for team in rows}
    below: dict[int | None, list[Read]] = {}
    for team in rows:
        below.setdefault(team.parent_id if team.parent_id in known else None, []).append(team)
    found: list[TeamRow] = []
    team_url, person_url = address_of("people:team_detail"), address_of("people:person_detail")

    def walk(team: Read, depth: int) -> int:
        at = len(found)
        lead_url = person_url(team.lead_id) if team.lead_id else ""
        lead, size = team.lead__name or team.lead__email or "", sizes.get(team.pk, 0)
        found.append(TeamRow(team.name, team_url(team.slug), team.is_active, depth, size, size, lead, lead_url))
        total: int = size + sum(walk(child, depth + 1) for child in below.get(team.pk, ()))
        found[at] = replace(found[at], total=total)
        return total

    for top in below.get(None, ()):
        walk(top, 0)
    return found


def teams_below(team: Team) -> set[int]:
    """Return the ids of `team` and of every team under it, in one query."""
    parents = dict(Team.objects.values_list("pk", "parent_id"))
    found = {team.pk}
    while more := {pk for pk, parent in parents.items() if parent in found and pk not in found}:
        found |= more
    return found


def members_of(team: Team, *, day: date) -> "QuerySet[Membership]":
    """The people of a team on `day`, by name."""
    return (
        Membership.objects.on(day)
        .filter(team=team, person__is_active=True)
        .select_related("person")
        .order_by("person__name", "pk")
    )


def memberships_of(person: User) -> "QuerySet[Membership]":
    """A person's teams through time, those of today first."""
    return person.memberships.select_related("team").order_by(F("ends_on").desc(nulls_first=True), "-starts_on", "pk")
