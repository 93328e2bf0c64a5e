"""Productboard's webhooks: whatever value they were given comes back as it was; no signature, no stamp, no id.

Bodies have the shape of v1, links included; the address may be probed first.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from connectors.sandbox.webhooks import Delivery, Hook, Webhooks, send
from connectors.sandbox.world import Row

from .board import Board

API = "https://api.productboard.com"
# Entity type → what its events call it, and where its page in v1 is. Of components and products no deletion is told.
CALLED: Mapping[str, tuple[str, str]] = {
    "feature": ("feature", "features"),
    "subfeature": ("feature", "features"),
    "component": ("component", "components"),
    "product": ("product", "products"),
    "release": ("release", "releases"),
    "initiative": ("initiative", "initiatives"),
    "objective": ("objective", "objectives"),
    "keyResult": ("key-result", "key-results"),
    "note": ("note", "notes"),
}
NEVER_DELETED = frozenset({"component", "product"})


class ProbeFailed(Exception):
    """The address did not send back what it was asked to."""


class ProductboardWebhooks(Webhooks):
    """`probes`: whether a new address must first send a token back; the published documents differ on it."""

    retries = tuple(timedelta(minutes=3**power) for power in range(8))  # the last after 36.45 hours, then it is lost

    def __init__(self, board: Board, *, probes: bool = True) -> None:
        super().__init__(board.world)
        self.board = board
        self.probes = probes

    def register(self, url: str, secret: str) -> Hook:
        """Send events to `url`, with `secret` in `Authorization`. Raises ProbeFailed."""
        if self.probes:
            token = self._uuid()
            heard = send("GET", f"{url}?validationToken={token}")
            if (heard.status, heard.content_type, heard.body) != (200, "text/plain", token.encode()):
                raise ProbeFailed(url)
        return super().register(url, secret)

    def _listen(self) -> None:
        self.board.listeners.append(self._heard)

    def _heard(self, action: str, kind: str, row: Row, names: Iterable[str]) -> None:
        """Dress what happened; a note's tie to a feature is an insight, of which there are only the two ends."""
        data: Row = {}
        if kind == "insight":
            event = f"insight.{action}"
            data["links"] = {end: f"{API}/{end}s/{key}" for end, key in row.items()}
        elif kind in CALLED and not (action == "deleted" and kind in NEVER_DELETED):
            called, path = CALLED[kind]
            event = f"{called}.{action}"
            data |= {"id": row["id"], "links": {"target": f"{API}/{path}/{row['id']}"}}
            if action == "updated":
                data["updatedAttributes"] = sorted(names)
        else:
            return
        self._queue(event, {"data": {"eventType": event, **data}})

    def _dressed(self, delivery: Delivery, now: datetime) -> tuple[bytes, Mapping[str, str]]:
        return json.dumps(delivery.payload).encode(), {"Authorization": delivery.hook.secret}
