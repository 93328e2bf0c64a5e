"""Notion's webhooks: a handshake first, ids alone, gathered for a minute, out of order, one in a hundred lost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from connectors.sandbox.clock import text
from connectors.sandbox.webhooks import Delivery, Hook, Webhooks, send, sign
from connectors.sandbox.world import Row

from .workspace import Workspace

GATHERED_FOR = timedelta(minutes=1)


@dataclass
class Subscription(Hook):
    """A hook that gets nothing until somebody has pasted its token back."""

    answered: int = 0  # status of the handshake


class NotionWebhooks(Webhooks):
    """`loses` is the share of events that are never sent; `lost` are the ids of what they were about."""

    # Eight tries within a day, each after a longer wait
    retries = tuple(timedelta(minutes=wait) for wait in (1, 4, 15, 60, 180, 420, 720))

    def __init__(self, workspace: Workspace, *, loses: float = 0.01) -> None:
        super().__init__(workspace.world)
        self.workspace = workspace
        self.loses = loses
        self.lost: list[str] = []
        self._draw = Random(f"{workspace.world.seed}:notion:webhooks")

    def register(self, url: str, secret: str = "") -> Hook:
        """Create a subscription and send its token, made up unless given; `confirm` begins it."""
        subscription = Subscription(url, secret or f"secret_{self._draw.getrandbits(128):032x}", self._uuid())
        if not self.hooks:
            self._listen()
        self.hooks.append(subscription)
        subscription.is_enabled = False
        body = json.dumps({"verification_token": subscription.secret}).encode()
        signature = {"X-Notion-Signature": f"sha256={sign(subscription.secret, body)}"}
        subscription.answered = send("POST", url, body, {"Content-Type": "application/json", **signature}).status
        return subscription

    def confirm(self, hook: Hook, token: str) -> bool:
        """Paste the token back: events are sent from now on, if it is the right one."""
        hook.is_enabled = token == hook.secret
        return hook.is_enabled

    def _listen(self) -> None:
        self.workspace.listeners.append(self._heard)

    def _heard(self, event: str, row: Row) -> None:
        now = self.world.clock.now()
        gathered = [
            one for one in self.waiting
            if one.tries == 0 and one.event == event and one.payload["entity"]["id"] == row["id"]
        ]  # fmt: skip
        for one in gathered:
            one.payload["timestamp"] = text(now)
        if gathered:
            return
        if self._draw.random() < self.loses:
            self.lost.append(row["id"])
            return
        kind = event.partition(".")[0]
        above = ("source", "data_source") if kind == "page" else ("database_id", "database")
        self._queue(event, {
            "timestamp": text(now), "type": event, "workspace_name": self.workspace.name,
            "authors": [{"id": row.get("edited_by", self.workspace.bot["id"]), "type": "person"}],
            "entity": {"id": row["id"], "type": kind}, "data": {"parent": {"id": row[above[0]], "type": above[1]}},
        }, after=GATHERED_FOR)  # fmt: skip

    def _in_order(self, due: list[Delivery]) -> list[Delivery]:
        return self._draw.sample(due, len(due))

    def _dressed(self, delivery: Delivery, now: datetime) -> tuple[bytes, Mapping[str, str]]:
        told = {"id": delivery.id, "subscription_id": delivery.hook.id, "attempt_number": delivery.tries + 1}
        body = json.dumps({**told, **delivery.payload}).encode()
        return body, {"X-Notion-Signature": f"sha256={sign(delivery.hook.secret, body)}"}
