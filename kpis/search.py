"""What the palette finds in this room: KPIs by name and by what they say, dashboards by their team; a query each."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, Exists, FloatField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import WorkTeam
from hub.core.http import address_of
from hub.people.models import Membership, Team, User
from hub.search.registry import Hit, Source, register

from .models import Metric


def find_metrics(words: str, _reader: User, limit: int) -> Sequence[Hit]:
    """Find KPIs whose name, in either language, starts with or holds the words; then by what they say."""
    words = " ".join(words.split())[:60]
    if not words:
        return []
    starts = Q(name__istartswith=words) | Q(name_fr__istartswith=words) | Q(key__istartswith=words)
    holds = Q(name__icontains=words) | Q(name_fr__icontains=words)
    says = Q(summary__icontains=words) | Q(summary_fr__icontains=words)
    found: QuerySet[Any] = (
        Metric.objects.shown()
        .annotate(
            rank=Case(
                When(starts, then=Value(0.9)),
                When(holds, then=Value(0.7)),
                When(says, then=Value(0.4)),
                default=Value(0.0),
                output_field=FloatField(),
            )
        )
        .filter(rank__gt=0)
        .order_by("-rank", "position", "pk")
    )
    return [
        Hit(url=metric.get_absolute_url(), title=str(metric), detail=metric.summary_text, icon="kpis", rank=metric.rank)
        for metric in found[:limit]
    ]


def find_dashboards(words: str, reader: User, limit: int) -> Sequence[Hit]:
    """Find the dashboards of measured teams by the team's name, by “dashboard” or by both; the reader's team first."""
    kind = str(_("Team dashboard"))
    asked = words.casefold().split()[:8]
    names = [word for word in asked if not _says(word, kind.casefold().replace("’", " ").split())]
    if not asked:
        return []
    own = Membership.objects.on(timezone.localdate()).filter(person=reader, team=OuterRef("pk"))
    measured = WorkTeam.objects.live().filter(connection__is_active=True, team=OuterRef("pk"))
    teams = Team.objects.filter(Exists(measured), *[Q(name__icontains=name) for name in names], is_active=True)
    page = address_of("kpis:team_dashboard")
    return [
        Hit(url=page(team.slug), title=team.name, detail=kind, icon="kpis", rank=0.75 if names else 0.6)
        for team in teams.annotate(is_own=Exists(own)).order_by("-is_own", "name", "pk")[:limit]
    ]


def _says(word: str, kind: Sequence[str]) -> bool:
    """Tell whether a word that was typed means the kind of page, or begins to."""
    return word in kind or (len(word) > 2 and any(part.startswith(word) for part in kind))


register(Source("dashboards", _("Team dashboards"), find_dashboards, order=25))
register(Source("kpis", _("KPIs"), find_metrics, order=30))
