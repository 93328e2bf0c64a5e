"""What arrived from outside: who brought how many values, and which of them were refused."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from .metric import Metric

REFUSALS_KEPT = 50


class Delivery(models.Model):
    """One call, file or query whose rows were judged. Its values carry the same `recorded_at`."""

    source = models.CharField(_("source"), max_length=10, choices=Metric.SourceKind.choices)
    through = models.CharField(_("through"), max_length=200, blank=True)  # the token's, file's or database's name
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(_("received at"))
    metrics = ArrayField(models.CharField(max_length=60), default=list)  # keys of those that changed or were confirmed
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    refusals = models.JSONField(default=list)  # the first of them: row, code and what was wrong with it

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [models.Index(fields=["-recorded_at", "-id"], name="kpis_delivery_arrived")]

    def __str__(self) -> str:
        return f"{self.source} {self.through} {self.recorded_at:%Y-%m-%d %H:%M}"
