"""What is computed across tools: projects tied to what they deliver, and what seats cost that nobody uses.

A project is tied to a planned thing that names its address among its own, or by a person. Never by its name.
`priced` are services whose seats have a price that somebody entered, `prices` a seat's price a month.
"""

from .linear import DONE
from .productboard import PATHS, items
from .weeks import NONE, WEEKS, scoped

# What was shipped may be put away: a feature in the archive still says what its project was for.
EVERY = items("NOT is_archived OR kind IN ('feature', 'subfeature')")

# A thing may name a page below the project's own, so each beginning of its addresses is tried.
JOINED = """
projects AS (
  SELECT id, connection_id, external_id AS ref, lower(rtrim(url, '/')) AS url, team_refs, completed_at, deleted_at
  FROM connectors_workproject WHERE connection_id = ANY(%(read)s) AND NOT is_trashed
),
addresses AS (
  SELECT DISTINCT i.id, array_to_string(u.parts[1:n], '/') AS url
  FROM items i CROSS JOIN LATERAL unnest(i.outside_urls) AS o(url)
  CROSS JOIN LATERAL (SELECT string_to_array(rtrim(regexp_replace(lower(o.url), '[?#].*$', ''), '/'), '/') AS parts) u
  CROSS JOIN LATERAL generate_series(4, cardinality(u.parts)) AS n
),
joined AS (
  SELECT p.id AS project_id, a.id AS item_id FROM projects p JOIN addresses a ON a.url = p.url
  UNION SELECT project_id, item_id FROM kpis_projectlink WHERE removed_at IS NULL
)"""

# From the day the earliest of a project's features was written down until the project was completed.
DELIVERY = f"""
WITH {WEEKS}, {EVERY}, {JOINED},
project_teams AS (
  SELECT DISTINCT p.id, t.team_id
  FROM projects p CROSS JOIN LATERAL unnest(p.team_refs) AS r(ref)
  JOIN connectors_workteam t ON t.connection_id = p.connection_id AND t.external_id = r.ref AND t.deleted_at IS NULL
  WHERE t.team_id IS NOT NULL
),
delivered AS (
  SELECT p.id, w.week, (
    SELECT extract(epoch FROM p.completed_at - min(i.opened_at))::float8 / 86400
    FROM joined j JOIN items i ON i.id = j.item_id AND i.kind = 'feature' WHERE j.project_id = p.id) AS days
  FROM projects p JOIN weeks w ON p.completed_at >= w.starts_at AND p.completed_at < w.ends_at
  WHERE p.deleted_at IS NULL OR p.deleted_at >= w.ends_at
),
{scoped("delivered", "project_teams")}
SELECT 'idea-to-delivery', team_id, week, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE days >= 0),
       {NONE}, {NONE}, {NONE}, count(*) FILTER (WHERE days >= 0), count(*) FILTER (WHERE days >= 0)::float8 / count(*)
FROM scoped GROUP BY week, team_id HAVING count(*) FILTER (WHERE days >= 0) > 0"""

# Of the time spent on finished items, the share on projects that serve an objective.
COVERAGE = f"""
WITH RECURSIVE {DONE}, {EVERY}, {PATHS}, {JOINED},
aimed AS (
  SELECT DISTINCT p.connection_id, p.ref
  FROM projects p JOIN joined j ON j.project_id = p.id JOIN items i ON i.id = j.item_id
  WHERE i.kind = 'objective'
     OR EXISTS (SELECT 1 FROM served s WHERE s.connection_id = i.connection_id AND s.ref = i.external_id)
),
timed AS (
  SELECT d.week, d.team_id, CASE WHEN d.cycle_days * 1440 >= 1 THEN d.cycle_days END AS days, a.ref IS NOT NULL AS is_aimed
  FROM counted d LEFT JOIN aimed a ON a.connection_id = d.connection_id AND a.ref = d.project_ref AND d.project_ref <> ''
)
SELECT 'strategy-coverage', team_id, week, coalesce(sum(days) FILTER (WHERE is_aimed), 0) / sum(days),
       coalesce(sum(days) FILTER (WHERE is_aimed), 0), sum(days), {NONE}, count(days), count(days)::float8 / count(*)
FROM timed GROUP BY GROUPING SETS ((week, team_id), (week))
HAVING (GROUPING(team_id) = 1 OR team_id IS NOT NULL) AND count(days) > 0"""

# Seats that somebody pays for in tools whose price is known. A tool that tells when a seat was used says so itself, or
# by the day for thirty days and more; of others nothing is said.
SPEND = f"""
WITH priced AS (
  SELECT c.id AS connection_id, p.price, EXISTS (
    SELECT 1 FROM connectors_accountday d
    WHERE d.connection_id = c.id AND d.deleted_at IS NULL AND d.day <= %(today)s::date - 30) AS is_by_day
  FROM unnest(%(priced)s::text[], %(prices)s::float8[]) AS p(service, price)
  JOIN connectors_connection c ON c.service = p.service AND c.id = ANY(%(read)s)
),
used AS MATERIALIZED (  -- once, not for each seat
  SELECT DISTINCT connection_id, account_ref AS ref FROM connectors_accountday
  WHERE connection_id = ANY(%(read)s) AND is_active AND deleted_at IS NULL AND day > %(today)s::date - 30
),
seats AS (
  SELECT a.id, t.price, m.team_id, CASE
      WHEN a.last_seen_at IS NOT NULL THEN a.last_seen_at < %(now)s::timestamptz - interval '30 days'
      WHEN t.is_by_day THEN u.ref IS NULL
      ELSE a.joined_at < %(now)s::timestamptz - interval '30 days' END AS is_dormant
  FROM connectors_personaccount a JOIN priced t ON t.connection_id = a.connection_id
  LEFT JOIN used u ON u.connection_id = a.connection_id AND u.ref = a.external_id
  LEFT JOIN people_membership m ON m.person_id = a.person_id AND m.is_primary AND m.starts_on <= %(today)s
    AND (m.ends_on IS NULL OR m.ends_on > %(today)s)
  WHERE a.is_active AND a.deleted_at IS NULL AND a.match <> 'ignored'
    AND (a.kind IN ('admin', 'member') OR a.kind = 'guest' AND a.connection_id = ANY(%(trackers)s))
)
SELECT 'spend-at-risk', team_id, %(week)s::date, coalesce(sum(price) FILTER (WHERE is_dormant), 0), {NONE}, {NONE}, {NONE},
       count(is_dormant), count(is_dormant)::float8 / count(*)
FROM seats GROUP BY GROUPING SETS ((team_id), ()) HAVING (GROUPING(team_id) = 1 OR team_id IS NOT NULL) AND count(is_dormant) > 0"""
