"""What a metric was: values that were corrected, definitions that were changed."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from hub.activity.models import Event
from hub.people.models import Team
from kpis.models import Metric, Observation, ObservationHistory
from kpis.parameters import said

from .figure import least_shown
from .words import full


@dataclass(frozen=True)
class Restatement:
    """A value that was corrected: its week, what was shown before, what is known now, when and why."""

    week: date
    before: str
    after: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Redefinition:
    """A change of the definition: when, by whom, why, and the texts before and after."""

    at: datetime
    who: str
    why: str
    before: str
    after: str


def restatements(metric: Metric, team: Team | None, limit: int = 10) -> list[Restatement]:
    """Return values that changed after their week was over, newest correction first. One statement."""
    now = Observation.objects.filter(metric=metric, team=team, week=OuterRef("week"))
    rows = (
        ObservationHistory.objects.filter(metric=metric, team=team)
        .exclude(reason=ObservationHistory.Reason.PARTIAL)
        .annotate(value_now=Subquery(now.values("value")), n_now=Subquery(now.values("n")))
        .order_by("-superseded_at", "-week", "-pk")[:limit]
    )

    def shown(value: float | None, n: int | None) -> str:
        if n is None:
            return _("not measured")
        return _("too few") if n < least_shown(metric, team) else full(metric, value)

    return [
        Restatement(
            row.week, shown(row.value, row.n), shown(row.value_now, row.n_now), row.superseded_at,
            row.get_reason_display(),
        )
        for row in rows
    ]  # fmt: skip


def redefinitions(metric: Metric, field: str = "definition", limit: int = 10) -> list[Redefinition]:
    """Return how the definition changed, newest first, in the reader's language where it was written in it."""
    events = (
        Event.objects.filter(kind="kpis.metric", object_id=str(metric.pk), verb="redefined")
        .select_related("by")
        .order_by("-at", "-pk")[:limit]
    )
    found = []
    for event in events:
        pair = event.changes.get(field) or next(iter(event.changes.values()), ["", ""])
        before, after = (str(said(value)) if isinstance(value, dict) else str(value) for value in pair)
        found.append(Redefinition(event.at, str(event.by) if event.by else "", event.why, before, after))
    return found
