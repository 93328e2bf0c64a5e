"""How what was computed becomes what is stored: the old values into the history first."""

# Tables that were never counted, or grew tenfold since.
UNCOUNTED = """
SELECT relname FROM pg_class
WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0
  AND (reltuples < 0 OR pg_stat_get_live_tuples(oid) > 10 * reltuples + 1000)"""

STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS kpis_stage (key text, team_id bigint, week date, value float8, num float8, den float8,
  spread float8, n bigint, coverage float8) ON COMMIT DROP"""

# Equality after rounding: a float that was only added up in another order is no restatement.
SAME = """
  round(s.value::numeric, 9) IS NOT DISTINCT FROM round(o.value::numeric, 9)
  AND round(s.num::numeric, 9) IS NOT DISTINCT FROM round(o.num::numeric, 9)
  AND round(s.den::numeric, 9) IS NOT DISTINCT FROM round(o.den::numeric, 9)
  AND s.n = o.n AND round(s.coverage::numeric, 9) IS NOT DISTINCT FROM round(o.coverage::numeric, 9)"""

COLUMNS = "metric_id, team_id, week, value, num, den, spread, n, coverage, read_at, recorded_at"

KEEP = f"""
INSERT INTO kpis_observationhistory ({COLUMNS}, superseded_at, reason)
SELECT o.metric_id, o.team_id, o.week, o.value, o.num, o.den, o.spread, o.n, o.coverage, o.read_at, o.recorded_at,
       %(at)s, CASE WHEN o.read_at < (o.week + 7)::timestamp AT TIME ZONE %(zone)s THEN 'partial' ELSE %(reason)s END
FROM kpis_observation o JOIN kpis_metric m ON m.id = o.metric_id
JOIN kpis_stage s ON s.key = m.key AND s.week = o.week AND s.team_id IS NOT DISTINCT FROM o.team_id
WHERE NOT ({SAME})"""

KEEP_GONE = f"""
WITH gone AS (
  DELETE FROM kpis_observation o USING kpis_metric m
  WHERE m.id = o.metric_id AND m.key = ANY(%(keys)s) AND o.week >= %(first)s AND o.week < %(past)s
    AND NOT EXISTS (SELECT 1 FROM kpis_stage s
                    WHERE s.key = m.key AND s.week = o.week AND s.team_id IS NOT DISTINCT FROM o.team_id)
  RETURNING o.*
)
INSERT INTO kpis_observationhistory ({COLUMNS}, superseded_at, reason) SELECT {COLUMNS}, %(at)s, 'gone' FROM gone"""

WRITE = f"""
INSERT INTO kpis_observation AS o ({COLUMNS})
SELECT m.id, s.team_id, s.week, s.value, s.num, s.den, s.spread, s.n, s.coverage, %(now)s, %(at)s
FROM kpis_stage s JOIN kpis_metric m ON m.key = s.key
ON CONFLICT (metric_id, team_id, week) DO UPDATE
SET value = excluded.value, num = excluded.num, den = excluded.den, spread = excluded.spread, n = excluded.n,
    coverage = excluded.coverage, read_at = excluded.read_at, recorded_at = excluded.recorded_at
WHERE NOT ({SAME.replace("s.", "excluded.")})"""
