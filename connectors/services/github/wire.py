"""How GitHub says no, and what it says is left. Its errors have no code: status, headers and the address of the page
that explains the error tell them apart.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Answer, FailureClass, Limits, SourceFailed

VERSION = "2022-11-28"
MOVED = (301, 302, 307, 308)
GONE = (*MOVED, 404, 451)  # of one repository: renamed, not there or not ours to see, blocked
SECONDARY = "secondary-rate-limits"  # in the address of the explanation
UNKNOWN_WAIT = timedelta(minutes=1)  # what GitHub asks for where it names no time
_DETAIL = 300


def classify(answer: Answer, now: datetime) -> SourceFailed | None:  # noqa: PLR0911 — one line a kind
    """Say what went wrong with an answer, None if it is good."""
    status = answer.status
    if 200 <= status < 300:
        return None
    told = _told(answer)
    detail = f"HTTP {status}: {told.get('message', '')}"[:_DETAIL] if told else f"HTTP {status}, of the edge"
    if status in (403, 429) and (status == 429 or _is_limit(answer, told)):
        return SourceFailed(FailureClass.RATE_LIMITED, detail, retry_at=_when_free(answer, now), is_final=False)
    if status == 401:
        return SourceFailed(FailureClass.AUTH_INVALID, detail)
    if status in (410, 451):
        return SourceFailed(FailureClass.STREAM_UNAVAILABLE, detail)
    if status in (*MOVED, 403, 404) and told:
        return SourceFailed(FailureClass.SCOPE_MISSING, detail)
    if status >= 500 or status in (403, 408):
        return SourceFailed(FailureClass.SOURCE_DOWN, detail, is_final=False)
    return SourceFailed(FailureClass.QUERY_REJECTED, detail)


def limits(answer: Answer) -> Limits:
    """Read the hour's budget: how much of it is left, and when it is full again (epoch seconds)."""
    amount, left, reset = (_number(answer, f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset"))
    if not amount or left is None or reset is None:
        return Limits()
    return Limits(remaining_share=left / amount, resets_at=datetime.fromtimestamp(reset, UTC))


def _told(answer: Answer) -> dict[str, Any]:
    """Return what an error says of itself; empty where it is no JSON, as the edge's are."""
    try:
        return answer.json()
    except SourceFailed:
        return {}


def _is_limit(answer: Answer, told: dict[str, Any]) -> bool:
    """Tell a 403 that means "later" from one that means "never"."""
    if answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers:
        return True
    return SECONDARY in str(told.get("documentation_url", ""))


def _when_free(answer: Answer, now: datetime) -> datetime:
    """Return when asking again makes sense: `Retry-After`, else the reset of a budget that is used up, else soon."""
    wait = _number(answer, "retry-after")
    reset = _number(answer, "x-ratelimit-reset")
    if wait is not None:
        return now + timedelta(seconds=max(1, wait))
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(datetime.fromtimestamp(reset, UTC), now + timedelta(seconds=1))
    return now + UNKNOWN_WAIT


def _number(answer: Answer, name: str) -> int | None:
    text = answer.headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
