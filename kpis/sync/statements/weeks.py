"""What the statements share: weeks by the company's clock, and whose a thing is."""

NONE = "NULL::float8"

# Of tools whose teams have no clock of their own
WEEKS = """
weeks AS (
  SELECT day::date AS week, day AT TIME ZONE %(zone)s AS starts_at, (day + interval '7 days') AT TIME ZONE %(zone)s AS ends_at
  FROM generate_series(%(first)s::timestamp, %(past)s::timestamp - interval '1 day', interval '7 days') AS day
)"""

# The team somebody belonged to, by account; `starts_on` to the day before `ends_on`.
HOMES = """
homes AS (
  SELECT a.connection_id, a.external_id AS ref, m.team_id, m.starts_on, m.ends_on
  FROM connectors_personaccount a JOIN people_membership m ON m.person_id = a.person_id AND m.is_primary
)"""


def scoped(rows: str, ties: str, name: str = "scoped") -> str:
    """Return each row once for the company and once for each of its teams; `ties` holds (id, team_id)."""
    return f"""
{name} AS (
  SELECT NULL::bigint AS team_id, r.* FROM {rows} r
  UNION ALL SELECT t.team_id, r.* FROM {rows} r JOIN {ties} t ON t.id = r.id
)"""
