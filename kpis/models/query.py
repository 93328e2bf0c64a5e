"""The query that a metric's values are read by, and how its last tries went."""

from datetime import date

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from connectors.models import State, Warehouse
from hub.core.models import Timestamped, Versioned
from hub.people.models import Team, User

from .metric import Metric


class MetricQuery(Timestamped, Versioned):
    """One SELECT of one database. It gives week, value, and where it has them team, num, den, n, coverage."""

    metric = models.OneToOneField(Metric, models.CASCADE, related_name="query")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("database"), related_name="queries")
    text = models.TextField(_("query"), max_length=20_000)
    is_active = models.BooleanField(_("read each night"), default=False)
    written_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    # The trial: what it gives now, written nowhere
    trial_state = models.CharField(max_length=10, choices=State.choices, blank=True, editable=False)
    trial_version = models.PositiveIntegerField(default=0, editable=False)  # of the query that was tried
    trial_at = models.DateTimeField(null=True, blank=True, editable=False)
    trial = models.JSONField(default=dict, editable=False)
    # The nights
    tried_at = models.DateTimeField(null=True, blank=True, editable=False)
    read_at = models.DateTimeField(null=True, blank=True, editable=False)  # the last good one
    failure = models.CharField(max_length=30, blank=True, editable=False)  # a connectors FailureClass
    detail = models.CharField(max_length=500, blank=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)  # in a row
    # Values that the answer no longer holds, though it begins before them: {"week", "team" (its id), "since"} each
    withdrawn = models.JSONField(default=list, db_default=Value([], models.JSONField()), editable=False)

    class Meta:
        verbose_name = _("query")
        verbose_name_plural = _("queries")

    def __str__(self) -> str:
        return f"{self.metric_id} {self.warehouse_id}"

    @property
    def is_tried(self) -> bool:
        """True where the query as it stands was tried and gave something that can be stored."""
        return (
            self.trial_state == State.DONE
            and self.trial_version == self.version
            and not self.trial.get("failure")
            and bool(self.trial.get("accepted") or self.trial.get("unchanged"))
        )

    @classmethod
    def withdrawn_from(cls, metric: Metric, team: Team | None) -> list[tuple[date, date]]:
        """Return the weeks of one scope that the source no longer answers, each with since when; latest first.

        No query for a metric that has none.
        """
        if metric.source_kind != Metric.SourceKind.SQL:
            return []
        held = cls.objects.filter(metric=metric).values_list("withdrawn", flat=True).first() or []
        mine = [row for row in held if row["team"] == (team.pk if team else None)]
        return sorted(
            ((date.fromisoformat(row["week"]), date.fromisoformat(row["since"])) for row in mine), reverse=True
        )
