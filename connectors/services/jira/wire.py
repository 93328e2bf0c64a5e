"""How Jira Cloud says no, and how much it lets us ask. Its bodies hold words but no codes, so the status speaks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Answer, FailureClass, Json, Limits, SourceFailed

# status → (class, is it final), for answers in JSON; the API always answers in JSON
STATUSES: Mapping[int, tuple[FailureClass, bool]] = {
    401: (FailureClass.AUTH_INVALID, True),
    403: (FailureClass.SCOPE_MISSING, True),
    404: (FailureClass.STREAM_UNAVAILABLE, True),
    408: (FailureClass.SOURCE_SLOW, False),
    410: (FailureClass.QUERY_REJECTED, True),  # an endpoint that was taken away: the former search
    429: (FailureClass.RATE_LIMITED, False),
}
# A token that expired makes us a stranger: where strangers may read, the answer is 200 and nearly empty
NOT_SIGNED_IN = ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")
LONGEST_WAIT = timedelta(hours=1)
UNKNOWN_WAIT = timedelta(seconds=10)
NEAR_LIMIT = 0.15  # the share that is left when Jira only says that little is: under 20 %
_DETAIL = 300


def classify(answer: Answer, now: datetime) -> SourceFailed | None:
    """Say what went wrong with an answer, None if it is good."""
    status, reason = answer.status, answer.headers.get("x-seraph-loginreason", "")
    if any(word in reason for word in NOT_SIGNED_IN):
        return SourceFailed(FailureClass.AUTH_INVALID, f"HTTP {status}, signed in as nobody: {reason}"[:_DETAIL])
    if status < 400:
        return None
    words = _words(answer)
    if status == 429:
        why = answer.headers.get("ratelimit-reason", "no reason given")
        return SourceFailed(
            FailureClass.RATE_LIMITED, f"HTTP 429 ({why})"[:_DETAIL], retry_at=_when_free(answer, now), is_final=False
        )
    if words is None and status not in (401, 410):  # the edge's page, or a site that is asleep
        return SourceFailed(FailureClass.SOURCE_DOWN, f"HTTP {status}, not JSON", is_final=False)
    usual = (FailureClass.SOURCE_DOWN, False) if status >= 500 else (FailureClass.QUERY_REJECTED, True)
    kind, is_final = STATUSES.get(status, usual)
    return SourceFailed(kind, f"HTTP {status}: {words or 'no words'}"[:_DETAIL], is_final=is_final)


def _words(answer: Answer) -> str | None:
    """Return what an error body says, None where it is no JSON object."""
    try:
        payload: Json = answer.json()
    except (ValueError, SourceFailed):
        return None
    messages: Any = payload.get("errorMessages")
    told = [str(one) for one in messages] if isinstance(messages, list) else []
    errors = payload.get("errors")
    told += [f"{name}: {words}" for name, words in errors.items()] if isinstance(errors, dict) else []
    return "; ".join(told) or str(payload.get("message") or payload.get("error") or "")


def _when_free(answer: Answer, now: datetime) -> datetime:
    """Return when asking again makes sense: `Retry-After` in seconds, else the reset, else soon."""
    wait = _number(answer, "retry-after")
    found = now + timedelta(seconds=min(wait, 86_400)) if wait is not None else _reset(answer) or now + UNKNOWN_WAIT
    return min(max(found, now + timedelta(seconds=1)), now + LONGEST_WAIT)


def limits(answer: Answer) -> Limits:
    """Read what is left of the burst limit."""
    limit, remaining = _number(answer, "x-ratelimit-limit"), _number(answer, "x-ratelimit-remaining")
    if limit and remaining is not None:
        return Limits(remaining_share=min(max(remaining / limit, 0.0), 1.0), resets_at=_reset(answer))
    if answer.headers.get("x-ratelimit-nearlimit", "").lower() == "true":
        return Limits(remaining_share=NEAR_LIMIT, resets_at=_reset(answer))
    return Limits()


def _reset(answer: Answer) -> datetime | None:
    """Read `X-RateLimit-Reset`, which Jira writes as 2026-03-02T09:00Z."""
    try:
        at = datetime.fromisoformat(answer.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _number(answer: Answer, header: str) -> float | None:
    try:
        number = float(answer.headers.get(header, ""))
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None  # leaves out infinity and NaN, too
