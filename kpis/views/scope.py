"""What the address of a page asks for: which metric, whose figures, how many weeks."""

from urllib.parse import urlencode

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.core.http import Request
from hub.people.models import Team
from kpis import queries
from kpis.models import Metric


def metric_of(key: str) -> Metric:
    return get_object_or_404(Metric.objects.select_related("owner"), key=key)


def team_of(request: Request) -> Team | None:
    """Return the team that `?team=` names; an unknown one is 404."""
    slug = request.GET.get("team", "")
    return get_object_or_404(Team, slug=slug) if slug else None


def address(metric: Metric, team: Team | None) -> str:
    return metric.get_absolute_url() + (f"?{urlencode({'team': team.slug})}" if team else "")


def weeks_of(request: Request) -> int:
    asked = request.GET.get("weeks", "")
    return int(asked) if asked in {str(weeks) for weeks in queries.RANGES} else 26


def ranges_of(request: Request) -> list[tuple[int, str, str]]:
    """Return the spans to choose from: weeks, in words, and the address with the rest of the query kept."""
    found = []
    for weeks in queries.RANGES:
        query = request.GET.copy()
        query["weeks"] = str(weeks)
        words = _("A year") if weeks == 52 else ngettext("%(count)s week", "%(count)s weeks", weeks) % {"count": weeks}
        found.append((weeks, words, f"?{query.urlencode()}"))
    return found
