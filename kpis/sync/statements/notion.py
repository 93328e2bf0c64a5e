"""What is computed from the pages of mapped databases: interviews, decisions, experiments, documents.

A property counts as long as its database still has it, by its id; where an admin named none, or it was removed, the
database has no part in the figure. Pages in the trash are left out. A page is of the teams that its team property
names: by the very name of a team (select, formula, title of a related page), or through a person's team that day.
`titles` are patterns of the job titles of product people, in lower case.
`fresh_days` and `policy_days` are how long a document stays fresh, `cadence_weeks` how far back the cadence looks.
"""

from .weeks import HOMES, NONE, WEEKS, scoped

ZONED = "AT TIME ZONE %(zone)s"


def value(field: str) -> str:
    """Return what stands in the property that a field of the mapping names; NULL where nothing does."""
    return f"""nullif(p."values" -> (m.fields ->> '{field}') -> 'value', 'null')"""


def day(field: str, end: str = "start") -> str:
    """Return the day in a property, by the company's clock where it has an hour; `end` is the end of a span, if any."""
    held = value(field)
    text = f"coalesce({held} ->> '{end}', {held} ->> 'start', {held} #>> '{{}}')"
    return f"""CASE WHEN jsonb_typeof({held}) = 'object' OR p."values" -> (m.fields ->> '{field}') ->> 'type' = 'created_time'
      THEN CASE WHEN length({text}) = 10 THEN ({text})::date WHEN {text} ~ '^\\d{{4}}-\\d\\d-\\d\\dT' THEN
        (({text})::timestamptz {ZONED})::date END END"""


MAPPED = """
mapped AS (
  SELECT m.connection_id, m.source_ref, m.meaning, m.held, (
    SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}') FROM jsonb_each_text(m.fields) f
    WHERE EXISTS (SELECT 1 FROM jsonb_array_elements(s.properties) p WHERE p ->> 'id' = f.value)) AS fields
  FROM connectors_sourcemapping m
  JOIN connectors_documentsource s ON s.connection_id = m.connection_id AND s.external_id = m.source_ref
    AND s.deleted_at IS NULL AND NOT s.is_trashed
  WHERE m.connection_id = ANY(%(read)s)
)"""


def pages(columns: str, where: str, on: str = "%(today)s::date") -> str:
    """Return the mapped pages that fit `where`, with `columns`, and their teams as of the day `on`."""
    return f"""
{HOMES}, {MAPPED},
pages AS MATERIALIZED (
  SELECT p.id, p.connection_id, p.external_id AS ref, p.opened_at, p.edited_at, p.editor_ref, p.deleted_at, p."values",
         m.meaning, m.fields, p."values" -> (m.fields ->> 'team') ->> 'type' AS team_kind, {value("team")} AS team_value,
         jsonb_exists(m.held, coalesce({value("status")} ->> 'id', {value("status")} #>> '{{}}')) AS is_held, {columns}
  FROM connectors_document p JOIN mapped m ON m.connection_id = p.connection_id AND m.source_ref = p.source_ref
  WHERE NOT p.is_trashed AND {where}
),
names AS (  -- two teams of one name are told apart by nobody
  SELECT lower(name) AS name, min(id) AS team_id FROM people_team GROUP BY lower(name) HAVING count(*) = 1
),
page_teams AS (
  SELECT p.id, n.team_id
  FROM pages p CROSS JOIN LATERAL (
    SELECT team_value ->> 'name' AS name WHERE team_kind IN ('select', 'status')
    UNION ALL SELECT one ->> 'name'
      FROM jsonb_array_elements(CASE team_kind WHEN 'multi_select' THEN team_value END) one
    UNION ALL SELECT team_value #>> '{{}}' WHERE team_kind = 'formula' AND jsonb_typeof(team_value) = 'string'
    UNION ALL SELECT d.title
      FROM jsonb_array_elements_text(CASE team_kind WHEN 'relation' THEN team_value -> 'ids' END) AS r(ref)
      JOIN connectors_document d ON d.connection_id = p.connection_id AND d.external_id = r.ref
  ) AS said JOIN names n ON n.name = lower(trim(said.name))
  UNION SELECT p.id, h.team_id
  FROM pages p
  CROSS JOIN LATERAL jsonb_array_elements_text(CASE team_kind WHEN 'people' THEN team_value END) AS r(ref)
  JOIN homes h ON h.connection_id = p.connection_id AND h.ref = r.ref
    AND h.starts_on <= {on} AND (h.ends_on IS NULL OR h.ends_on > {on})
)"""


def dated(meaning: str, columns: str, needs: str = "date,status") -> str:
    """Return the pages of one meaning that count (held, decided …), each with its day; deleted ones until their week."""
    asked = "".join(f" AND jsonb_exists(m.fields, '{field}')" for field in needs.split(","))
    return f"""
{WEEKS}, {pages(f"{day('date')} AS day, {columns}", f"m.meaning = '{meaning}'{asked}", on="p.day")},
held AS (
  SELECT p.*, date_trunc('week', p.day)::date AS week FROM pages p
  WHERE p.is_held AND (p.deleted_at IS NULL OR p.deleted_at >= (date_trunc('week', p.day) + interval '7 days') {ZONED})
),
{scoped("held", "page_teams")}"""


# No interview is a measured zero, from the first one known on. Where nothing says when it was written up, the day the
# page was made does, unless that was before the interview.
INTERVIEWS = f"""
WITH {
    dated(
        "interviews",
        f'''{value("insights")} IS NOT NULL AS is_used, jsonb_exists(m.fields, 'insights') AS is_told,
  coalesce({day("written")}, (p.opened_at {ZONED})::date) AS written''',
    )
},
born AS (SELECT team_id, min(week) AS week FROM scoped GROUP BY team_id),
calendar AS (
  SELECT w.week, b.team_id, b.week AS born FROM weeks w JOIN born b ON w.week >= b.week AND w.starts_at < %(now)s
),
counts AS (
  SELECT week, team_id, count(*) AS talks, count(*) FILTER (WHERE is_told) AS told,
         count(*) FILTER (WHERE is_told AND is_used) AS used, count(*) FILTER (WHERE written >= day) AS timed,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY (written - day)::float8) FILTER (WHERE written >= day) AS days
  FROM scoped GROUP BY week, team_id
),
figures AS (
  SELECT c.*, least(%(cadence_weeks)s::int, (c.week - c.born) / 7 + 1) AS weeks,
         (SELECT count(*) FROM counts n WHERE n.team_id IS NOT DISTINCT FROM c.team_id
            AND n.week <= c.week AND n.week > c.week - 7 * %(cadence_weeks)s::int) AS busy
  FROM calendar c
)
SELECT 'interviews', c.team_id, c.week, coalesce(n.talks, 0), {NONE}, {NONE}, {NONE}, coalesce(n.talks, 0), {NONE}
FROM calendar c LEFT JOIN counts n ON n.week = c.week AND n.team_id IS NOT DISTINCT FROM c.team_id
UNION ALL
SELECT 'interview-cadence', team_id, week, busy::float8 / weeks, busy, weeks, {NONE}, weeks, {NONE} FROM figures
UNION ALL
SELECT 'insight-rate', team_id, week, used::float8 / told, used, told, {NONE}, told, told::float8 / talks
FROM counts WHERE told > 0 AND week >= %(first)s::date AND week < %(past)s::date
UNION ALL
SELECT 'write-up-time', team_id, week, days, {NONE}, {NONE}, {NONE}, timed, timed::float8 / talks
FROM counts WHERE timed > 0 AND week >= %(first)s::date AND week < %(past)s::date"""

# Of those whose job title holds one of the words chosen, who held an interview; from the first one known on.
PEOPLE = f"""
WITH {dated("interviews", f"{value('person')} AS people", "date,status,person")},
asked AS (  -- one account is told as text, several as a list
  SELECT DISTINCT h.week, h.connection_id, r.ref
  FROM held h CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(h.people) WHEN 'array' THEN h.people WHEN 'string' THEN jsonb_build_array(h.people) END) AS r(ref)
),
born AS (SELECT min(week) AS week FROM asked),
there AS (  -- product people in a week, and their team on its last day
  SELECT DISTINCT ON (w.week, u.id) w.week, u.id AS person_id, m.team_id
  FROM born b JOIN weeks w ON w.week >= b.week AND w.starts_at < %(now)s
  JOIN people_membership m ON m.is_primary AND m.starts_on <= w.week + 6 AND (m.ends_on IS NULL OR m.ends_on > w.week + 6)
  JOIN people_user u ON u.id = m.person_id AND lower(u.job_title) LIKE ANY(%(titles)s)
  ORDER BY w.week, u.id, m.starts_on DESC
),
talked AS (
  SELECT a.week, a.connection_id, a.ref, t.person_id
  FROM asked a
  LEFT JOIN connectors_personaccount p ON p.connection_id = a.connection_id AND p.external_id = a.ref
  LEFT JOIN there t ON t.week = a.week AND t.person_id = p.person_id
),
covered AS (SELECT week, count(person_id)::float8 / count(*) AS share FROM talked GROUP BY week),
figures AS (
  SELECT t.week, t.team_id, GROUPING(t.team_id) = 1 AS is_company, count(*) AS every, count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM talked k WHERE k.week = t.week AND k.person_id = t.person_id)) AS busy
  FROM there t GROUP BY GROUPING SETS ((t.week, t.team_id), (t.week))
)
SELECT 'discovery-people', f.team_id, f.week, f.busy::float8 / f.every, f.busy, f.every, {NONE}, f.every,
       CASE WHEN f.is_company THEN c.share END
FROM figures f LEFT JOIN covered c ON c.week = f.week"""

# No decision is a measured zero, from the first one known on.
DECISIONS = f"""
WITH {
    dated(
        "decisions",
        f'''{day("proposed")} AS proposed,
  jsonb_exists(m.fields, 'person') AND jsonb_exists(m.fields, 'review') AS is_told,
  {value("person")} IS NOT NULL AND {value("review")} IS NOT NULL AS is_owned''',
    )
},
born AS (SELECT team_id, min(week) AS week FROM scoped GROUP BY team_id),
figures AS (
  SELECT week, team_id, count(*) AS every, count(*) FILTER (WHERE day >= proposed) AS timed,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY (day - proposed)::float8) FILTER (WHERE day >= proposed) AS days,
         count(*) FILTER (WHERE is_told) AS told, count(*) FILTER (WHERE is_told AND is_owned) AS owned
  FROM scoped WHERE week >= %(first)s::date AND week < %(past)s::date GROUP BY week, team_id
)
SELECT 'decisions', b.team_id, w.week, coalesce(f.every, 0), {NONE}, {NONE}, {NONE}, coalesce(f.every, 0), {NONE}
FROM born b JOIN weeks w ON w.week >= b.week AND w.starts_at < %(now)s
LEFT JOIN figures f ON f.week = w.week AND f.team_id IS NOT DISTINCT FROM b.team_id
UNION ALL
SELECT 'decision-time', team_id, week, days, {NONE}, {NONE}, {NONE}, timed, timed::float8 / every
FROM figures WHERE timed > 0
UNION ALL
SELECT 'decision-ownership', team_id, week, owned::float8 / told, owned, told, {NONE}, told, told::float8 / every
FROM figures WHERE told > 0"""

# Decided, and the day on which to look at it again has gone by: whoever looks names the next one.
REVIEWED = pages(
    f"{day('review')} AS review, {value('person')} AS owner",
    "m.meaning = 'decisions' AND p.deleted_at IS NULL AND jsonb_exists(m.fields, 'status') AND jsonb_exists(m.fields, 'review')",
)
REVIEWS = f"""
WITH {REVIEWED},
decided AS (SELECT id, review FROM pages WHERE is_held),
{scoped("decided", "page_teams")},
figures AS (
  SELECT team_id, count(*) AS every, count(review) AS told, count(*) FILTER (WHERE review < %(today)s::date) AS overdue
  FROM scoped GROUP BY team_id
)
SELECT 'overdue-reviews', team_id, %(week)s::date, overdue, {NONE}, {NONE}, {NONE}, told, told::float8 / every
FROM figures WHERE told > 0"""

# Of the experiments whose thirty days after the end ran out in the last ninety, as the databases stand now.
DUE = f"""{
    pages(
        f"{day('date', 'end')} AS day, {value('status')} AS result",
        "m.meaning = 'experiments' AND p.deleted_at IS NULL AND "
        "jsonb_exists(m.fields, 'date') AND jsonb_exists(m.fields, 'status')",
        on="p.day",
    )
},
due AS (
  SELECT id, coalesce(is_held, false) AS is_held, result FROM pages
  WHERE day + 30 <= %(today)s::date AND day + 30 > %(today)s::date - 90
),
{scoped("due", "page_teams")}"""
EXPERIMENTS = f"""
WITH {DUE}
SELECT 'experiment-results', team_id, %(week)s::date, count(*) FILTER (WHERE is_held)::float8 / count(*),
       count(*) FILTER (WHERE is_held), count(*), {NONE}, count(*), {NONE}
FROM scoped GROUP BY team_id"""

DOCUMENTS = f"""
WITH {
    pages(
        f'''{value("verification")} AS verified, {value("person")} AS owner, jsonb_exists(m.fields, 'person') AS is_asked,
  CASE m.meaning WHEN 'policies' THEN %(policy_days)s::int ELSE %(fresh_days)s::int END * interval '1 day' AS span''',
        "m.meaning IN ('documents', 'policies') AND p.deleted_at IS NULL",
    )
},
pointed AS (
  SELECT DISTINCT d.connection_id, r.ref
  FROM connectors_document d CROSS JOIN LATERAL jsonb_each(d."values") v
  CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE v.value ->> 'type' WHEN 'relation' THEN v.value -> 'value' -> 'ids' END) AS r(ref)
  WHERE d.connection_id = ANY(%(read)s) AND d.deleted_at IS NULL AND NOT d.is_trashed AND r.ref <> d.external_id
),
judged AS (
  SELECT p.id, p.is_asked, extract(epoch FROM %(now)s - p.edited_at)::float8 / 86400 AS age,
    coalesce(p.verified ->> 'state' = 'verified' AND coalesce(
      CASE WHEN length(p.verified ->> 'end') = 10 THEN (p.verified ->> 'end')::date >= %(today)s::date
           ELSE (p.verified ->> 'end')::timestamptz >= %(now)s END, true), false)
    OR p.edited_at >= %(now)s::timestamptz - p.span AND NOT EXISTS (
      SELECT 1 FROM connectors_personaccount a
      WHERE a.connection_id = p.connection_id AND a.external_id = p.editor_ref AND a.kind = 'bot') AS is_fresh,
    p.edited_at < %(now)s::timestamptz - 2 * p.span AND NOT EXISTS (
      SELECT 1 FROM pointed t WHERE t.connection_id = p.connection_id AND t.ref = p.ref) AS is_dead,
    EXISTS (
      SELECT 1 FROM connectors_personaccount a LEFT JOIN people_user u ON u.id = a.person_id
      WHERE a.connection_id = p.connection_id AND a.kind <> 'bot' AND a.is_active AND a.deleted_at IS NULL
        AND u.is_active IS NOT FALSE
        AND (jsonb_exists(p.owner, a.external_id) OR p.owner #>> '{{}}' = a.external_id)) AS is_owned
  FROM pages p
),
{scoped("judged", "page_teams")},
figures AS (
  SELECT team_id, count(*) AS every, count(*) FILTER (WHERE is_fresh) AS fresh, count(*) FILTER (WHERE is_dead) AS dead,
         count(*) FILTER (WHERE is_asked) AS asked, count(*) FILTER (WHERE is_asked AND is_owned) AS owned,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY age) AS age
  FROM scoped GROUP BY team_id
)
SELECT 'doc-freshness', team_id, %(week)s::date, fresh::float8 / every, fresh, every, {NONE}, every, {NONE} FROM figures
UNION ALL
SELECT 'doc-age', team_id, %(week)s::date, age, {NONE}, {NONE}, {NONE}, every, {NONE} FROM figures
UNION ALL
SELECT 'dead-docs', team_id, %(week)s::date, dead, {NONE}, {NONE}, {NONE}, every, {NONE} FROM figures
UNION ALL
SELECT 'doc-ownership', team_id, %(week)s::date, owned::float8 / asked, owned, asked, {
    NONE
}, asked, asked::float8 / every
FROM figures WHERE asked > 0"""

COMPLETENESS = f"""
WITH {pages("m.fields <> '{}'::jsonb AS is_asked", "p.deleted_at IS NULL")},
judged AS (
  SELECT p.id, p.is_asked, NOT EXISTS (
    SELECT 1 FROM jsonb_each_text(p.fields) f WHERE coalesce(p."values" -> f.value -> 'value', 'null') = 'null') AS is_whole
  FROM pages p
),
{scoped("judged", "page_teams")}
SELECT 'completeness', team_id, %(week)s::date, count(*) FILTER (WHERE is_asked AND is_whole)::float8 / count(*) FILTER (WHERE is_asked),
       count(*) FILTER (WHERE is_asked AND is_whole), count(*) FILTER (WHERE is_asked), {NONE},
       count(*) FILTER (WHERE is_asked), count(*) FILTER (WHERE is_asked)::float8 / count(*)
FROM scoped GROUP BY team_id HAVING count(*) FILTER (WHERE is_asked) > 0"""
