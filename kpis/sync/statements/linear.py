"""What is computed from a tracker's items, states and cycles, and its seats. Definitions: docs/metrics.md.

The company's value is computed from the items of all teams, tied to a team of the company or not, never from the
teams' values. Weeks are ISO weeks in the tracker team's own time zone. Parameters: `refs` … `pointed` describe the
tracker's teams, `bugs` are names of labels.
"""

from .weeks import NONE

# The tracker's teams with a valid time zone, and the weeks asked for with their bounds in each zone.
TEAMS = """
teams AS (
  SELECT * FROM unnest(%(connections)s::bigint[], %(refs)s::text[], %(teams)s::bigint[], %(zones)s::text[],
                       %(pointed)s::boolean[])
    WITH ORDINALITY AS t(connection_id, ref, team_id, zone, pointed, place)
),
zones AS (SELECT DISTINCT zone FROM teams),
weeks AS (
  SELECT zone, day::date AS week, day AT TIME ZONE zone AS starts_at, (day + interval '7 days') AT TIME ZONE zone AS ends_at
  FROM zones, generate_series(%(first)s::timestamp, %(past)s::timestamp - interval '1 day', interval '7 days') AS day
)"""

# A value for each team, and one for the company; items of tracker teams that stand for no team count for the company.
SCOPES = "GROUP BY GROUPING SETS ((week, team_id), (week)) HAVING GROUPING(team_id) = 1 OR team_id IS NOT NULL"

CALENDAR = """
born AS MATERIALIZED (
  SELECT t.team_id, min(date_trunc('week', least(i.opened_at, i.completed_at) AT TIME ZONE t.zone))::date AS week
  FROM connectors_workitem i JOIN teams t ON t.connection_id = i.connection_id AND t.ref = i.team_ref
  GROUP BY GROUPING SETS ((t.team_id), ()) HAVING GROUPING(t.team_id) = 1 OR t.team_id IS NOT NULL
),
calendar AS (  -- nothing finished is a measured zero, from the first item known on
  SELECT w.week, b.team_id FROM (SELECT DISTINCT week FROM weeks WHERE starts_at < %(now)s) w
  JOIN born b ON w.week >= b.week
)"""

# A deleted item stays in the flow of weeks that were over before it went.
DONE = f"""
{TEAMS},
done AS (
  SELECT i.connection_id, i.external_id, i.parent_ref, i.project_ref, i.label_refs, t.team_id, w.week,
         extract(epoch FROM i.completed_at - i.started_at)::float8 / 86400 AS cycle_days,
         extract(epoch FROM i.completed_at - i.opened_at)::float8 / 86400 AS lead_days
  FROM connectors_workitem i
  JOIN teams t ON t.connection_id = i.connection_id AND t.ref = i.team_ref
  JOIN weeks w ON w.zone = t.zone AND i.completed_at >= w.starts_at AND i.completed_at < w.ends_at
  WHERE i.state_type = 'completed' AND NOT i.is_trashed AND (i.deleted_at IS NULL OR i.deleted_at >= w.ends_at)
),
counted AS (  -- a sub-issue counts only where its parent does not
  SELECT d.* FROM done d
  WHERE d.parent_ref = '' OR NOT EXISTS (
    SELECT 1 FROM done p WHERE p.connection_id = d.connection_id AND p.external_id = d.parent_ref AND p.week = d.week)
)"""

BUG_LABELS = """
bug_labels AS (  -- the labels named, and the children of a group named
  SELECT l.connection_id, array_agg(l.external_id::text) AS refs
  FROM connectors_worklabel l
  LEFT JOIN connectors_worklabel g ON g.connection_id = l.connection_id AND g.external_id = l.parent_ref
    AND g.deleted_at IS NULL
  WHERE l.deleted_at IS NULL AND (lower(l.name) = ANY(%(bugs)s) OR lower(g.name) = ANY(%(bugs)s))
  GROUP BY l.connection_id
)"""

# Cycle time leaves out items that jumped to done (no start, or under a minute) and impossible ones (done before
# started): their share is 1 - coverage. Lead time leaves out items done before they were opened.
FLOW = f"""
WITH {DONE},
figures AS (
  SELECT week, team_id, count(*) AS items,
         count(*) FILTER (WHERE cycle_days * 1440 >= 1) AS timed,
         count(*) FILTER (WHERE lead_days >= 0) AS led,
         percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY cycle_days)
           FILTER (WHERE cycle_days * 1440 >= 1) AS cycle,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_days) FILTER (WHERE lead_days >= 0) AS lead
  FROM counted {SCOPES}
),
{CALENDAR}
SELECT 'cycle-time', team_id, week, cycle[1], {NONE}, {NONE}, {NONE}, timed, timed::float8 / items FROM figures WHERE timed > 0
UNION ALL
SELECT 'cycle-time-p85', team_id, week, cycle[2], {NONE}, {NONE}, {NONE}, timed, timed::float8 / items
FROM figures WHERE timed > 0
UNION ALL
SELECT 'lead-time', team_id, week, lead, {NONE}, {NONE}, {NONE}, led, led::float8 / items FROM figures WHERE led > 0
UNION ALL
SELECT 'throughput', c.team_id, c.week, coalesce(f.items, 0), {NONE}, {NONE}, {NONE}, coalesce(f.items, 0), {NONE}
FROM calendar c LEFT JOIN figures f ON f.week = c.week AND f.team_id IS NOT DISTINCT FROM c.team_id"""

BUGS = f"""
WITH {DONE}, {BUG_LABELS},
opened AS (
  SELECT t.team_id, w.week, i.label_refs && coalesce(b.refs, ARRAY[]::text[])::varchar[] AS is_bug
  FROM connectors_workitem i
  JOIN teams t ON t.connection_id = i.connection_id AND t.ref = i.team_ref
  JOIN weeks w ON w.zone = t.zone AND i.opened_at >= w.starts_at AND i.opened_at < w.ends_at
  LEFT JOIN bug_labels b ON b.connection_id = i.connection_id
  WHERE NOT i.is_trashed AND (i.deleted_at IS NULL OR i.deleted_at >= w.ends_at)
),
finished AS (
  SELECT d.team_id, d.week, d.label_refs && coalesce(b.refs, ARRAY[]::text[])::varchar[] AS is_bug
  FROM counted d LEFT JOIN bug_labels b ON b.connection_id = d.connection_id
)
SELECT 'bug-ratio', team_id, week, count(*) FILTER (WHERE is_bug)::float8 / count(*),
       count(*) FILTER (WHERE is_bug), count(*), {NONE}, count(*), {NONE}
FROM opened {SCOPES}
UNION ALL
SELECT 'bug-ratio-done', team_id, week, count(*) FILTER (WHERE is_bug)::float8 / count(*),
       count(*) FILTER (WHERE is_bug), count(*), {NONE}, count(*), {NONE}
FROM finished {SCOPES}"""

# What was under way when the week ended (or now). Ageing compares with the team's own 85th percentile of 90 days.
STOCK = f"""
WITH {TEAMS},
moments AS (
  -- a week that began in one zone begins for all: the company's stock is never that of its easternmost team alone
  SELECT zone, week, least(ends_at, %(now)s::timestamptz) AS at FROM weeks
  WHERE week IN (SELECT week FROM weeks WHERE starts_at < %(now)s)
),
busy AS MATERIALIZED (  -- the planner must not meet the weeks before the items: that takes minutes
  SELECT i.id, t.team_id, t.zone, t.place, s.started_at, s.ended_at,
         least(i.deleted_at, k.deleted_at) AS gone_at,  -- a state that was removed still names what was in it before
         least(i.started_at, s.started_at) AS since
  FROM connectors_statespan s
  JOIN connectors_workstate k ON k.connection_id = s.connection_id AND k.external_id = s.state_ref AND k.type = 'started'
  JOIN connectors_workitem i ON i.connection_id = s.connection_id AND i.external_id = s.item_ref
  JOIN teams t ON t.connection_id = i.connection_id AND t.ref = i.team_ref
  WHERE NOT i.is_trashed AND s.deleted_at IS NULL AND s.started_at <= %(now)s
    AND (s.ended_at IS NULL OR s.ended_at > %(first)s::timestamp AT TIME ZONE 'UTC' - interval '2 days')
),
touched AS (  -- the weeks it can be of, one more at both ends; which ones it is of is said below
  SELECT b.*, generate_series(
    greatest(date_trunc('week', b.started_at AT TIME ZONE b.zone) - interval '7 days', %(first)s::timestamp),
    date_trunc('week', coalesce(b.ended_at, %(now)s) AT TIME ZONE b.zone) + interval '7 days', interval '7 days')::date AS week
  FROM busy b
),
held AS (
  SELECT m.week, b.team_id, b.place, extract(epoch FROM m.at - min(b.since))::float8 / 86400 AS age
  FROM touched b
  JOIN moments m ON m.week = b.week AND m.zone = b.zone
    AND b.started_at <= m.at AND (b.ended_at IS NULL OR b.ended_at > m.at) AND (b.gone_at IS NULL OR b.gone_at > m.at)
  GROUP BY b.id, b.team_id, b.place, m.week, m.at
),
over AS MATERIALIZED (
  SELECT t.place, t.zone, i.connection_id, i.external_id, i.parent_ref, i.completed_at, i.deleted_at, i.started_at,
         date_trunc('week', i.completed_at AT TIME ZONE t.zone) AS week
  FROM connectors_workitem i JOIN teams t ON t.connection_id = i.connection_id AND t.ref = i.team_ref
  WHERE i.state_type = 'completed' AND NOT i.is_trashed
    AND i.completed_at >= %(first)s::timestamp AT TIME ZONE 'UTC' - interval '100 days'
),
past AS MATERIALIZED (
  SELECT o.place, o.zone, o.completed_at, o.deleted_at,
         extract(epoch FROM o.completed_at - o.started_at)::float8 / 86400 AS days
  FROM over o
  WHERE o.completed_at - o.started_at >= interval '1 minute' AND (o.parent_ref = '' OR NOT EXISTS (
    SELECT 1 FROM over p WHERE p.connection_id = o.connection_id AND p.external_id = o.parent_ref AND p.week = o.week))
),
usual AS (
  SELECT p.place, m.week, percentile_cont(0.85) WITHIN GROUP (ORDER BY p.days) AS p85
  FROM past p JOIN moments m ON m.zone = p.zone AND p.completed_at < m.at AND p.completed_at >= m.at - interval '90 days'
    AND (p.deleted_at IS NULL OR p.deleted_at > m.at)
  GROUP BY p.place, m.week
),
figures AS (
  SELECT week, team_id, count(*) AS items, percentile_cont(0.85) WITHIN GROUP (ORDER BY age) AS age,
         count(*) FILTER (WHERE age > p85) AS ageing, count(p85) AS judged
  FROM (SELECT h.week, h.team_id, h.age, u.p85 FROM held h LEFT JOIN usual u
        ON u.place = h.place AND u.week = h.week) AS judged
  {SCOPES}
),
{CALENDAR}
SELECT 'wip', coalesce(c.team_id, f.team_id), coalesce(c.week, f.week), coalesce(f.items, 0), {NONE}, {NONE}, {NONE},
       coalesce(f.items, 0), {NONE}
FROM calendar c FULL JOIN figures f ON f.week = c.week AND coalesce(f.team_id, 0) = coalesce(c.team_id, 0)
UNION ALL
SELECT 'wip-age-p85', team_id, week, age, {NONE}, {NONE}, {NONE}, items, {NONE} FROM figures
UNION ALL
SELECT 'ageing-share', team_id, week, ageing::float8 / judged, ageing, judged, {NONE}, judged, judged::float8 / items
FROM figures WHERE judged > 0"""

# Cycles that ended. Committed: in the cycle 24 h after its start, rebuilt from the changes of the item's cycle.
CYCLES = f"""
WITH {TEAMS},
measures AS (  -- points and items do not add up: points only where all that stands for the team is estimated
  SELECT team_id, bool_and(pointed) AS pointed FROM teams GROUP BY team_id
),
closed AS MATERIALIZED (
  SELECT c.connection_id, c.external_id AS ref, c.team_ref, t.team_id, c.ends_at,
         c.starts_at + interval '24 hours' AS planned_at,
         date_trunc('week', c.ends_at AT TIME ZONE t.zone)::date AS week,
         c.scope_history AS points, c.item_count_history AS items
  FROM connectors_workcycle c
  JOIN teams t ON t.connection_id = c.connection_id AND t.ref = c.team_ref
  WHERE c.ends_at <= %(now)s AND c.deleted_at IS NULL
    AND c.ends_at >= %(first)s::timestamp AT TIME ZONE 'UTC' - interval '400 days'  -- six cycles of eight weeks
),
touched AS (
  SELECT DISTINCT c.connection_id, c.ref, x.item_ref
  FROM closed c JOIN (
    SELECT connection_id, item_ref, before AS cycle FROM connectors_transition
    WHERE field = 'cycle' AND before <> '' AND deleted_at IS NULL
    UNION SELECT connection_id, item_ref, after FROM connectors_transition
    WHERE field = 'cycle' AND after <> '' AND deleted_at IS NULL
    UNION SELECT connection_id, external_id, cycle_ref FROM connectors_workitem WHERE cycle_ref <> ''
  ) x ON x.connection_id = c.connection_id AND x.cycle = c.ref
),
judged AS (
  SELECT c.connection_id, c.ref, i.state_type = 'completed' AND i.completed_at <= c.ends_at AS kept,
         CASE
           WHEN earlier.after IS NOT NULL THEN earlier.after
           WHEN later.before IS NOT NULL THEN later.before
           WHEN coalesce(i.cycle_entered_at, i.opened_at) <= c.planned_at THEN i.cycle_ref
         END AS cycle
  FROM touched x
  JOIN closed c ON c.connection_id = x.connection_id AND c.ref = x.ref
  JOIN connectors_workitem i ON i.connection_id = x.connection_id AND i.external_id = x.item_ref
    AND NOT i.is_trashed AND (i.deleted_at IS NULL OR i.deleted_at > c.ends_at) AND i.opened_at <= c.planned_at
  LEFT JOIN LATERAL (
    SELECT r.after FROM connectors_transition r
    WHERE r.connection_id = x.connection_id AND r.item_ref = x.item_ref AND r.field = 'cycle' AND r.at <= c.planned_at
      AND r.deleted_at IS NULL
    ORDER BY r.at DESC, r.external_id DESC LIMIT 1) earlier ON true
  LEFT JOIN LATERAL (
    SELECT r.before FROM connectors_transition r
    WHERE r.connection_id = x.connection_id AND r.item_ref = x.item_ref AND r.field = 'cycle' AND r.at > c.planned_at
      AND r.deleted_at IS NULL
    ORDER BY r.at, r.external_id LIMIT 1) later ON true
),
said AS (
  SELECT c.connection_id, c.team_ref, c.ref, c.team_id, c.week, c.ends_at, j.committed, j.kept
  FROM closed c JOIN (
    SELECT connection_id, ref, count(*) AS committed, count(*) FILTER (WHERE kept) AS kept
    FROM judged WHERE cycle = ref GROUP BY connection_id, ref
  ) j ON j.connection_id = c.connection_id AND j.ref = c.ref
),
ranked AS (
  SELECT connection_id, team_ref, ref, team_id, week, committed, kept, kept::float8 / committed AS share,
         row_number() OVER (PARTITION BY connection_id, team_ref ORDER BY ends_at, ref) AS place
  FROM said
),
recent AS (  -- with each cycle, the five before it
  SELECT r.week, r.team_id, p.committed, p.kept, p.share
  FROM (SELECT DISTINCT ON (connection_id, team_ref, week) * FROM ranked
        ORDER BY connection_id, team_ref, week, place DESC) r
  JOIN ranked p ON p.connection_id = r.connection_id AND p.team_ref = r.team_ref AND p.place BETWEEN r.place - 5 AND r.place
),
scopes AS (
  SELECT c.week, c.team_id,
         CASE WHEN m.pointed THEN points[cardinality(points)] - points[2] ELSE items[cardinality(items)] - items[2] END AS moved,
         CASE WHEN m.pointed THEN points[2] ELSE items[2] END AS planned,
         items[cardinality(items)] - items[2] AS moved_items, items[2] AS planned_items
  FROM closed c JOIN measures m ON m.team_id IS NOT DISTINCT FROM c.team_id
)
SELECT 'predictability', team_id, week, avg(share), sum(kept), sum(committed), stddev_pop(share), sum(committed), {NONE}
FROM recent WHERE team_id IS NOT NULL AND week >= %(first)s::date AND week < %(past)s::date GROUP BY team_id, week
UNION ALL
SELECT 'predictability', NULL::bigint, week, sum(kept)::float8 / sum(committed), sum(kept), sum(committed), {NONE}, sum(committed), {NONE}
FROM recent WHERE week >= %(first)s::date AND week < %(past)s::date GROUP BY week
UNION ALL
SELECT 'scope-change', team_id, week, sum(moved) / sum(planned), sum(moved), sum(planned), {NONE}, count(*), {NONE}
FROM scopes WHERE team_id IS NOT NULL AND planned > 0 AND week >= %(first)s::date AND week < %(past)s::date
GROUP BY team_id, week
UNION ALL
SELECT 'scope-change', NULL::bigint, week, sum(moved_items) / sum(planned_items), sum(moved_items), sum(planned_items), {NONE},
       count(*), {NONE}
FROM scopes WHERE planned_items > 0 AND week >= %(first)s::date AND week < %(past)s::date GROUP BY week"""

# Seats are known as of the night they were read; earlier nights keep what was recorded then.
SEATS = f"""
WITH seats AS (
  SELECT a.id, m.team_id,
         (a.last_seen_at IS NULL AND a.joined_at < %(now)s::timestamptz - interval '30 days')
           OR coalesce(a.last_seen_at < %(now)s::timestamptz - interval '30 days', false) AS is_dormant
  FROM connectors_personaccount a
  LEFT JOIN people_membership m ON m.person_id = a.person_id AND m.is_primary AND m.starts_on <= %(today)s
    AND (m.ends_on IS NULL OR m.ends_on > %(today)s)
  WHERE a.is_active AND a.kind <> 'bot' AND a.deleted_at IS NULL AND a.connection_id = ANY(%(trackers)s)
    AND (a.last_seen_at IS NOT NULL OR a.joined_at IS NOT NULL)  -- Jira tells neither: not measured is not in use
),
figures AS (
  SELECT team_id, count(*) AS seats, count(*) FILTER (WHERE is_dormant) AS dormant FROM seats
  GROUP BY GROUPING SETS ((team_id), ()) HAVING GROUPING(team_id) = 1 OR team_id IS NOT NULL
)
SELECT 'seats-active', team_id, %(week)s::date, seats - dormant, {NONE}, {NONE}, {NONE}, seats, {NONE} FROM figures WHERE seats > 0
UNION ALL
SELECT 'seats-dormant', team_id, %(week)s::date, dormant, {NONE}, {NONE}, {NONE}, seats, {NONE} FROM figures WHERE seats > 0"""
