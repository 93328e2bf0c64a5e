"""What stands behind a figure, row by row: asked by the metric's own page, from the parts that its statement is made of."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from hub.people.models import Team
from kpis.models import Metric

from .recompute import HYGIENE, statuses_under_way, times
from .statements.nights import FEATURE_TEAMS, FEATURES, MARKS, USUAL
from .statements.notion import DUE, REVIEWED
from .statements.productboard import NOTES, items
from .statements.weeks import scoped

IN_SCOPE = "team_id IS NOT DISTINCT FROM %(team)s::bigint"
LATELY = "%(today)s::date - 91"
READ = "ARRAY(SELECT id FROM connectors_connection WHERE is_active)"  # where the statement asks, a page asks once less

STATEMENTS = {
    # notes of thirteen weeks: by what, called what, how many
    "feedback-volume": f"""
WITH {NOTES}, {scoped("notes", "note_teams")},
kept AS (
  SELECT f.source, f.tags FROM scoped n JOIN connectors_feedback f ON f.id = n.id
  WHERE {IN_SCOPE} AND NOT n.is_archived AND n.deleted_at IS NULL AND n.day > {LATELY}
)
SELECT 'source', source, count(*) FROM kept GROUP BY source
UNION ALL SELECT 'tag', t.tag, count(*)
FROM kept CROSS JOIN LATERAL unnest(CASE WHEN tags = '{{}}' THEN ARRAY['']::varchar[] ELSE tags END) AS t(tag) GROUP BY t.tag
UNION ALL SELECT '', '', count(*) FROM kept
ORDER BY 1, 3 DESC, 2""",
    # status, features, median of their days in it where half are known, the limit of what is usual, how many are beyond
    "features-by-status": f"""
WITH {MARKS}, {items(FEATURES)}, {USUAL}, {scoped("aged", "item_teams")}
SELECT status, count(*), CASE WHEN 2 * count(days) >= count(*) THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY days::float8) END,
       min(p85), count(*) FILTER (WHERE days > p85)
FROM scoped WHERE {IN_SCOPE} GROUP BY status ORDER BY count(*) DESC, status""",
    # moves of thirteen weeks: from, to, how many
    "feature-moves": f"""
WITH {MARKS}, {FEATURE_TEAMS},
moves AS (SELECT id, before, status FROM marks WHERE before IS NOT NULL AND deleted_at IS NULL AND day > {LATELY}),
{scoped("moves", "feature_teams")}
SELECT before, status, count(*) FROM scoped WHERE {IN_SCOPE} GROUP BY before, status ORDER BY count(*) DESC, before, status""",
    # title, address, day of the review, owners
    "overdue-reviews": f"""
WITH {REVIEWED},
late AS (SELECT id, connection_id, ref, review, owner FROM pages WHERE is_held AND review < %(today)s::date),
{scoped("late", "page_teams")}
SELECT d.title, d.url, s.review, (
  SELECT string_agg(coalesce(u.name, a.name), ', ' ORDER BY coalesce(u.name, a.name))
  FROM jsonb_array_elements_text(
    CASE jsonb_typeof(s.owner) WHEN 'array' THEN s.owner WHEN 'string' THEN jsonb_build_array(s.owner) END) AS r(ref)
  JOIN connectors_personaccount a ON a.connection_id = s.connection_id AND a.external_id = r.ref
  LEFT JOIN people_user u ON u.id = a.person_id)
FROM scoped s JOIN connectors_document d ON d.id = s.id WHERE {IN_SCOPE} ORDER BY s.review, d.title, d.id""",
    # result (nothing where there is none), whether it counts as one, how many
    "experiment-results": f"""
WITH {DUE}
SELECT CASE WHEN is_held THEN coalesce(result ->> 'name', result #>> '{{}}') END, count(*)
FROM scoped WHERE {IN_SCOPE} GROUP BY 1 ORDER BY count(*) DESC, 1""",
}


def rows(key: str, team: Team | None) -> Sequence[tuple[Any, ...]]:
    """Return what stands behind a metric in a scope; nothing for those that are a number alone."""
    if key not in STATEMENTS:
        return ()
    today = timezone.localdate()
    given = times(first=today, past=today, now=timezone.now())
    given |= {"team": team.pk if team else None, "zone": settings.COMPANY_TIME_ZONE}
    if "%(statuses)s" in STATEMENTS[key]:
        given["statuses"] = statuses_under_way(dict(Metric.objects.filter(key=HYGIENE).values_list("key", "settings")))
    with database.cursor() as cursor:
        cursor.execute(STATEMENTS[key].replace("%(read)s", READ), given)  # our own words alone
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
