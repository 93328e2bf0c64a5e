"""What the hub's own nightly readings tell: Productboard keeps no history of a status or of a key result's value.

A day without a snapshot is as the latest one before it. What was so on the first night began at an unknown time, unless
the thing was made on that day or the one before. `delivered` and `released` are the statuses of features and releases
that count as such, in lower case.
"""

from .productboard import NOTES, items
from .weeks import NONE, WEEKS, scoped

FEATURES = "kind = 'feature' AND NOT is_archived"

# A row for each night on which a feature's status was another than before; `since` is empty where nobody saw it begin.
MARKS = """
nights AS (
  SELECT connection_id, external_id AS ref, day, coalesce("values" ->> 'fields.status.name', '') AS status,
         lag(coalesce("values" ->> 'fields.status.name', '')) OVER (PARTITION BY connection_id, external_id ORDER BY day) AS before
  FROM connectors_dailysnapshot WHERE stream = 'features' AND connection_id = ANY(%(read)s)
),
marks AS (
  SELECT n.connection_id, n.ref, n.day, n.status, n.before, (i.opened_at AT TIME ZONE %(zone)s)::date AS made_on, i.id, i.deleted_at,
         i.team_refs, lead(n.day) OVER (PARTITION BY n.connection_id, n.ref ORDER BY n.day) AS until
  FROM nights n
  JOIN connectors_productitem i ON i.connection_id = n.connection_id AND i.external_id = n.ref
    AND i.kind = 'feature' AND NOT i.is_archived
  WHERE n.before IS DISTINCT FROM n.status
),
stays AS (
  SELECT *, CASE WHEN before IS NOT NULL THEN day WHEN day <= made_on + 1 THEN made_on END AS since FROM marks
)"""

FEATURE_TEAMS = """
feature_teams AS (
  SELECT DISTINCT m.id, t.team_id
  FROM marks m CROSS JOIN LATERAL unnest(m.team_refs) AS r(ref)
  JOIN connectors_workteam t ON t.connection_id = m.connection_id AND t.external_id = r.ref AND t.deleted_at IS NULL
  WHERE t.team_id IS NOT NULL
)"""

# Moves are counted from the second night on: on the first, nothing can be seen to have moved.
MOVES = f"""
WITH {WEEKS}, {MARKS},
{FEATURE_TEAMS},
moves AS (
  SELECT m.id, m.day, w.week FROM marks m JOIN weeks w ON m.day >= w.week AND m.day < w.week + 7
  WHERE m.before IS NOT NULL AND (m.deleted_at IS NULL OR m.deleted_at >= w.ends_at)
),
born AS (SELECT min(day) + 1 AS day FROM nights HAVING min(day) < %(today)s::date),
homes AS (SELECT NULL::bigint AS team_id UNION SELECT team_id FROM feature_teams),
{scoped("moves", "feature_teams")},
figures AS (SELECT team_id, week, count(*) AS moves FROM scoped GROUP BY team_id, week)
SELECT 'feature-moves', h.team_id, w.week, coalesce(f.moves, 0), {NONE}, {NONE}, {NONE}, coalesce(f.moves, 0), {NONE}
FROM born b JOIN weeks w ON w.week + 6 >= b.day AND w.starts_at < %(now)s CROSS JOIN homes h
LEFT JOIN figures f ON f.week = w.week AND f.team_id IS NOT DISTINCT FROM h.team_id"""

STATUSES = f"""
WITH {items(FEATURES)}, {scoped("items", "item_teams")}
SELECT 'features-by-status', team_id, %(week)s::date, count(*), {NONE}, {NONE}, {NONE}, count(*), {NONE}
FROM scoped GROUP BY team_id"""

# How long features usually stay in a status, from five that left it; and how long each has been in its own.
USUAL = """
usual AS (
  SELECT status, percentile_cont(0.85) WITHIN GROUP (ORDER BY (until - since)::float8) AS p85, count(*) AS left_it
  FROM stays WHERE since IS NOT NULL AND until IS NOT NULL GROUP BY status HAVING count(*) >= 5
),
aged AS (
  SELECT i.id, i.connection_id, i.status, u.p85, %(today)s::date - s.since AS days
  FROM items i
  LEFT JOIN stays s ON s.connection_id = i.connection_id AND s.ref = i.external_id AND s.until IS NULL AND s.status = i.status
  LEFT JOIN usual u ON u.status = i.status
)"""

AGEING = f"""
WITH {MARKS}, {items(FEATURES)}, {USUAL}, {scoped("aged", "item_teams")},
figures AS (
  SELECT team_id, count(p85) AS every, count(*) FILTER (WHERE p85 IS NOT NULL AND days IS NOT NULL) AS judged,
         count(*) FILTER (WHERE days > p85) AS old
  FROM scoped GROUP BY team_id
)
SELECT 'features-ageing', team_id, %(week)s::date, old::float8 / judged, old, judged, {NONE}, judged, judged::float8 / every
FROM figures WHERE judged > 0"""

# The median counts those that nobody saw move as longer than all others, which they are; it is told as long as it is
# one of the others' days.
FRESHNESS = f"""
WITH {items()},
nights AS (
  SELECT connection_id, external_id AS ref, day, "values" -> 'fields.progress.currentValue' AS value,
         lag("values" -> 'fields.progress.currentValue') OVER (PARTITION BY connection_id, external_id ORDER BY day) AS before,
         row_number() OVER (PARTITION BY connection_id, external_id ORDER BY day) AS place
  FROM connectors_dailysnapshot WHERE stream = 'key_results' AND connection_id = ANY(%(read)s)
),
moved AS (
  SELECT connection_id, ref, min(day) AS first_day, max(day) FILTER (WHERE place > 1 AND value IS DISTINCT FROM before) AS day
  FROM nights GROUP BY connection_id, ref
),
aged AS (
  SELECT i.id, %(today)s::date - coalesce(m.day, CASE WHEN m.first_day <= k.made_on + 1 THEN k.made_on END) AS days
  FROM items i CROSS JOIN LATERAL (SELECT (i.opened_at AT TIME ZONE %(zone)s)::date AS made_on) k
  LEFT JOIN moved m ON m.connection_id = i.connection_id AND m.ref = i.external_id
  WHERE i.kind = 'key_result' AND i.metric_current IS NOT NULL
),
{scoped("aged", "item_teams")},
figures AS (
  SELECT team_id, count(*) AS every, count(days) AS known,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(days::float8, 'infinity')) AS days
  FROM scoped GROUP BY team_id
)
SELECT 'key-result-freshness', team_id, %(week)s::date, days, {NONE}, {NONE}, {NONE}, every, known::float8 / every
FROM figures WHERE days < 'infinity'"""

# Over: by the end of its last day. What its status was then is told by our snapshots; before them, one that was not
# changed since was released by then, and one that is not released today was not.
RELEASES = f"""
WITH {WEEKS}, {items("kind = 'release' AND (NOT is_archived OR lower(status) = ANY(%(released)s))")},
over AS (
  SELECT i.id, i.ends_on, CASE
    WHEN s.status IS NOT NULL THEN s.status = ANY(%(released)s)
    WHEN NOT lower(i.status) = ANY(%(released)s) THEN false
    WHEN (i.edited_at AT TIME ZONE %(zone)s)::date <= i.ends_on THEN true END AS is_kept
  FROM items i LEFT JOIN LATERAL (
    SELECT lower(coalesce("values" ->> 'fields.status.name', '')) AS status FROM connectors_dailysnapshot s
    WHERE s.connection_id = i.connection_id AND s.stream = 'releases' AND s.external_id = i.external_id AND s.day <= i.ends_on
    ORDER BY s.day DESC LIMIT 1) s ON true
  WHERE i.ends_on < %(today)s::date
),
{scoped("over", "item_teams")},
figures AS (
  SELECT w.week, r.team_id, count(*) AS every, count(is_kept) AS known, count(*) FILTER (WHERE is_kept) AS kept
  FROM weeks w JOIN scoped r ON r.ends_on <= w.week + 6 AND r.ends_on > w.week + 6 - 91
  WHERE w.starts_at < %(now)s GROUP BY w.week, r.team_id
)
SELECT 'releases-on-time', team_id, week, kept::float8 / known, kept, known, {NONE}, known, known::float8 / every
FROM figures WHERE known > 0"""

# From a note to the first night on which something it is tied to was seen delivered, and was not the night before.
SHIPPED = f"""
WITH {WEEKS}, {NOTES},
nights AS (
  SELECT connection_id, external_id AS ref, min(day) AS first_day,
         min(day) FILTER (WHERE lower("values" ->> 'fields.status.name') = ANY(%(delivered)s)) AS day
  FROM connectors_dailysnapshot WHERE stream IN ('features', 'subfeatures') AND connection_id = ANY(%(read)s)
  GROUP BY connection_id, external_id
),
delivered AS (
  SELECT n.connection_id, n.ref, n.day, n.first_day < n.day OR n.day <= (i.opened_at AT TIME ZONE %(zone)s)::date + 1 AS is_seen
  FROM nights n JOIN connectors_productitem i ON i.connection_id = n.connection_id AND i.external_id = n.ref
  WHERE n.day IS NOT NULL
),
shipped AS (
  SELECT n.id, n.deleted_at, min(d.day) AS over_on, min(d.day) - n.day AS days
  FROM notes n
  JOIN connectors_feedbacklink l ON l.connection_id = n.connection_id AND l.feedback_ref = n.ref AND l.deleted_at IS NULL
  JOIN delivered d ON d.connection_id = l.connection_id AND d.ref = l.item_ref AND d.day >= n.day
  WHERE NOT n.is_archived GROUP BY n.id, n.deleted_at, n.day HAVING bool_and(d.is_seen)
),
{scoped("shipped", "note_teams")}
SELECT 'feedback-to-ship', n.team_id, w.week, percentile_cont(0.5) WITHIN GROUP (ORDER BY n.days::float8), {NONE}, {NONE}, {NONE},
       count(*), {NONE}
FROM scoped n JOIN weeks w ON n.over_on >= w.week AND n.over_on < w.week + 7
WHERE n.deleted_at IS NULL OR n.deleted_at >= w.ends_at
GROUP BY w.week, n.team_id"""
