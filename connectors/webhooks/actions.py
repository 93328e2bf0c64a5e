"""What a technical admin does with an endpoint."""

import secrets

from django.db import transaction
from django.utils import timezone

from connectors.base import Hook, SecretFrom
from connectors.models import Connection, Webhook
from connectors.secrets import hint, sealed
from hub.activity.actions import record
from hub.people.models import User

ADDRESS_BYTES = 16  # 128 bits: nobody guesses them
SECRET_BYTES = 32


@transaction.atomic
def turn_on(*, connection: Connection, hook: Hook, by: User | None) -> Webhook:
    """Open the connection's endpoint, with the address and the secret it had, if there was one."""
    now = timezone.now()
    held = {"is_on": True, "turned_on_at": now}
    webhook, _is_new = Webhook.objects.update_or_create(
        connection=connection, defaults=held, create_defaults={**held, "address": secrets.token_hex(ADDRESS_BYTES)}
    )
    if hook.secret_from == SecretFrom.GENERATED and not webhook.has_secret:
        put_secret(webhook, secrets.token_urlsafe(SECRET_BYTES))
    record(by=by, verb="turned_webhooks_on", on=connection)
    return webhook


@transaction.atomic
def turn_off(*, webhook: Webhook, by: User | None) -> None:
    """Close the endpoint: whoever calls finds nothing. Address and secret are kept, should it be opened again."""
    webhook.is_on = False
    webhook.save(update_fields=["is_on", "updated_at"])
    record(by=by, verb="turned_webhooks_off", on=webhook.connection)


@transaction.atomic
def move(*, webhook: Webhook, by: User | None) -> None:
    """Give the endpoint another address; the one before exists no more."""
    webhook.address = secrets.token_hex(ADDRESS_BYTES)
    webhook.save(update_fields=["address", "updated_at"])
    record(by=by, verb="moved_webhook", on=webhook.connection)


@transaction.atomic
def enter_secret(*, webhook: Webhook, secret: str, by: User) -> None:
    """Put in the secret that the tool signs with."""
    put_secret(webhook, secret)
    record(by=by, verb="renewed_webhook_secret", on=webhook.connection)


@transaction.atomic
def renew_secret(*, webhook: Webhook, hook: Hook, by: User) -> None:
    """Make another value to send; where the tool tells the secret, forget it, so that it can tell another."""
    is_ours = hook.secret_from == SecretFrom.GENERATED
    put_secret(webhook, secrets.token_urlsafe(SECRET_BYTES) if is_ours else "")
    record(by=by, verb="renewed_webhook_secret", on=webhook.connection)


def put_secret(webhook: Webhook, secret: str) -> None:
    """Seal a secret on an endpoint (empty: none); nothing was verified with it yet."""
    webhook.secret = sealed(secret, webhook) if secret else b""
    webhook.secret_hint, webhook.confirmed_at = hint(secret), None
    webhook.save(update_fields=["secret", "secret_hint", "confirmed_at", "updated_at"])
