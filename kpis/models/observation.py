"""The values. What is known now in one table, what it was before in another (kpis.md 3.4, layout C)."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team

from .metric import Metric


class Value(models.Model):
    """One metric, one scope (`team` empty: the company), one ISO week that starts on `week`. Absent is not zero."""

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")
    week = models.DateField()
    value = models.FloatField(null=True, blank=True)
    num = models.FloatField(null=True, blank=True)
    den = models.FloatField(null=True, blank=True)
    spread = models.FloatField(null=True, blank=True)  # standard deviation, where the metric is a mean
    n = models.PositiveIntegerField()  # cases behind the value
    coverage = models.FloatField(null=True, blank=True)  # 0–1: share of cases that have what the formula needs
    read_at = models.DateTimeField()  # all that the sources knew up to then is in it
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


class Observation(Value):
    """What is known now."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "team", "week"], name="kpis_observation_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.team_id} {self.week}: {self.value}"


class ObservationHistory(Value):
    """What was known before. Append-only: a trigger refuses to change or erase a row."""

    class Reason(models.TextChoices):
        PARTIAL = "partial", _("the week was not over")
        SOURCE = "source", _("the source changed afterwards")
        DEFINITION = "definition", _("the definition changed")
        GONE = "gone", _("the cases behind it are gone")

    superseded_at = models.DateTimeField()
    reason = models.CharField(max_length=12, choices=Reason.choices)

    class Meta:
        verbose_name = _("earlier value")
        verbose_name_plural = _("earlier values")
        indexes = [
            models.Index(fields=["metric", "team", "week", "recorded_at"], name="kpis_history_of_value"),
            BrinIndex(fields=["superseded_at"], name="kpis_history_superseded"),
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.team_id} {self.week}: {self.value}"
