"""How far the tools are joined: the same statements as the figures', asked by the page that shows their coverage."""

from dataclasses import dataclass

from django.db import connection as database
from django.db.models import Count, Q
from django.utils import timezone

from connectors.models import Connection, PersonAccount, WorkTeam

from .recompute import parameters
from .statements.joins import EVERY, JOINED
from .statements.productboard import PATHS

SHOWN_AT_MOST = 200

COUNTS = f"""
WITH RECURSIVE {EVERY}, {PATHS}, {JOINED},
delivered AS (SELECT j.project_id, j.item_id FROM joined j JOIN items i ON i.id = j.item_id),
aimed AS (
  SELECT f.id FROM features f
  WHERE EXISTS (SELECT 1 FROM served s WHERE s.connection_id = f.connection_id AND s.ref = f.external_id)
)
SELECT (SELECT count(*) FROM projects WHERE deleted_at IS NULL),
       (SELECT count(*) FROM projects p WHERE deleted_at IS NULL AND EXISTS (
          SELECT 1 FROM delivered d WHERE d.project_id = p.id)),
       (SELECT count(*) FROM features),
       (SELECT count(*) FROM features f WHERE EXISTS (SELECT 1 FROM delivered d WHERE d.item_id = f.id)),
       (SELECT count(*) FROM aimed)"""

LOOSE = f"""
WITH {EVERY}, {JOINED}
SELECT f.id, f.name, f.status, f.url FROM features f
WHERE NOT EXISTS (SELECT 1 FROM joined j JOIN projects p ON p.id = j.project_id WHERE j.item_id = f.id)
ORDER BY lower(f.name), f.id LIMIT {SHOWN_AT_MOST}"""


@dataclass(frozen=True)
class Join:
    """How many of `every` are joined."""

    joined: int
    every: int

    @property
    def share(self) -> float | None:
        return self.joined / self.every if self.every else None


@dataclass(frozen=True)
class Loose:
    """A feature under way that no project is known to deliver."""

    pk: int
    name: str
    status: str
    url: str


@dataclass(frozen=True)
class Joins:
    """Projects with a feature; features under way with a project, and with an objective; those without a project."""

    projects: Join
    features: Join
    objectives: Join
    loose: tuple[Loose, ...]


@dataclass(frozen=True)
class Tool:
    """Who is who in one tool: its open accounts of people, its teams, and seats of people who left."""

    label: str
    accounts: Join
    teams: Join
    leavers: int


def joins() -> Joins:
    """Count what is joined, and name features under way without a project. Two statements beside the parameters."""
    today = timezone.localdate()
    given = parameters(first=today, past=today, now=timezone.now())
    with database.cursor() as cursor:
        cursor.execute(COUNTS, given)
        projects, delivered, features, shipped, aimed = cursor.fetchall()[0]
        cursor.execute(LOOSE, given)
        loose = tuple(Loose(*row) for row in cursor.fetchall())
    return Joins(Join(delivered, projects), Join(shipped, features), Join(aimed, features), loose)


def tools() -> list[Tool]:
    """Return how far each connection's accounts and teams are tied to ours. Three statements."""
    unmatched = Q(match=PersonAccount.Match.UNMATCHED)
    accounts = {
        row[0]: row[1:]
        for row in PersonAccount.objects.filter(deleted_at=None, is_active=True)
        .exclude(kind="bot")
        .exclude(match=PersonAccount.Match.IGNORED)
        .order_by()
        .values_list("connection")
        .annotate(
            every=Count("pk"), known=Count("pk", filter=~unmatched), left=Count("pk", filter=Q(person__is_active=False))
        )
    }
    teams = {
        row[0]: row[1:]
        for row in WorkTeam.objects.filter(deleted_at=None, archived_at=None)
        .order_by()
        .values_list("connection")
        .annotate(every=Count("pk"), tied=Count("pk", filter=~Q(team=None)))
    }
    found = []
    for pk, label in Connection.objects.filter(is_active=True).order_by("label", "pk").values_list("pk", "label"):
        every, known, left = accounts.get(pk, (0, 0, 0))
        all_teams, tied = teams.get(pk, (0, 0))
        found.append(Tool(label, Join(known, every), Join(tied, all_teams), left))
    return found
