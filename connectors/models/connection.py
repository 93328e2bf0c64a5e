"""A connection to a service: where it leads, what opens it, and how it is doing."""

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.core.http import address_of
from hub.core.models import Timestamped, Versioned
from hub.people.models import User


class Connection(Timestamped, Versioned):
    """One workspace of one service. The secret is encrypted and can be written, never read back."""

    FILE = "file"  # no service: holds the accounts of a tool whose seats are uploaded

    class Auth(models.TextChoices):
        OK = "ok", _("Connected")
        NEEDS_REAUTH = "needs_reauth", _("Needs a new token")
        REVOKED = "revoked", _("Disconnected")

    PUSHED = "pushed"  # the service of what others write to: never read, never shown among the sources

    service = models.CharField(_("service"), max_length=30)  # key in the registry: "linear"
    label = models.CharField(_("name"), max_length=80)
    base_url = models.URLField(_("address"), max_length=300, blank=True)  # empty: the service's own
    secret = models.BinaryField(_("secret"), editable=False, default=b"")
    secret_hint = models.CharField(_("last four characters"), max_length=4, blank=True, editable=False)
    secret_print = models.CharField(max_length=64, blank=True, editable=False)  # HMAC: same token, same budget
    auth = models.CharField(_("access"), max_length=12, choices=Auth.choices, default=Auth.OK)
    workspace_name = models.CharField(_("workspace"), max_length=120, blank=True)
    workspace_url = models.URLField(_("workspace address"), max_length=300, blank=True)
    is_active = models.BooleanField(_("on"), default=True)
    paused_streams = ArrayField(models.CharField(max_length=40), default=list, blank=True, editable=False)
    chosen = models.JSONField(default=list, blank=True, editable=False)  # what is read of it: {"name", "asked_at"} each
    pause_until = models.DateTimeField(_("waits until"), null=True, blank=True)
    pause_reason = models.CharField(max_length=30, blank=True, editable=False)  # a failure class
    mapped_with = models.PositiveIntegerField(default=0, editable=False)  # map version of all stored records
    connected_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="connections")

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return address_of("connectors:connection_detail")(self.pk)

    @classmethod
    def wired(cls) -> "models.QuerySet[Connection]":
        """Return those that a service is read through; the others hold what came as files, or what others push."""
        return cls.objects.exclude(service__in=(cls.FILE, cls.PUSHED))

    @property
    def is_readable(self) -> bool:
        """True where a run can be started: it is on and the source takes our token."""
        return self.is_active and self.auth == self.Auth.OK

    def reads_any_of(self, streams: Iterable[str]) -> bool:
        """Tell whether one of these streams at least is not paused."""
        return not set(streams) <= set(self.paused_streams)

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)
