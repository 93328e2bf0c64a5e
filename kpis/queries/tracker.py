"""What the trackers' teams tell the pages of numbers."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from connectors import registry
from connectors.models import WorkTeam
from hub.people.models import Team


@dataclass(frozen=True)
class Trackers:
    """What the trackers' teams tell: the active teams they stand for, by name, and those without a known time zone."""

    teams: tuple[tuple[str, str], ...]  # address and name of each
    zoneless: tuple[tuple[int | None, str], ...]  # the team it stands for, the name in the tracker

    def without_zone(self, team: Team | None) -> list[str]:
        """Return the names, in the tracker, of what counts in this scope by the company's time zone."""
        return [name for team_id, name in self.zoneless if team is None or team_id == team.pk]


def trackers(team: Team | None = None) -> Trackers:
    """Look at the trackers' teams, or at those of one team. One statement, of the few columns that are told."""
    services = registry.reading("issues")
    rows = WorkTeam.objects.live().filter(connection__is_active=True, connection__service__in=services)
    rows = rows.order_by("name", "pk")
    read = (rows.filter(team=team) if team else rows).values_list(
        "name", "key", "time_zone", "team", "team__slug", "team__name", "team__is_active"
    )
    zones, teams, zoneless = known_zones(), set(), []
    for name, key, zone, team_id, slug, team_name, is_active in read:
        if is_active:
            teams.add((team_name, team_id, slug))
        if zone not in zones:
            zoneless.append((team_id, name or key))
    return Trackers(tuple((slug, name) for name, _pk, slug in sorted(teams)), tuple(zoneless))


@cache
def known_zones() -> frozenset[str]:
    """Return the names of time zones; reading them takes a walk through a folder."""
    return frozenset(available_timezones())
