"""Endpoints, and what tools would send to them: signed by hand, with the standard library alone."""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from connectors import registry
from connectors.models import WebhookCount
from connectors.webhooks import actions
from connectors.webhooks.ceiling import ceiling
from tests.connectors.factories import make_connection
from tests.people.factories import UserFactory

SECRET = "lin_wh_0123456789abcdef"


def hexed(secret, body):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def from_linear(secret=SECRET, *, now=None, delivery=None, **told):
    """Return headers and body of a delivery, as Linear's documents say."""
    stamp = round((now or datetime.now(UTC)).timestamp() * 1000)
    payload = {"action": "update", "type": "Issue", "data": {"id": "i1"}, "webhookTimestamp": stamp, **told}
    body = json.dumps(payload).encode()
    return {"linear-signature": hexed(secret, body), "linear-delivery": delivery or str(uuid.uuid4())}, body


def from_notion(secret, *, now=None, **told):
    payload = {
        "id": str(uuid.uuid4()), "timestamp": (now or datetime.now(UTC)).isoformat(), "type": "page.created",
        "entity": {"id": "p1", "type": "page"}, "attempt_number": 1, **told,
    }  # fmt: skip
    body = json.dumps(payload).encode()
    return {"x-notion-signature": f"sha256={hexed(secret, body)}"}, body


def from_productboard(value, kind="feature.updated", **told):
    data = {"id": "f1", "eventType": kind, "links": {"target": "https://api.productboard.com/features/f1"}, **told}
    return {"authorization": value}, json.dumps({"data": data}).encode()


@pytest.fixture(autouse=True)
def no_ceiling_reached():
    ceiling._held.clear()


@pytest.fixture
def turned_on(db):
    """Return a function that opens an endpoint of a service."""

    def make(service="linear", *, secret=SECRET, connection=None):
        connection = connection or make_connection(service, label=service.capitalize())
        hook = registry.announcing(service).hook
        made = actions.turn_on(connection=connection, hook=hook, by=UserFactory(email=f"{service}@hooks.example"))
        if service == "linear" and secret:
            actions.put_secret(made, secret)
        return made

    return make


@pytest.fixture
def endpoint(turned_on):
    return turned_on()


def address_of(webhook):
    return reverse("webhooks:receive", args=[webhook.connection.service, webhook.address])


def post(webhook, headers, body, client=None):
    client = client or Client(enforce_csrf_checks=True)
    return client.post(address_of(webhook), body, content_type="application/json", headers=headers)


def counts(webhook):
    """Return what was counted at an endpoint (None: nowhere): what → how often."""
    return dict(WebhookCount.objects.filter(webhook=webhook).values_list("what", "count"))
