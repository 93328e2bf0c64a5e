"""Productboard's deliveries: no signature, no stamp, no id. What we had it send comes back in `Authorization`."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from connectors.base import Announced, Hook, NotTaken, RefusedFor, SecretFrom, json_object

# What an event is about → the streams to read again. To the events, a subfeature is a feature.
STREAMS: Mapping[str, tuple[str, ...]] = {
    "feature": ("features", "subfeatures"),
    "component": ("components",),
    "product": ("products",),
    "release": ("releases",),
    "initiative": ("initiatives",),
    "objective": ("objectives",),
    "key-result": ("key_results",),
    "note": ("notes",),
    "insight": ("features", "notes"),  # the tie of a note to a feature
    "feature-release-assignment": ("features", "releases"),
    "hierarchy-entity": ("components", "features", "products", "subfeatures"),  # a custom field of one of these
}
HOOK = Hook(
    SecretFrom.GENERATED,
    steps=(
        _("Productboard has no page for this: create the webhook with a POST to its API at /v2/webhooks."),
        _("Give the address as notification.url, and the value as notification.headers.authorization."),
        _("Name the events of features, notes, releases, objectives, key results, initiatives and components."),
    ),
    counted=("features", "subfeatures", "notes", "releases", "objectives", "key_results", "initiatives"),
    probe="validationToken",
)


def webhook(headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime) -> Announced | NotTaken:
    """Verify one delivery, and tell what it announces.

    The value is a password, not a signature: it tells who sends, not that the body is whole. The body is a hint anyway.
    """
    if not secret:
        return NotTaken(RefusedFor.UNREADY)
    if not hmac.compare_digest(secret.encode(), headers.get("authorization", "").encode(errors="replace")):
        return NotTaken(RefusedFor.FORGED)
    data = (json_object(raw_body) or {}).get("data")
    kind = data.get("eventType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(kind, str):
        return NotTaken(RefusedFor.UNREADABLE)
    about, _dot, what = kind.partition(".")
    is_gone = what == "deleted" and about != "insight"
    return Announced(event_id(raw_body, now), STREAMS.get(about, ()), subject(data), is_gone)


def event_id(raw_body: bytes, now: datetime) -> str:
    """Return what stands for an id: the body and the minute. The same body a minute later may be another change."""
    minute = now.astimezone(UTC).strftime("%Y%m%d%H%M")
    return blake2b(minute.encode() + raw_body, digest_size=20).hexdigest()


def subject(data: Mapping[str, object]) -> str:
    """Return the id of what changed: said, or the end of the address that leads to it."""
    if isinstance(data.get("id"), str | int):
        return str(data["id"])
    links = data.get("links")
    known: Iterable[object] = links.values() if isinstance(links, dict) else ()
    address = next((one for one in known if isinstance(one, str) and one), "")
    return urlsplit(address).path.rstrip("/").rpartition("/")[2] if is_address(address) else ""


def is_address(value: str) -> bool:
    try:
        return bool(urlsplit(value).scheme)
    except ValueError:
        return False
