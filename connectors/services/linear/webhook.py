"""Linear's deliveries: a hex HMAC over the raw body, and a stamp that is good for a minute."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from connectors.base import Announced, Hook, NotTaken, RefusedFor, SecretFrom, json_object

GOOD_FOR = timedelta(seconds=60)  # Linear's own rule, in both directions
STREAMS: Mapping[str, tuple[str, ...]] = {
    "Issue": ("issues",),
    "IssueLabel": ("labels",),
    "Cycle": ("cycles",),
    "Project": ("projects",),
    "ProjectUpdate": ("project_updates",),
    "Initiative": ("initiatives",),
    "User": ("users",),
}
HOOK = Hook(
    SecretFrom.PASTED,
    steps=(
        _("In Linear, open Settings → API → Webhooks and choose New webhook. Only workspace admins may."),
        _("Paste the address, and tick issues, labels, cycles, projects, project updates, initiatives and users."),
        _("Save it, copy the signing secret that Linear shows, and enter it here."),
    ),
    # Cycles and projects change by themselves, with the issues in them; nobody announces that
    counted=("issues", "project_updates", "initiatives"),
)


def webhook(headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime) -> Announced | NotTaken:
    """Verify one delivery, and tell what it announces."""
    if not secret:
        return NotTaken(RefusedFor.UNREADY)
    expected = hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), headers.get("linear-signature", "").encode(errors="replace")):
        return NotTaken(RefusedFor.FORGED)
    payload, event_id = json_object(raw_body), headers.get("linear-delivery", "")
    if payload is None or not event_id:
        return NotTaken(RefusedFor.UNREADABLE)
    if not is_fresh(payload.get("webhookTimestamp", headers.get("linear-timestamp")), now):
        return NotTaken(RefusedFor.STALE)
    data = payload.get("data")
    return Announced(
        event_id,
        STREAMS.get(str(payload.get("type")), ()),
        str(data.get("id", "")) if isinstance(data, dict) else "",
        is_gone=payload.get("action") == "remove",
    )


def is_fresh(stamp: object, now: datetime) -> bool:
    """Tell whether a stamp in milliseconds lies within a minute of now; one that is none does not."""
    try:
        sent = float(str(stamp)) / 1000
    except ValueError:
        return False
    return abs(now.timestamp() - sent) <= GOOD_FOR.total_seconds()
