"""Linear's webhooks: signed, stamped, tried again after a minute, an hour and six hours, then switched off."""

import hashlib
import hmac
import http.client
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from .clock import text
from .world import Row, World

RETRIES = (timedelta(minutes=1), timedelta(hours=1), timedelta(hours=6))
SECONDS_TO_ANSWER = 5
TYPES = frozenset({"Issue", "Cycle", "Project", "ProjectUpdate", "Initiative", "IssueLabel", "User"})


@dataclass
class Hook:
    """An address that wants to know. `is_enabled` turns false after a delivery failed four times."""

    url: str
    secret: str
    id: str
    is_enabled: bool = True


@dataclass
class Delivery:
    """One message, and when it is tried next."""

    hook: Hook
    event: str
    payload: Row
    due_at: datetime
    id: str
    tries: int = 0
    answers: list[int] = field(default_factory=list)  # 0 where nobody answered


def sign(secret: str, body: bytes) -> str:
    """Return Linear's signature of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhooks:
    """Writes down what happens in the world, and delivers it when asked to, by the world's clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hooks: list[Hook] = []
        self.waiting: list[Delivery] = []
        self.done: list[Delivery] = []
        self._count = 0

    def register(self, url: str, secret: str) -> Hook:
        """Send events to `url` from now on."""
        if not self.hooks:
            self.world.listeners.append(self._heard)
        hook = Hook(url, secret, self._uuid())
        self.hooks.append(hook)
        return hook

    def deliver_due(self) -> int:
        """Send what is due by the clock, and return how many were tried."""
        now = self.world.clock.now()
        with self.world.lock:
            due = [one for one in self.waiting if one.due_at <= now and one.hook.is_enabled]
            self.waiting = [one for one in self.waiting if one.due_at > now and one.hook.is_enabled]
        for delivery in due:
            # Not under the lock: the receiver may well come back with a question
            status = _send(delivery, now)
            with self.world.lock:
                self._settle(delivery, status, now)
        return len(due)

    def _settle(self, delivery: Delivery, status: int, now: datetime) -> None:
        """Write down how a try went, and when the next one is."""
        delivery.tries += 1
        delivery.answers.append(status)
        if status == 200:
            self.done.append(delivery)
        elif delivery.tries <= len(RETRIES):
            delivery.due_at = now + RETRIES[delivery.tries - 1]
            self.waiting.append(delivery)
        else:
            delivery.hook.is_enabled = False
            self.done.append(delivery)

    def _heard(self, action: str, kind: str, row: Row, before: Row) -> None:
        if kind not in TYPES:
            return
        now = self.world.clock.now()
        payload = {
            "action": action,
            "type": kind,
            "createdAt": text(now),
            "data": {name: value for name, value in row.items() if not name.startswith("_")},
            "url": f"https://linear.app/{self.world.organization['urlKey']}",
            "organizationId": self.world.organization["id"],
        }
        if before:
            payload["updatedFrom"] = {name: value for name, value in before.items() if not name.startswith("_")}
        for hook in self.hooks:
            if hook.is_enabled:
                self.waiting.append(Delivery(hook, kind, {**payload, "webhookId": hook.id}, now, self._uuid()))

    def _uuid(self) -> str:
        self._count += 1
        return str(uuid.UUID(int=self.world.seed * 2**64 + self._count, version=4))


def _send(delivery: Delivery, now: datetime) -> int:
    """Post a delivery and return the status, 0 if nobody answered in time."""
    body = json.dumps({**delivery.payload, "webhookTimestamp": round(now.timestamp() * 1000)}).encode()
    parts = urlsplit(delivery.hook.url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=SECONDS_TO_ANSWER)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Linear-Delivery": delivery.id,
        "Linear-Event": delivery.event,
        "Linear-Signature": sign(delivery.hook.secret, body),
        "User-Agent": "Linear-Webhook",
    }
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0  # nobody there, or not in time: the hub sees it as a retry
    finally:
        connection.close()
