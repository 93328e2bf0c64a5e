"""Counting a tool's use from its accounts, in SQL over whole sets, after each sync.

The definitions are those of `tooling.models.adoption`; `tests/tooling/test_adoption.py` computes them a second time in
plain Python.
"""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from tooling.models import Tool

WEEKS_KEPT = 26
# Best first; what an account itself says was seen last counts as `last_seen`.
SIGNALS = ["activity", "sign_in", "edit", "last_seen", "manual"]

SEATS = """
    SELECT a.id, a.person_id, a.last_seen_at
    FROM connectors_personaccount a
    JOIN tooling_workspace w ON w.connection_id = a.connection_id
    WHERE w.tool_id = %(tool)s AND a.deleted_at IS NULL AND a.is_active AND a.kind <> 'bot' AND a.match <> 'ignored'
"""

SIGNAL = f"""
    WITH seats AS ({SEATS})
    SELECT signal FROM (
        SELECT DISTINCT d.signal FROM connectors_activityday d JOIN seats s ON s.id = d.account_id
        WHERE d.day <= %(day)s AND d.day > %(day)s::date - 90
        UNION SELECT 'last_seen' WHERE EXISTS (SELECT 1 FROM seats WHERE last_seen_at IS NOT NULL)
    ) found
    ORDER BY array_position(%(signals)s::varchar[], signal::varchar) LIMIT 1
"""

ROLLUPS = f"""
    WITH seats AS ({SEATS}),
    seen AS (
        SELECT s.id, s.person_id, GREATEST(
            (s.last_seen_at AT TIME ZONE %(zone)s)::date,
            (SELECT max(d.day) FROM connectors_activityday d
             WHERE d.account_id = s.id AND d.day <= %(day)s AND d.day > %(day)s::date - 90)
        ) AS last_day
        FROM seats s
    ),
    holders AS (
        SELECT person_id, max(last_day) AS last_day, count(*) AS accounts FROM seen
        WHERE person_id IS NOT NULL GROUP BY person_id
    ),
    eligible AS (
        SELECT DISTINCT m.person_id, m.team_id
        FROM people_membership m
        JOIN people_user u ON u.id = m.person_id AND u.is_active
        JOIN people_team t ON t.id = m.team_id AND t.is_active
        WHERE m.starts_on <= %(day)s AND (m.ends_on IS NULL OR m.ends_on > %(day)s)
    ),
    windows(size) AS (VALUES (7), (30), (90)),
    by_team AS (
        SELECT e.team_id, w.size,
            count(*) AS eligible,
            count(h.person_id) AS holders,
            count(*) FILTER (WHERE h.last_day > %(day)s::date - w.size) AS active
        FROM eligible e LEFT JOIN holders h USING (person_id) CROSS JOIN windows w
        GROUP BY e.team_id, w.size
    ),
    team_accounts AS (
        SELECT e.team_id, w.size, count(*) AS accounts,
            count(*) FILTER (WHERE s.last_day > %(day)s::date - w.size) AS accounts_active
        FROM eligible e JOIN seen s USING (person_id) CROSS JOIN windows w
        GROUP BY e.team_id, w.size
    ),
    company AS (
        SELECT w.size, count(*) AS eligible, count(h.person_id) AS holders,
            count(*) FILTER (WHERE h.last_day > %(day)s::date - w.size) AS active
        FROM windows w CROSS JOIN (SELECT DISTINCT person_id FROM eligible) e LEFT JOIN holders h USING (person_id)
        GROUP BY w.size
    ),
    company_accounts AS (
        SELECT w.size, count(s.id) AS accounts,
            count(s.id) FILTER (WHERE s.last_day > %(day)s::date - w.size) AS accounts_active,
            count(s.id) FILTER (WHERE s.person_id IS NULL) AS unmatched
        FROM windows w LEFT JOIN seen s ON true GROUP BY w.size
    )
    INSERT INTO tooling_adoptionrollup
        (tool_id, team_id, "window", as_of, is_current, eligible, holders, active, accounts, accounts_active, unmatched,
         signal)
    SELECT %(tool)s, NULL, a.size, %(day)s, true, COALESCE(c.eligible, 0), COALESCE(c.holders, 0),
        CASE WHEN %(signal)s <> '' THEN COALESCE(c.active, 0) END, a.accounts,
        CASE WHEN %(signal)s <> '' THEN a.accounts_active END, a.unmatched, %(signal)s
    FROM company_accounts a LEFT JOIN company c USING (size)
    UNION ALL
    SELECT %(tool)s, t.team_id, t.size, %(day)s, true, t.eligible, t.holders,
        CASE WHEN %(signal)s <> '' THEN t.active END, COALESCE(a.accounts, 0),
        CASE WHEN %(signal)s <> '' THEN COALESCE(a.accounts_active, 0) END, 0, %(signal)s
    FROM by_team t LEFT JOIN team_accounts a USING (team_id, size)
"""

WEEKS = f"""
    WITH seats AS ({SEATS})
    INSERT INTO tooling_adoptionweek (tool_id, week, active)
    SELECT %(tool)s, date_trunc('week', d.day)::date, count(DISTINCT COALESCE(s.person_id, -s.id))
    FROM seats s JOIN connectors_activityday d ON d.account_id = s.id
    WHERE d.day <= %(day)s AND d.day >= %(first_week)s
    GROUP BY 2
"""


@transaction.atomic
def rebuild(*, tool: Tool, as_of: date) -> None:
    """Count the use of `tool` on `as_of` anew. Safe to run twice; the company's earlier days are kept."""
    Tool.objects.select_for_update().get(pk=tool.pk)  # two syncs of one tool take turns
    values: dict[str, Any] = {
        "tool": tool.pk,
        "day": as_of,
        "zone": settings.COMPANY_TIME_ZONE,
        "signals": SIGNALS,
        "first_week": as_of - timedelta(days=as_of.weekday(), weeks=WEEKS_KEPT - 1),
    }
    with connection.cursor() as cursor:
        cursor.execute(SIGNAL, values)
        row = cursor.fetchone()
        values["signal"] = row[0] if row else ""
        cursor.execute(
            "DELETE FROM tooling_adoptionrollup WHERE tool_id = %(tool)s AND (team_id IS NOT NULL OR as_of >= %(day)s)",
            values,
        )
        cursor.execute(
            "UPDATE tooling_adoptionrollup SET is_current = false WHERE tool_id = %(tool)s AND is_current", values
        )
        cursor.execute(ROLLUPS, values)
        cursor.execute("DELETE FROM tooling_adoptionweek WHERE tool_id = %(tool)s", values)
        cursor.execute(WEEKS, values)
