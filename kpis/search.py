"""What the palette finds in this room: KPIs by name and by what they say, in one query."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, FloatField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from hub.people.models import User
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


register(Source("kpis", _("KPIs"), find_metrics, order=30))
