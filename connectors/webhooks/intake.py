"""Taking a delivery in: verified on its raw body, written down once, and nothing more done than marking streams due."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from connectors import registry
from connectors.base import Announced, Handshake, NotTaken, RefusedFor
from connectors.models import Webhook, WebhookCount
from connectors.secrets import SecretUnreadable, hint, open_secret, sealed
from connectors.sync import cleaned

log = structlog.get_logger()

LARGEST = 1024 * 1024  # bytes
A_MOMENT = timedelta(seconds=1)  # in which one note of the last delivery does for all
LONGEST_EVENT_ID, LONGEST_EXTERNAL_ID = 100, 200
What = WebhookCount.What
STATUS: Mapping[RefusedFor, int] = {
    RefusedFor.FORGED: 401,
    RefusedFor.UNREADY: 401,
    RefusedFor.STALE: 400,
    RefusedFor.UNREADABLE: 400,
}

# Whoever comes at once with others waits for them at the busiest row, the counter, and so takes it last; streams are
# marked in one order, so that two deliveries never wait for each other. It doesn't wait for the disk: see `lightly`.
KEEP = """
WITH lightly AS (SELECT set_config('synchronous_commit', 'off', true)),
made AS (
    INSERT INTO connectors_delivery (webhook_id, event_id, streams, external_id, is_gone, received_at)
    SELECT %(webhook)s, %(event)s, %(streams)s::text[], %(external)s, %(is_gone)s, %(now)s FROM lightly
    ON CONFLICT DO NOTHING RETURNING event_id),
marked AS (
    INSERT INTO connectors_duestream AS due (connection_id, stream, announced_at, needs_sweep)
    SELECT %(connection)s, stream, %(now)s, %(is_gone)s
    FROM made, unnest(%(streams)s::text[]) AS stream GROUP BY stream ORDER BY stream
    ON CONFLICT (connection_id, stream) DO UPDATE
    SET announced_at = EXCLUDED.announced_at, needs_sweep = due.needs_sweep OR EXCLUDED.needs_sweep
    RETURNING stream),
counted AS (
    INSERT INTO connectors_webhookcount AS held (webhook_id, day, what, count)
    SELECT %(webhook)s, %(day)s, CASE WHEN EXISTS (SELECT FROM made) THEN 'received' ELSE 'doubled' END, 1
    FROM (SELECT count(*) FROM marked) AS after_the_marks
    ON CONFLICT (webhook_id, day, what) DO UPDATE SET count = held.count + 1 RETURNING what)
SELECT what FROM counted
"""


@dataclass(frozen=True)
class Taken:
    """What became of a delivery, and the status that says so."""

    status: int
    what: str


def found(service: str, address: str) -> Webhook | None:
    """Return the endpoint at an address, None where there is none, whatever else is wrong with it."""
    return (
        Webhook.objects.select_related("connection")
        .filter(address=address[:64], connection__service=service[:30])
        .first()
    )


def take(webhook: Webhook, headers: Mapping[str, str], raw_body: bytes, now: datetime | None = None) -> Taken:
    """Judge a delivery and keep what it announces. What is refused is counted, never stored."""
    now = now or timezone.now()
    service = registry.announcing(webhook.connection.service)
    if service is None or not webhook.is_on:
        return refuse(404, What.TURNED_OFF, webhook, now)
    try:
        secret = open_secret(webhook) if webhook.has_secret else ""
    except SecretUnreadable:
        secret = ""
    told = service.webhook(headers, raw_body, secret, now)
    if isinstance(told, NotTaken):
        return refuse(STATUS[told.why], told.why.value, webhook, now)
    if isinstance(told, Handshake):
        return shake(webhook, told)
    return keep(webhook, told, now)


def keep(webhook: Webhook, told: Announced, now: datetime) -> Taken:
    """Write a verified delivery down, once for each event, and mark its streams due: one statement for all."""
    given: dict[str, Any] = {
        "webhook": webhook.pk,
        "connection": webhook.connection_id,
        "event": short_id(told.event_id),
        "streams": list(told.streams),
        "external": str(cleaned(told.external_id))[:LONGEST_EXTERNAL_ID],
        "is_gone": told.is_gone,
        "now": now,
        "day": day_of(now),
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, given)
        what = What(cursor.fetchone()[0])
    if webhook.confirmed_at is None or webhook.last_delivery_at is None or now - webhook.last_delivery_at > A_MOMENT:
        Webhook.objects.filter(pk=webhook.pk).update(last_delivery_at=now, confirmed_at=webhook.confirmed_at or now)
    return Taken(200, what)


def shake(webhook: Webhook, told: Handshake) -> Taken:
    """Keep the secret that a service tells, while there is none; a second telling of the same changes nothing."""
    with transaction.atomic():
        held = Webhook.objects.select_for_update().get(pk=webhook.pk)
        if not held.has_secret:
            held.secret, held.secret_hint = sealed(told.secret, held), hint(told.secret)
            held.save(update_fields=["secret", "secret_hint", "updated_at"])
            log.info("webhook.handshake", connection=held.connection_id)
    return Taken(200, "handshake")


def refuse(status: int, what: str, webhook: Webhook | None, now: datetime | None = None, *, times: int = 1) -> Taken:
    """Count a refusal and say no. Neither body nor header is kept or logged."""
    with lightly():
        count(what, webhook, now=now, times=times)
    log.info("webhook.refused", connection=webhook.connection_id if webhook else None, why=str(what))
    return Taken(status, what)


@contextmanager
def lightly() -> Iterator[None]:
    """Write in one transaction that doesn't wait for the disk.

    Deliveries of a burst meet at the same counter; waiting for the disk with its lock in hand, each would wait for all
    before it. What a crash of the database could lose is the last half second of hints, and the night finds that.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        yield


def count(what: str, webhook: Webhook | None, *, now: datetime | None = None, times: int = 1) -> None:
    """Count something at an endpoint (None: at an address that doesn't exist), on the company's day."""
    day = day_of(now or timezone.now())
    rows = WebhookCount.objects.filter(webhook=webhook, day=day, what=what)
    if rows.update(count=F("count") + times):
        return
    try:
        with transaction.atomic():
            WebhookCount.objects.create(webhook=webhook, day=day, what=what, count=times)
    except IntegrityError:  # somebody else was first
        rows.update(count=F("count") + times)


def day_of(now: datetime) -> date:
    """Return the company's day."""
    return now.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date()


def short_id(event_id: str) -> str:
    """Return an event's id as it can be stored; one that is too long or odd gives way to its hash."""
    if len(event_id) <= LONGEST_EVENT_ID and event_id.isascii() and event_id.isprintable():
        return event_id
    return blake2b(event_id.encode(errors="surrogatepass"), digest_size=20).hexdigest()
