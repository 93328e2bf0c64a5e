"""What services announce: where they may, what came, what is to be read again, and how often what happened."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hub.core.models import Timestamped

from .connection import Connection


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def on(self) -> Self:
        return self.filter(is_on=True)


class Webhook(Timestamped):
    """The one address at which a connection's service may announce changes. Whoever doesn't know it finds nothing."""

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="webhook")
    address = models.CharField(max_length=32, unique=True)  # 128 random bits, hex
    is_on = models.BooleanField(default=True)
    turned_on_at = models.DateTimeField()
    secret = models.BinaryField(editable=False, default=b"")  # sealed, bound to this row
    secret_hint = models.CharField(max_length=4, blank=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # first delivery verified with this secret
    last_delivery_at = models.DateTimeField(null=True, blank=True)
    counted_until = models.DateTimeField(null=True, blank=True)  # up to here, what nobody announced is counted
    counted_run = models.PositiveBigIntegerField(default=0)  # the night up to which it is

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return f"{self.connection_id} webhook"

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)

    @property
    def quiet_since(self) -> datetime:
        """Since when nothing came."""
        return max(self.last_delivery_at, self.turned_on_at) if self.last_delivery_at else self.turned_on_at


class Delivery(models.Model):
    """A verified delivery. The unique key makes a second one of the same event a double, not a row."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.CharField(max_length=100)
    streams = ArrayField(models.CharField(max_length=40), default=list)
    external_id = models.CharField(max_length=200, blank=True)
    is_gone = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="connectors_delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "external_id"], name="connectors_delivery_of"),
            models.Index(fields=["received_at"], name="connectors_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.event_id}"


class DueStream(models.Model):
    """A stream that somebody announced a change of. It stays until a run began to read the stream after that."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="due_streams", db_index=False)
    stream = models.CharField(max_length=40)
    announced_at = models.DateTimeField(null=True, blank=True)  # read it soon; None: only the sweep is due
    needs_sweep = models.BooleanField(default=False)  # something was deleted: the next night lists every id

    class Meta:
        verbose_name = _("due stream")
        verbose_name_plural = _("due streams")
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="connectors_duestream_once")]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.stream}"


class WebhookCount(models.Model):
    """How often something happened at an endpoint on a day of the company. Of what was refused, this is all we keep."""

    class What(models.TextChoices):
        RECEIVED = "received", pgettext_lazy("deliveries", "received")
        DOUBLED = "doubled", pgettext_lazy("deliveries", "received twice")
        FORGED = "forged", pgettext_lazy("deliveries", "not signed with our secret")
        STALE = "stale", pgettext_lazy("deliveries", "signed too long ago")
        UNREADABLE = "unreadable", pgettext_lazy("deliveries", "unreadable")
        UNREADY = "unready", pgettext_lazy("deliveries", "came before there was a secret")
        TOO_LARGE = "too_large", pgettext_lazy("deliveries", "larger than 1 MB")
        TOO_MANY = "too_many", pgettext_lazy("deliveries", "too many in a minute")
        TURNED_OFF = "turned_off", pgettext_lazy("deliveries", "came while turned off")
        UNKNOWN = "unknown", pgettext_lazy("deliveries", "sent to addresses that do not exist, in the whole hub")
        CHANGED = "changed", _("changed records")  # that a night counted
        MISSED = "missed", _("changed records that no delivery announced")

    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True, related_name="counts", db_index=False)
    day = models.DateField()
    what = models.CharField(max_length=12, choices=What.choices)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("webhook count")
        verbose_name_plural = _("webhook counts")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "day", "what"], name="connectors_webhookcount_once"),
            models.UniqueConstraint(
                fields=["day", "what"], condition=Q(webhook=None), name="connectors_webhookcount_nowhere_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.day} {self.what}"
