"""What the people pages show, across models."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import F, Prefetch, QuerySet

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

    team: Team
    depth: int
    size: int  # people in the team itself
    total: int  # people in it and in all teams below
    url: str
    lead: str  # a name
    lead_url: str


def team_tree(teams: Iterable[Team]) -> Sequence[TeamRow]:
    """Order teams as a tree, children under their parent by name. `teams` carry `size` (see `with_size`).

    A team whose parent is not among them stands at the top.
    """
    rows = sorted(teams, key=lambda team: (team.name.casefold(), team.pk))
    known = {team.pk for team in rows}
    below: dict[int | None, list[Team]] = {}
    for team in rows:
        below.setdefault(team.parent_id if team.parent_id in known else None, []).append(team)
    found: list[TeamRow] = []
    team_url, person_url = address_of("people:team_detail"), address_of("people:person_detail")

    def row(team: Team, depth: int, size: int, total: int) -> TeamRow:
        lead = team.lead
        return TeamRow(
            team, depth, size, total, team_url(team.slug), str(lead or ""), person_url(lead.pk) if lead else ""
        )

    def walk(team: Team, depth: int) -> int:
        at = len(found)
        size: int = getattr(team, "size", 0)
        found.append(row(team, depth, size, size))
        total = size + sum(walk(child, depth + 1) for child in below.get(team.pk, ()))
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
