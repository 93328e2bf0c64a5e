"""What the connection's page says of its webhooks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from connectors import registry
from connectors.base import Hook, SecretFrom
from connectors.models import Connection, Webhook, WebhookCount
from connectors.secrets import SecretUnreadable, open_secret
from connectors.transport import is_sandbox

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DAYS_SHOWN = 30
SILENCE = timedelta(days=3)
BUSY = 10  # changed records in that time that nobody announced
What = WebhookCount.What
REFUSED = (
    What.FORGED, What.STALE, What.UNREADABLE, What.UNREADY, What.TOO_LARGE, What.TOO_MANY, What.TURNED_OFF,
    What.UNKNOWN,
)  # fmt: skip


@dataclass(frozen=True)
class Missed:
    """What the nights found changed, and how much of it nobody had announced."""

    changed: int
    missed: int

    @property
    def share(self) -> float | None:
        """The share that was missed, 0–1; None where nothing changed."""
        return self.missed / self.changed if self.changed else None


@dataclass(frozen=True)
class Panel:
    """Everything the section shows. `webhook` is None where it was never turned on."""

    service: str
    hook: Hook
    webhook: Webhook | None
    url: str = ""
    secret: str = ""  # in clear, while it is still to be pasted into the tool
    received: int = 0
    doubled: int = 0
    refused: "Sequence[tuple[StrOrPromise, int]]" = ()
    last_night: Missed | None = None
    nights: Missed | None = None
    is_silent: bool = False
    is_near: bool = False  # the service is a sandbox on this machine

    @property
    def is_on(self) -> bool:
        return self.webhook is not None and self.webhook.is_on

    @property
    def is_pasted(self) -> bool:
        return self.hook.secret_from == SecretFrom.PASTED

    @property
    def is_handshake(self) -> bool:
        return self.hook.secret_from == SecretFrom.HANDSHAKE

    @property
    def is_reachable(self) -> bool:
        """False where the hub's own address can't be what a tool on the internet calls; the sandbox calls any."""
        return self.is_near or settings.BASE_URL.startswith("https://")


def panel(connection: Connection, now: datetime | None = None) -> Panel | None:
    """Return what is known of a connection's webhooks; None where its service can't announce. Two queries."""
    now = now or timezone.now()
    service = registry.announcing(connection.service)
    if service is None:
        return None
    webhook = Webhook.objects.filter(connection=connection).first()
    if webhook is None:
        return Panel(service.name, service.hook, None)
    today = now.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date()
    rows = WebhookCount.objects.filter(
        Q(webhook=webhook) | Q(webhook=None), day__gt=today - timedelta(days=DAYS_SHOWN)
    ).values_list("day", "what", "count")
    counts: Counter[str] = Counter()
    nights: dict[object, Counter[str]] = {}
    lately: Counter[str] = Counter()
    for day, what, times in rows:
        counts[what] += times
        if what in (What.CHANGED, What.MISSED):
            nights.setdefault(day, Counter())[what] += times
        if day > today - SILENCE:
            lately[what] += times
    last = nights[max(nights, key=str)] if nights else None
    return Panel(
        service.name,
        service.hook,
        webhook,
        url=settings.BASE_URL.rstrip("/") + reverse("webhooks:receive", args=[connection.service, webhook.address]),
        secret=shown_secret(webhook, service.hook),
        received=counts[What.RECEIVED],
        doubled=counts[What.DOUBLED],
        refused=[(what.label, counts[what]) for what in REFUSED if counts[what]],
        last_night=Missed(last[What.CHANGED], last[What.MISSED]) if last is not None else None,
        nights=Missed(counts[What.CHANGED], counts[What.MISSED]) if nights else None,
        is_silent=webhook.is_on and now - webhook.quiet_since >= SILENCE and lately[What.MISSED] >= BUSY,
        is_near=is_sandbox(connection.base_url),
    )


def silent(now: datetime | None = None) -> QuerySet[Webhook]:
    """Return the endpoints at which nothing came for days although much has changed, as `Panel.is_silent` says it."""
    now = now or timezone.now()
    today = now.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date()
    lately = Q(counts__what=What.MISSED, counts__day__gt=today - SILENCE)
    heard = Q(last_delivery_at__gt=now - SILENCE) | Q(turned_on_at__gt=now - SILENCE)
    return (
        Webhook.objects.on()
        .exclude(heard)
        .annotate(
            missed=Sum("counts__count", filter=lately),
        )
        .filter(missed__gte=BUSY)
    )


def shown_secret(webhook: Webhook, hook: Hook) -> str:
    """Return the secret while the tool still has to be told it: until the first delivery that it verifies."""
    if hook.secret_from == SecretFrom.PASTED or webhook.confirmed_at is not None or not webhook.has_secret:
        return ""
    try:
        return open_secret(webhook)
    except SecretUnreadable:
        return ""
