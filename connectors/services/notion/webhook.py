"""Notion's deliveries: `sha256=` and an HMAC over the raw body, keyed by a token that a first delivery brings."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from connectors.base import Announced, Handshake, Hook, NotTaken, RefusedFor, SecretFrom, json_object

# Up to eight tries, the last about a day later; no header tells when one was made, only the body when it happened
GOOD_FOR = timedelta(days=2)
CLOCKS_DIFFER = timedelta(minutes=5)
STREAMS: Mapping[str, tuple[str, ...]] = {
    "page": ("pages",),
    "data_source": ("data_sources",),
    "database": ("data_sources",),
}
HOOK = Hook(
    SecretFrom.HANDSHAKE,
    steps=(
        _("In Notion, open the settings of the connection whose token the hub uses, and there Webhooks."),
        _("Choose Create a subscription, paste the address, and tick the events of pages and data sources."),
        _("Notion sends a verification token, which appears here: reload this page, and copy it."),
        _("Paste it into Notion’s Verify dialog."),
    ),
    counted=("pages",),
)


def webhook(
    headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime
) -> Announced | Handshake | NotTaken:
    """Verify one delivery, and tell what it announces, or which token Notion will sign with.

    A token is taken while there is none. Later ones must be the same: else whoever knows the address could put in
    one of their own. A deletion puts a page into the trash, which the window lists: it's read like any other change.
    """
    signature = headers.get("x-notion-signature", "")
    if secret and not is_signed(raw_body, secret, signature):
        return NotTaken(RefusedFor.FORGED)
    payload = json_object(raw_body)
    if payload is not None and "verification_token" in payload:
        return shaken(payload["verification_token"], raw_body, secret, signature)
    if not secret:
        return NotTaken(RefusedFor.UNREADY)
    if payload is None or not payload.get("id") or not isinstance(payload.get("type"), str):
        return NotTaken(RefusedFor.UNREADABLE)
    if not is_fresh(payload.get("timestamp"), now):
        return NotTaken(RefusedFor.STALE)
    entity = payload.get("entity")
    external_id = str(entity.get("id", "")) if isinstance(entity, dict) else ""
    return Announced(str(payload["id"]), STREAMS.get(payload["type"].partition(".")[0], ()), external_id)


def shaken(token: object, raw_body: bytes, secret: str, signature: str) -> Handshake | NotTaken:
    """Judge a handshake. Notion signs it with the token that it brings; one without a signature is taken, too."""
    if not isinstance(token, str) or not 8 <= len(token) <= 200:
        return NotTaken(RefusedFor.UNREADABLE)
    if secret and not hmac.compare_digest(token.encode(errors="replace"), secret.encode()):
        return NotTaken(RefusedFor.FORGED)
    if signature and not is_signed(raw_body, token, signature):
        return NotTaken(RefusedFor.FORGED)
    return Handshake(token)


def is_signed(raw_body: bytes, secret: str, signature: str) -> bool:
    expected = hmac.new(secret.encode(errors="replace"), raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}".encode(), signature.encode(errors="replace"))


def is_fresh(stamp: object, now: datetime) -> bool:
    """Tell whether an event happened within the days in which Notion may still deliver it."""
    try:
        at = datetime.fromisoformat(str(stamp))
    except ValueError:
        return False
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return -CLOCKS_DIFFER <= now - at <= GOOD_FOR
