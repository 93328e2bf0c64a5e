"""Webhooks as services send them: written down as things happen, delivered by the world's clock, tried again.

`Webhooks` is what the services have in common, `LinearWebhooks` is Linear's own manner; the other stand-ins keep
theirs beside their wires.
"""

import hashlib
import hmac
import http.client
import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from .clock import text
from .world import Row, World

SECONDS_TO_ANSWER = 5
JSON = "application/json; charset=utf-8"
TYPES = frozenset({"Issue", "Cycle", "Project", "ProjectUpdate", "Initiative", "IssueLabel", "User"})


@dataclass
class Hook:
    """An address that wants to know. `is_enabled` turns false where a service gives up on an address."""

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


@dataclass(frozen=True)
class Heard:
    """What the receiver answered; status 0 where nobody did, or not in time."""

    status: int
    body: bytes = b""
    content_type: str = ""


def sign(secret: str, body: bytes) -> str:
    """Return the hex HMAC of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhooks(ABC):
    """Writes down what happens, and delivers it when asked to, by the world's clock."""

    retries: Sequence[timedelta] = ()
    gives_up = False  # whether an address is disabled after its last try
    good: Sequence[int] = range(200, 300)

    def __init__(self, world: World) -> None:
        self.world = world
        self.hooks: list[Hook] = []
        self.waiting: list[Delivery] = []
        self.done: list[Delivery] = []
        self._count = 0

    def register(self, url: str, secret: str) -> Hook:
        """Send events to `url` from now on."""
        hook = Hook(url, secret, self._uuid())
        if not self.hooks:
            self._listen()
        self.hooks.append(hook)
        return hook

    def confirm(self, hook: Hook, token: str) -> bool:
        """Tell whether somebody showed that they hold the address; most services don't ask."""
        return hook.is_enabled

    def deliver_due(self) -> int:
        """Send what is due by the clock, and return how many were tried."""
        now = self.world.clock.now()
        with self.world.lock:
            due = [one for one in self.waiting if one.due_at <= now and one.hook.is_enabled]
            self.waiting = [one for one in self.waiting if one.due_at > now and one.hook.is_enabled]
        for delivery in self._in_order(due):
            # Not under the lock: the receiver may well come back with a question
            body, headers = self._dressed(delivery, now)
            heard = send("POST", delivery.hook.url, body, {"Content-Type": JSON, **headers})
            with self.world.lock:
                self._settle(delivery, heard.status, now)
        return len(due)

    @abstractmethod
    def _listen(self) -> None:
        """Begin to hear what happens."""

    @abstractmethod
    def _dressed(self, delivery: Delivery, now: datetime) -> tuple[bytes, Mapping[str, str]]:
        """Return the body and the headers of one try."""

    def _in_order(self, due: list[Delivery]) -> list[Delivery]:
        """Return in which order deliveries of one moment are sent."""
        return due

    def _queue(self, event: str, payload: Row, *, after: timedelta = timedelta()) -> None:
        """Write a message down for every address that is enabled."""
        due_at = self.world.clock.now() + after
        for hook in self.hooks:
            if hook.is_enabled:
                self.waiting.append(Delivery(hook, event, dict(payload), due_at, self._uuid()))

    def _settle(self, delivery: Delivery, status: int, now: datetime) -> None:
        """Write down how a try went, and when the next one is."""
        delivery.tries += 1
        delivery.answers.append(status)
        if status in self.good:
            self.done.append(delivery)
        elif delivery.tries <= len(self.retries):
            delivery.due_at = now + self.retries[delivery.tries - 1]
            self.waiting.append(delivery)
        else:
            delivery.hook.is_enabled = delivery.hook.is_enabled and not self.gives_up
            self.done.append(delivery)

    def _uuid(self) -> str:
        self._count += 1
        return str(uuid.UUID(int=self.world.seed * 2**64 + self._count, version=4))


class LinearWebhooks(Webhooks):
    """Signed, stamped, tried again after a minute, an hour and six hours, then switched off. Only 200 will do."""

    retries = (timedelta(minutes=1), timedelta(hours=1), timedelta(hours=6))
    gives_up = True
    good = (200,)

    def _listen(self) -> None:
        self.world.listeners.append(self._heard)

    def _heard(self, action: str, kind: str, row: Row, before: Row) -> None:
        if kind not in TYPES:
            return
        payload = {
            "action": action,
            "type": kind,
            "createdAt": text(self.world.clock.now()),
            "data": {name: value for name, value in row.items() if not name.startswith("_")},
            "url": f"https://linear.app/{self.world.organization['urlKey']}",
            "organizationId": self.world.organization["id"],
        }
        if before:
            payload["updatedFrom"] = {name: value for name, value in before.items() if not name.startswith("_")}
        self._queue(kind, payload)

    def _dressed(self, delivery: Delivery, now: datetime) -> tuple[bytes, Mapping[str, str]]:
        stamped = {"webhookId": delivery.hook.id, "webhookTimestamp": round(now.timestamp() * 1000)}
        body = json.dumps({**delivery.payload, **stamped}).encode()
        return body, {
            "Linear-Delivery": delivery.id,
            "Linear-Event": delivery.event,
            "Linear-Signature": sign(delivery.hook.secret, body),
            "User-Agent": "Linear-Webhook",
        }


def send(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Heard:
    """Send one request, and return what came back in time."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=SECONDS_TO_ANSWER)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        answer = connection.getresponse()
        return Heard(answer.status, answer.read(), answer.headers.get_content_type())
    except (OSError, http.client.HTTPException):
        return Heard(0)  # nobody there, or not in time: the hub sees it as a retry
    finally:
        connection.close()
