"""Webhooks of the demo, turned on as its technical admin has done; `sandbox --announce` is the tools' side of it."""

import secrets

from connectors import registry
from connectors.models import Connection, Webhook
from connectors.webhooks.actions import put_secret, turn_on


def turn_webhooks_on() -> int:
    """Turn on the webhooks of each tool that has any, where nobody did yet; return how many."""
    made = 0
    for connection in Connection.wired().filter(webhook=None).order_by("pk"):
        service = registry.announcing(connection.service)
        if service is None:
            continue
        webhook: Webhook = turn_on(connection=connection, hook=service.hook, by=None)
        if not webhook.has_secret:
            put_secret(webhook, secrets.token_urlsafe(32))
        made += 1
    return made
