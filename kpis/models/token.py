"""Tokens of the push API, and the answers kept for those who ask twice."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped
from hub.people.models import User
from tooling.models import Tool

from .metric import Metric


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> Self:
        """Tokens that open the door now: of an owner who works here, neither revoked nor past their day."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), owner__is_active=True)


class ApiToken(Timestamped):
    """What another system shows to write values. Only its SHA-256 is kept: nobody can read it again, not even we."""

    name = models.CharField(_("name"), max_length=80)
    owner = models.ForeignKey(User, models.CASCADE, verbose_name=_("owner"), related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("first characters"), max_length=12, editable=False)
    metrics = models.ManyToManyField(Metric, verbose_name=_("metrics it may write"), blank=True, related_name="+")
    tools = models.ManyToManyField(
        Tool, verbose_name=_("tools whose use it may report"), blank=True, related_name="+"
    )  # fmt: skip
    expires_at = models.DateTimeField(_("valid until"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        indexes = [models.Index(fields=["-created_at", "-id"], name="kpis_token_latest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class ApiCall(models.Model):
    """The answer to a call that carried an `Idempotency-Key`: the same call again gets it again, for two days."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="calls")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of address and body
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="kpis_apicall_once"),
            models.CheckConstraint(condition=~Q(key=""), name="kpis_apicall_has_key"),
        ]
        indexes = [models.Index(fields=["at"], name="kpis_apicall_at")]
