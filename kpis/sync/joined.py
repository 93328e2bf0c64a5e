"""How far the tools are joined: the same statements as the figures', asked by the page that shows their coverage."""

from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from connectors.models import Connection
from kpis.models import Metric

from .recompute import statuses_under_way
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
       (SELECT count(*) FROM aimed),
       (SELECT coalesce(json_agg(loose), '[]') FROM (
          SELECT f.id AS pk, f.name, f.status, f.url FROM features f
          WHERE NOT EXISTS (SELECT 1 FROM joined j JOIN projects p ON p.id = j.project_id WHERE j.item_id = f.id)
          ORDER BY lower(f.name), f.id LIMIT {SHOWN_AT_MOST}) AS loose)"""


TOOLS = """
SELECT c.label, coalesce(a.accounts, 0), coalesce(a.known, 0), coalesce(a.leavers, 0),
       coalesce(t.teams, 0), coalesce(t.tied, 0)
FROM connectors_connection c
LEFT JOIN (
  SELECT connection_id, count(*) AS accounts, count(*) FILTER (WHERE match <> 'unmatched') AS known,
         count(*) FILTER (WHERE person_id IN (SELECT id FROM people_user WHERE NOT is_active)) AS leavers
  FROM connectors_personaccount
  WHERE deleted_at IS NULL AND is_active AND kind <> 'bot' AND match <> 'ignored' GROUP BY connection_id
) a ON a.connection_id = c.id
LEFT JOIN (
  SELECT connection_id, count(*) AS teams, count(team_id) AS tied
  FROM connectors_workteam WHERE deleted_at IS NULL AND archived_at IS NULL GROUP BY connection_id
) t ON t.connection_id = c.id
WHERE c.is_active ORDER BY c.label, c.id"""


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
    """Count what is joined, and name features under way without a project. Three statements."""
    given: dict[str, Any] = {
        "read": list(Connection.objects.filter(is_active=True).values_list("pk", flat=True)),
        "statuses": statuses_under_way(dict(Metric.objects.exclude(settings={}).values_list("key", "settings"))),
    }
    with database.cursor() as cursor:
        cursor.execute(COUNTS, given)
        projects, delivered, features, shipped, aimed, loose = cursor.fetchall()[0]
    named = tuple(Loose(**row) for row in loose)
    return Joins(Join(delivered, projects), Join(shipped, features), Join(aimed, features), named)


def tools() -> list[Tool]:
    """Return how far each connection's accounts and teams are tied to ours. One statement."""
    with database.cursor() as cursor:
        cursor.execute(TOOLS)
        return [
            Tool(label, Join(known, accounts), Join(tied, teams), leavers)
            for label, accounts, known, leavers, teams, tied in cursor.fetchall()
        ]
