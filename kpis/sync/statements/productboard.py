"""What is computed from feedback, features, objectives and members of a product-management tool.

Weeks are by the company's clock, for such a tool's teams have none. A thing is of the teams it names, through the
tool's team that is tied to one of ours; a note is of its owner's team on the day it came in. What holds at a moment is
of the week in which it was read; earlier weeks keep what was recorded then. `statuses` are those that count as under
way, in lower case; `efforts` the custom fields that hold a feature's effort; `evidence` is how many notes make a case;
`feedback_days` how far back the time to process looks.
"""

from .weeks import HOMES, NONE, WEEKS, scoped

NOTES = f"""
{HOMES},
notes AS (
  SELECT id, connection_id, external_id AS ref, owner_ref, is_processed, is_archived, customer_ref <> '' AS has_customer,
         opened_at, deleted_at, (opened_at AT TIME ZONE %(zone)s)::date AS day, (edited_at AT TIME ZONE %(zone)s)::date AS edited_on
  FROM connectors_feedback WHERE connection_id = ANY(%(read)s) AND opened_at <= %(now)s
),
note_teams AS (
  SELECT DISTINCT n.id, h.team_id
  FROM notes n JOIN homes h ON h.connection_id = n.connection_id AND h.ref = n.owner_ref
    AND h.starts_on <= n.day AND (h.ends_on IS NULL OR h.ends_on > n.day)
)"""

# Notes of a week. Archived ones are left out and told apart: the tool calls them unprocessed, whatever they were.
FEEDBACK = f"""
WITH {WEEKS}, {NOTES}, {scoped("notes", "note_teams")},
born AS (SELECT team_id, date_trunc('week', min(day))::date AS week FROM scoped GROUP BY team_id),
calendar AS (  -- no feedback is a measured zero, from the first note on
  SELECT w.week, b.team_id FROM weeks w JOIN born b ON w.week >= b.week AND w.starts_at < %(now)s
),
figures AS (
  SELECT w.week, n.team_id, count(*) AS every, count(*) FILTER (WHERE NOT is_archived) AS kept,
         count(*) FILTER (WHERE NOT is_archived AND is_processed) AS processed,
         count(*) FILTER (WHERE NOT is_archived AND has_customer) AS known
  FROM scoped n JOIN weeks w ON n.opened_at >= w.starts_at AND n.opened_at < w.ends_at
  WHERE n.deleted_at IS NULL OR n.deleted_at >= w.ends_at
  GROUP BY w.week, n.team_id
)
SELECT 'feedback-volume', c.team_id, c.week, coalesce(f.kept, 0), {NONE}, {NONE}, {NONE}, coalesce(f.kept, 0), {NONE}
FROM calendar c LEFT JOIN figures f ON f.week = c.week AND f.team_id IS NOT DISTINCT FROM c.team_id
UNION ALL
SELECT 'feedback-processed', team_id, week, processed::float8 / kept, processed, kept, {NONE}, kept, kept::float8 / every
FROM figures WHERE kept > 0
UNION ALL
SELECT 'feedback-archived', team_id, week, 1 - kept::float8 / every, every - kept, every, {NONE}, every, {NONE}
FROM figures
UNION ALL
SELECT 'feedback-customer', team_id, week, known::float8 / kept, known, kept, {NONE}, kept, kept::float8 / every
FROM figures WHERE kept > 0"""

# The day a note was first seen processed. Where it was processed before the hub first saw it, the day of its last change:
# it was processed on that day or before (`is_seen` is false).
PROCESSED = f"""
{NOTES},
seen AS (
  SELECT connection_id, external_id AS ref, min(day) AS first_day,
         min(day) FILTER (WHERE ("values" ->> 'fields.processed')::boolean) AS day
  FROM connectors_dailysnapshot WHERE stream = 'notes' AND connection_id = ANY(%(read)s)
  GROUP BY connection_id, external_id
),
ended AS (
  SELECT n.id, n.connection_id, n.ref, n.day, n.deleted_at, s.day IS NOT NULL OR n.is_processed AS is_over, k.is_seen,
         CASE WHEN k.is_seen THEN s.day WHEN s.day IS NOT NULL OR n.is_processed THEN least(n.edited_on, s.day) END AS over_on
  FROM notes n LEFT JOIN seen s ON s.connection_id = n.connection_id AND s.ref = n.ref
  CROSS JOIN LATERAL (SELECT coalesce(s.first_day < s.day OR s.first_day <= n.day + 1 AND s.day IS NOT NULL, false) AS is_seen) k
  WHERE NOT n.is_archived
)"""

# A note that was processed in the week it came in was processed in that week, whatever the day.
LINKED = f"""
WITH {WEEKS}, {PROCESSED}, {scoped("ended", "note_teams")},
figures AS (
  SELECT w.week, n.team_id, count(*) AS every, count(*) FILTER (WHERE k.is_known) AS processed,
         count(*) FILTER (WHERE k.is_known AND EXISTS (
    SELECT 1 FROM connectors_feedbacklink l
    WHERE l.connection_id = n.connection_id AND l.feedback_ref = n.ref AND l.deleted_at IS NULL)) AS linked
  FROM scoped n JOIN weeks w ON n.over_on >= w.week AND n.over_on < w.week + 7
  CROSS JOIN LATERAL (SELECT n.is_seen OR n.day >= w.week AS is_known) k
  WHERE n.deleted_at IS NULL OR n.deleted_at >= w.ends_at
  GROUP BY w.week, n.team_id
)
SELECT 'feedback-linked', team_id, week, linked::float8 / processed, linked, processed, {NONE}, processed,
       processed::float8 / every
FROM figures WHERE processed > 0"""

# Kaplan and Meier's median: the first day by which half would be processed. Notes that still wait count as long as they
# have waited, those whose day isn't known as processed on their last one: the median can come out too long, never short.
WAITING = f"""
WITH {PROCESSED}, {scoped("ended", "note_teams")},
cohort AS (
  SELECT *, CASE WHEN is_over THEN greatest(over_on - day, 0) ELSE %(today)s::date - day END AS days FROM scoped WHERE deleted_at IS NULL AND day > %(today)s::date - %(feedback_days)s::int
),
steps AS (
  SELECT team_id, days, count(*) FILTER (WHERE is_over) AS over,
         sum(count(*)) OVER (PARTITION BY team_id ORDER BY days DESC) AS waiting
  FROM cohort GROUP BY team_id, days
),
curve AS (
  SELECT team_id, days, CASE WHEN over = waiting THEN 0 ELSE exp(
    sum(CASE WHEN over < waiting THEN ln(1 - over::float8 / waiting::float8) END) OVER (PARTITION BY team_id ORDER BY days)
  ) END AS left_over
  FROM steps
),
counts AS (
  SELECT team_id, count(*) AS every, count(*) FILTER (WHERE is_over) AS over,
         count(*) FILTER (WHERE is_seen OR NOT is_over) AS known
  FROM cohort GROUP BY team_id
)
SELECT 'time-to-process', c.team_id, %(week)s::date, min(c.days)::float8, min(n.over), min(n.every), {NONE}, min(n.every),
       min(n.known)::float8 / min(n.every)
FROM curve c JOIN counts n ON n.team_id IS NOT DISTINCT FROM c.team_id
WHERE c.left_over <= 0.5 + 1e-9 GROUP BY c.team_id"""

BACKLOG = f"""
WITH {NOTES}, {scoped("notes", "note_teams")},
figures AS (
  SELECT team_id, count(*) FILTER (WHERE NOT is_processed) AS waiting,
         percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - opened_at)::float8 / 86400)
           FILTER (WHERE NOT is_processed) AS age
  FROM scoped WHERE NOT is_archived AND deleted_at IS NULL GROUP BY team_id
)
SELECT 'feedback-backlog', team_id, %(week)s::date, waiting, {NONE}, {NONE}, {NONE}, waiting, {NONE} FROM figures
UNION ALL
SELECT 'feedback-age', team_id, %(week)s::date, age[1], {NONE}, {NONE}, {NONE}, waiting, {NONE}
FROM figures WHERE waiting > 0
UNION ALL
SELECT 'feedback-age-p90', team_id, %(week)s::date, age[2], {NONE}, {NONE}, {NONE}, waiting, {NONE}
FROM figures WHERE waiting > 0"""


def items(kept: str = "NOT is_archived") -> str:
    """Return what is planned, as far as it is `kept`; its teams; and which features are under way."""
    return f"""
items AS (
  SELECT * FROM connectors_productitem WHERE connection_id = ANY(%(read)s) AND deleted_at IS NULL AND ({kept})
),
item_teams AS (
  SELECT DISTINCT i.id, t.team_id
  FROM items i CROSS JOIN LATERAL unnest(i.team_refs) AS r(ref)
  JOIN connectors_workteam t ON t.connection_id = i.connection_id AND t.external_id = r.ref AND t.deleted_at IS NULL
  WHERE t.team_id IS NOT NULL
),
features AS (
  SELECT * FROM items WHERE kind = 'feature' AND NOT is_archived AND lower(status) = ANY(%(statuses)s)
)"""


ITEMS = items()

HYGIENE = f"""
WITH {ITEMS},
judged AS (
  SELECT id, owner_ref <> '' OR owner_email <> '' AS owned, cardinality(team_refs) > 0 AS teamed,
         coalesce(starts_on, ends_on) IS NOT NULL AS dated,
         health NOT IN ('', 'notSet') AND coalesce(health_at >= %(now)s::timestamptz - interval '30 days', false) AS told
  FROM features
),
{scoped("judged", "item_teams")},
figures AS (
  SELECT team_id, count(*) AS every, count(*) FILTER (WHERE owned) AS owned, count(*) FILTER (WHERE teamed) AS teamed,
         count(*) FILTER (WHERE dated) AS dated, count(*) FILTER (WHERE told) AS told,
         count(*) FILTER (WHERE owned AND teamed AND dated AND told) AS whole
  FROM scoped GROUP BY team_id
)
SELECT f.key, team_id, %(week)s::date, f.good::float8 / every, f.good, every, {NONE}, every, {NONE}
FROM figures CROSS JOIN LATERAL (VALUES
  ('features-hygiene', whole), ('features-owner', owned), ('features-team', teamed), ('features-timeframe', dated),
  ('features-health', told)) AS f(key, good)"""

EVIDENCE = f"""
WITH {ITEMS},
heard AS (
  SELECT l.connection_id, l.item_ref AS ref, count(DISTINCT l.feedback_ref) AS notes
  FROM connectors_feedbacklink l JOIN connectors_feedback n
    ON n.connection_id = l.connection_id AND n.external_id = l.feedback_ref AND n.deleted_at IS NULL AND NOT n.is_archived
  WHERE l.deleted_at IS NULL GROUP BY l.connection_id, l.item_ref
),
judged AS (
  SELECT f.id, coalesce(h.notes, 0) >= %(evidence)s::int AS is_heard
  FROM features f LEFT JOIN heard h ON h.connection_id = f.connection_id AND h.ref = f.external_id
),
{scoped("judged", "item_teams")}
SELECT 'evidence', team_id, %(week)s::date, count(*) FILTER (WHERE is_heard)::float8 / count(*),
       count(*) FILTER (WHERE is_heard), count(*), {NONE}, count(*), {NONE}
FROM scoped GROUP BY team_id"""

# Which things serve which objective: tied to it, or to an initiative tied to it, themselves or by what they are part of.
# A tie is a link, in whichever direction, or being the other's part.
PATHS = """
ties AS (
  SELECT connection_id, item_ref AS ref, target_ref AS other FROM connectors_productlink
  WHERE kind = 'link' AND deleted_at IS NULL
  UNION SELECT connection_id, target_ref, item_ref FROM connectors_productlink WHERE kind = 'link' AND deleted_at IS NULL
  UNION SELECT connection_id, external_id, parent_ref FROM items WHERE parent_ref <> ''
),
aims AS (  -- of any thing, the objectives one or two ties away
  SELECT t.connection_id, t.ref, o.external_id AS objective
  FROM ties t JOIN items o ON o.connection_id = t.connection_id AND o.external_id = t.other AND o.kind = 'objective'
  UNION
  SELECT t.connection_id, t.ref, o.external_id
  FROM ties t
  JOIN items v ON v.connection_id = t.connection_id AND v.external_id = t.other AND v.kind = 'initiative'
  JOIN ties u ON u.connection_id = v.connection_id AND u.ref = v.external_id
  JOIN items o ON o.connection_id = u.connection_id AND o.external_id = u.other AND o.kind = 'objective'
),
above AS (  -- a thing, and what it is part of, all the way up; a circle ends by itself
  SELECT connection_id, external_id AS ref, external_id AS up FROM items
  UNION
  SELECT a.connection_id, a.ref, i.parent_ref
  FROM above a JOIN items i ON i.connection_id = a.connection_id AND i.external_id = a.up AND i.parent_ref <> ''
),
served AS (
  SELECT DISTINCT a.connection_id, a.ref, m.objective
  FROM above a JOIN aims m ON m.connection_id = a.connection_id AND m.ref = a.up
)"""

STRATEGY = f"""
WITH RECURSIVE {ITEMS}, {PATHS},
judged AS (
  SELECT f.id, EXISTS (SELECT 1 FROM served s WHERE s.connection_id = f.connection_id AND s.ref = f.external_id) AS is_aimed,
         (SELECT sum(n.value::float8) FROM jsonb_each_text(f.numbers) n
          WHERE n.key = ANY(%(efforts)s::text[]) AND n.value::float8 >= 0) AS effort
  FROM features f
),
{scoped("judged", "item_teams")},
goals AS (
  SELECT o.id, NOT EXISTS (
    SELECT 1 FROM served s
    JOIN items i ON i.connection_id = s.connection_id AND i.external_id = s.ref AND i.kind IN ('feature', 'initiative')
    WHERE s.connection_id = o.connection_id AND s.objective = o.external_id) AS is_orphan
  FROM items o WHERE o.kind = 'objective'
),
{scoped("goals", "item_teams", "scoped_goals")}
SELECT 'objective-alignment', team_id, %(week)s::date, count(*) FILTER (WHERE is_aimed)::float8 / count(*),
       count(*) FILTER (WHERE is_aimed), count(*), {NONE}, count(*), {NONE}
FROM scoped GROUP BY team_id
UNION ALL
SELECT 'effort-alignment', team_id, %(week)s::date, coalesce(sum(effort) FILTER (WHERE is_aimed), 0) / sum(effort),
       coalesce(sum(effort) FILTER (WHERE is_aimed), 0), sum(effort), {NONE}, count(effort), count(effort)::float8 / count(*)
FROM scoped GROUP BY team_id HAVING sum(effort) > 0
UNION ALL
SELECT 'orphan-objectives', team_id, %(week)s::date, count(*) FILTER (WHERE is_orphan), {NONE}, {NONE}, {NONE}, count(*), {NONE}
FROM scoped_goals GROUP BY team_id"""

KEY_RESULTS = f"""
WITH {ITEMS},
measured AS (
  SELECT id, health,
         CASE WHEN metric_target <> metric_start AND metric_current IS NOT NULL THEN least(greatest(
           (metric_current - metric_start) / (metric_target - metric_start), 0), 1) END AS progress,
         CASE WHEN ends_on > starts_on THEN least(greatest(
           (%(today)s::date - starts_on)::float8 / (ends_on - starts_on), 0), 1) END AS elapsed
  FROM items WHERE kind = 'key_result'
),
{scoped("measured", "item_teams")},
figures AS (
  SELECT team_id, count(*) AS every, count(progress) AS told, sum(progress) AS progress,
         count(progress - elapsed) AS paced, sum(progress - elapsed) AS gap,
         count(*) FILTER (WHERE progress - elapsed < -0.2 AND health = 'onTrack') AS conflicts
  FROM scoped GROUP BY team_id
)
SELECT 'key-result-progress', team_id, %(week)s::date, progress / told, progress, told, {NONE}, told, told::float8 / every
FROM figures WHERE told > 0
UNION ALL
SELECT 'key-result-pace', team_id, %(week)s::date, gap / paced, gap, paced, {NONE}, paced, paced::float8 / every
FROM figures WHERE paced > 0
UNION ALL
SELECT 'key-result-conflicts', team_id, %(week)s::date, conflicts, {NONE}, {NONE}, {NONE}, paced, paced::float8 / every
FROM figures WHERE paced > 0"""

# First known end against the present one; where the plan is by month, quarter or year, the ends of those.
DRIFT = f"""
WITH {ITEMS},
drifted AS (
  SELECT f.id, coalesce((date_trunc(g.name, f.ends_on::timestamp) + g.step)::date, f.ends_on)
             - coalesce((date_trunc(g.name, p.first_end::timestamp) + g.step)::date, p.first_end) AS days
  FROM features f
  LEFT JOIN LATERAL (
    SELECT ("values" ->> 'fields.timeframe.endDate')::date AS first_end FROM connectors_dailysnapshot s
    WHERE s.connection_id = f.connection_id AND s.stream = 'features' AND s.external_id = f.external_id
      AND "values" ->> 'fields.timeframe.endDate' IS NOT NULL
    ORDER BY s.day LIMIT 1) p ON true
  LEFT JOIN (VALUES ('month', interval '1 month'), ('quarter', interval '3 months'), ('year', interval '1 year'))
    AS g(name, step) ON g.name = f.granularity
),
{scoped("drifted", "item_teams")}
SELECT 'timeframe-drift', team_id, %(week)s::date, percentile_cont(0.5) WITHIN GROUP (ORDER BY days::float8), {NONE}, {NONE},
       {NONE}, count(days), count(days)::float8 / count(*)
FROM scoped GROUP BY team_id HAVING count(days) > 0"""

# Of those who hold a maker's seat today, who did something in the week; and how much, of two counters that the tool has.
MAKERS = f"""
WITH {WEEKS}, {HOMES},
makers AS (
  SELECT id, connection_id, external_id AS ref, deleted_at FROM connectors_personaccount
  WHERE connection_id = ANY(%(boards)s) AND kind IN ('admin', 'member') AND is_active
),
born AS (  -- a counter that the tool never sent is not nought
  SELECT connection_id, min(day) AS day, bool_or(jsonb_exists(counts, %(boards_counter)s)) AS has_boards,
         bool_or(jsonb_exists(counts, %(notes_counter)s)) AS has_notes
  FROM connectors_accountday WHERE deleted_at IS NULL GROUP BY connection_id
),
busy AS (
  SELECT connection_id, account_ref AS ref, date_trunc('week', day)::date AS week,
         coalesce(sum((counts ->> %(boards_counter)s)::float8), 0) AS boards,
         coalesce(sum((counts ->> %(notes_counter)s)::float8), 0) AS notes
  FROM connectors_accountday WHERE is_active AND deleted_at IS NULL AND day >= %(first)s::date
  GROUP BY connection_id, account_ref, date_trunc('week', day)
),
held AS (  -- a maker in a week, and the team at the week's end
  SELECT w.week, m.id, a.ref IS NOT NULL AS is_active,
    CASE WHEN b.has_boards THEN a.boards END AS boards, CASE WHEN b.has_notes THEN a.notes END AS notes,
    (SELECT h.team_id FROM homes h WHERE h.connection_id = m.connection_id AND h.ref = m.ref
      AND h.starts_on <= w.week + 6 AND (h.ends_on IS NULL OR h.ends_on > w.week + 6)
      ORDER BY h.starts_on DESC LIMIT 1) AS team_id
  FROM makers m JOIN born b ON b.connection_id = m.connection_id
  JOIN weeks w ON w.week + 6 >= b.day AND w.starts_at < %(now)s AND (m.deleted_at IS NULL OR m.deleted_at >= w.ends_at)
  LEFT JOIN busy a ON a.connection_id = m.connection_id AND a.ref = m.ref AND a.week = w.week
),
figures AS (
  SELECT team_id, week, count(*) AS every, count(*) FILTER (WHERE is_active) AS active, count(boards) AS told_boards,
         sum(boards) AS boards, count(notes) AS told_notes, sum(notes) AS notes
  FROM held GROUP BY GROUPING SETS ((week, team_id), (week)) HAVING GROUPING(team_id) = 1 OR team_id IS NOT NULL
)
SELECT 'maker-adoption', team_id, week, active::float8 / every, active, every, {NONE}, every, {NONE} FROM figures
UNION ALL
SELECT 'boards-opened', team_id, week, boards / told_boards, boards, told_boards, {NONE}, told_boards,
       told_boards::float8 / active
FROM figures WHERE told_boards > 0
UNION ALL
SELECT 'note-changes', team_id, week, notes / told_notes, notes, told_notes, {NONE}, told_notes, told_notes::float8 / active
FROM figures WHERE told_notes > 0"""
