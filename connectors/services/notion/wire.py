"""How Notion says no. Matches on the code in the body; a body that is no JSON is the edge's, not the API's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.base import Answer, FailureClass, Json, SourceFailed

VERSION = "2025-09-03"
# code → (class, is it final)
CODES: Mapping[str, tuple[FailureClass, bool]] = {
    "unauthorized": (FailureClass.AUTH_INVALID, True),
    "restricted_resource": (FailureClass.SCOPE_MISSING, True),
    "object_not_found": (
        FailureClass.SCOPE_MISSING,
        True,
    ),  # not shared with us, or deleted: Notion does not tell which
    "rate_limited": (FailureClass.RATE_LIMITED, False),
    "validation_error": (FailureClass.QUERY_REJECTED, True),
    "invalid_json": (FailureClass.QUERY_REJECTED, True),
    "invalid_request_url": (FailureClass.QUERY_REJECTED, True),
    "invalid_request": (FailureClass.QUERY_REJECTED, True),
    "invalid_beta": (FailureClass.QUERY_REJECTED, True),
    "missing_version": (FailureClass.QUERY_REJECTED, True),
    "conflict_error": (FailureClass.SOURCE_DOWN, False),
    "internal_server_error": (FailureClass.SOURCE_DOWN, False),
    "service_unavailable": (FailureClass.SOURCE_DOWN, False),
    "gateway_timeout": (FailureClass.SOURCE_DOWN, False),
    "service_overload": (FailureClass.SOURCE_DOWN, False),
}
SERVER_ERROR = 500
UNKNOWN_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=2)
_DETAIL = 300


def classify(answer: Answer, now: datetime) -> SourceFailed | None:
    """Say what went wrong with an answer, None if it is good.

    Query and search are POST, yet they only read: what may pass is asked again there, too.
    """
    try:
        payload: Any = answer.json()
    except (ValueError, SourceFailed):
        payload = None
    if isinstance(payload, dict) and payload.get("object") == "error":
        return _refusal(payload, answer, now)
    return _by_status(answer, now, has_json=isinstance(payload, dict))


def is_error(payload: Json, code: str) -> bool:
    """Tell whether an answer that `read` judges is a refusal with this code."""
    return payload.get("object") == "error" and payload.get("code") == code


def _refusal(payload: Json, answer: Answer, now: datetime) -> SourceFailed:
    code = str(payload.get("code", ""))
    kind, is_final = CODES.get(code) or _kind_of(answer.status)
    reason = payload.get("additional_data")
    reason = reason.get("rate_limit_reason") if isinstance(reason, dict) else None
    words = f"{code}: {reason or payload.get('message', '')}"
    retry_at = _when_free(answer, now) if kind is FailureClass.RATE_LIMITED else None
    return SourceFailed(kind, words[:_DETAIL], retry_at=retry_at, is_final=is_final)


def _by_status(answer: Answer, now: datetime, *, has_json: bool) -> SourceFailed | None:
    status, detail = answer.status, f"HTTP {answer.status}"
    if status < 400:
        return None if has_json else SourceFailed(FailureClass.BAD_PAYLOAD, f"{detail}, not JSON", is_final=False)
    if status == 429:
        return SourceFailed(FailureClass.RATE_LIMITED, detail, retry_at=_when_free(answer, now), is_final=False)
    if status >= SERVER_ERROR or status == 408 or (status == 403 and not has_json):
        # An HTML page with 403 or 520 is the edge in front of Notion: no right is missing
        return SourceFailed(FailureClass.SOURCE_DOWN, detail if has_json else f"{detail}, of the edge", is_final=False)
    kind, is_final = _kind_of(status)
    return SourceFailed(kind, detail, is_final=is_final)


def _kind_of(status: int) -> tuple[FailureClass, bool]:
    """Class of a refusal with a code that we don't know."""
    if status == 429:
        return FailureClass.RATE_LIMITED, False
    if status >= SERVER_ERROR:
        return FailureClass.SOURCE_DOWN, False
    by_status = {401: FailureClass.AUTH_INVALID, 403: FailureClass.SCOPE_MISSING, 404: FailureClass.SCOPE_MISSING}
    return by_status.get(status, FailureClass.QUERY_REJECTED), True


def _when_free(answer: Answer, now: datetime) -> datetime:
    """Return when asking again makes sense: `Retry-After` in seconds or as a date, else in a minute."""
    text = answer.headers.get("retry-after", "").strip()
    found = now + UNKNOWN_WAIT
    if text.isdecimal() and len(text) < 9:
        found = now + timedelta(seconds=int(text))
    elif text:
        try:
            found = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return found
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return min(max(found, now + timedelta(seconds=1)), now + LONGEST_WAIT)
