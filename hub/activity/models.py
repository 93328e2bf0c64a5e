"""The record of what people and syncs did."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.people.models import User


class Event(models.Model):
    """One act on one thing: who, when, what it was before and after, and why. Never changed, never deleted."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    by = models.ForeignKey(User, models.SET_NULL, verbose_name=_("by"), null=True, related_name="events")
    verb = models.CharField(_("verb"), max_length=40)
    kind = models.CharField(_("kind of thing"), max_length=60)  # model label: "tooling.tool"
    object_id = models.CharField(_("id of the thing"), max_length=64)
    title = models.CharField(_("name of the thing"), max_length=200)
    changes = models.JSONField(_("changes"), default=dict)  # {field: [before, after]}
    why = models.CharField(_("why"), max_length=500, blank=True)
    batch = models.UUIDField(_("batch"), null=True, blank=True, db_index=True)  # one import, one undo

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["kind", "object_id", "-at", "-id"], name="activity_event_of_thing"),
            models.Index(fields=["-at", "-id"], name="activity_event_latest"),
            BrinIndex(fields=["at"], name="activity_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.title}"
