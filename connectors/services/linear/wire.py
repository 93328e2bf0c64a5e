"""How Linear says no, and how much it lets us ask. Matches on the code in the body: a rate limit comes as HTTP 400."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Answer, FailureClass, Json, Limits, SourceFailed

# code in `extensions` → (class, is it final)
CODES: Mapping[str, tuple[FailureClass, bool]] = {
    "AUTHENTICATION_ERROR": (FailureClass.AUTH_INVALID, True),
    "FORBIDDEN": (FailureClass.SCOPE_MISSING, True),
    "FEATURE_NOT_ACCESSIBLE": (FailureClass.STREAM_UNAVAILABLE, True),
    "GRAPHQL_VALIDATION_FAILED": (FailureClass.QUERY_REJECTED, True),
    "GRAPHQL_PARSE_FAILED": (FailureClass.QUERY_REJECTED, True),
    "INPUT_ERROR": (FailureClass.QUERY_REJECTED, True),
    "BAD_USER_INPUT": (FailureClass.QUERY_REJECTED, True),
    "RATELIMITED": (FailureClass.RATE_LIMITED, False),
    "INTERNAL_SERVER_ERROR": (FailureClass.SOURCE_DOWN, False),
}
# The broader type that stands beside it, for codes we don't know
TYPES: Mapping[str, tuple[FailureClass, bool]] = {
    "authentication error": (FailureClass.AUTH_INVALID, True),
    "forbidden": (FailureClass.SCOPE_MISSING, True),
    "feature not accessible": (FailureClass.STREAM_UNAVAILABLE, True),
    "graphql error": (FailureClass.QUERY_REJECTED, True),
    "invalid input": (FailureClass.QUERY_REJECTED, True),
    "user error": (FailureClass.QUERY_REJECTED, True),
    "ratelimited": (FailureClass.RATE_LIMITED, False),
    "usage limit exceeded": (FailureClass.RATE_LIMITED, False),
    "lock timeout": (FailureClass.SOURCE_DOWN, False),
    "internal error": (FailureClass.SOURCE_DOWN, False),
    "network error": (FailureClass.SOURCE_DOWN, False),
}
# When an answer holds several errors, the one a person must act on speaks for all
_GRAVEST = (
    FailureClass.AUTH_INVALID,
    FailureClass.SCOPE_MISSING,
    FailureClass.STREAM_UNAVAILABLE,
    FailureClass.QUERY_REJECTED,
    FailureClass.RATE_LIMITED,
    FailureClass.SOURCE_DOWN,
)
_BUCKETS = ("x-ratelimit-requests", "x-ratelimit-complexity", "x-ratelimit-endpoint-requests")
LONGEST_WAIT = timedelta(hours=1, minutes=5)  # the window, and a little for a clock that runs differently
UNKNOWN_WAIT = timedelta(minutes=1)
_DETAIL = 300


def classify(answer: Answer, now: datetime) -> SourceFailed | None:
    """Say what went wrong with an answer, None if it is good."""
    try:
        payload: Any = answer.json()
    except (ValueError, SourceFailed):  # not JSON, or not even text: an edge page, a cut body, garbage
        return _by_status(answer, now, has_json=False)
    if isinstance(payload, dict) and payload.get("errors"):
        failed = from_errors(payload)
        if failed.kind is FailureClass.RATE_LIMITED:
            failed.retry_at = _when_free(answer, now)
        return failed
    failed_status = _by_status(answer, now, has_json=True)
    if failed_status is None and not (isinstance(payload, dict) and isinstance(payload.get("data"), dict)):
        return SourceFailed(FailureClass.BAD_PAYLOAD, "neither data nor errors", is_final=False)
    return failed_status


def from_errors(payload: Json) -> SourceFailed:
    """Turn the `errors` of an answer into one failure. Data beside them is not used: a page is whole or not."""
    found: list[tuple[FailureClass, bool, str]] = []
    errors = payload["errors"]
    for error in errors if isinstance(errors, list) else [errors]:
        extensions = error.get("extensions") if isinstance(error, dict) else None
        extensions = extensions if isinstance(extensions, dict) else {}
        code, kind = str(extensions.get("code", "")), str(extensions.get("type", ""))
        failure, is_final = CODES.get(code) or TYPES.get(kind) or (FailureClass.SOURCE_DOWN, False)
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
        found.append((failure, is_final, f"{code or kind or 'error'}: {message}"[:_DETAIL]))
    failure, is_final, detail = min(found, key=lambda one: _GRAVEST.index(one[0]))
    return SourceFailed(failure, detail, is_final=is_final)


def _by_status(answer: Answer, now: datetime, *, has_json: bool) -> SourceFailed | None:
    status = answer.status
    detail = f"HTTP {status}" if has_json else f"HTTP {status}, not JSON"
    if status < 400:
        return None if has_json else SourceFailed(FailureClass.BAD_PAYLOAD, detail, is_final=False)
    if status == 429:
        return SourceFailed(FailureClass.RATE_LIMITED, detail, retry_at=_when_free(answer, now), is_final=False)
    if status >= 500 or status == 408 or (status == 403 and not has_json):  # that 403 is the edge's, no missing right
        return SourceFailed(FailureClass.SOURCE_DOWN, detail, is_final=False)
    kinds = {401: FailureClass.AUTH_INVALID, 403: FailureClass.SCOPE_MISSING}
    return SourceFailed(kinds.get(status, FailureClass.QUERY_REJECTED), detail)


def _when_free(answer: Answer, now: datetime) -> datetime:
    """Return when asking again makes sense: the exhausted bucket's reset, else Retry-After, else a minute."""
    resets = [
        reset
        for bucket in _BUCKETS
        if (_number(answer, f"{bucket}-remaining") or 0) < 1 and (reset := _moment(answer, f"{bucket}-reset"))
    ]
    wait = _number(answer, "retry-after")
    if wait is not None:
        resets.append(now + timedelta(seconds=min(wait, LONGEST_WAIT.total_seconds())))
    found = max(resets, default=now + UNKNOWN_WAIT)
    # Their clock may run differently: never in the past, never beyond the window
    return min(max(found, now + timedelta(seconds=1)), now + LONGEST_WAIT)


def limits(answer: Answer) -> Limits:
    """Read what is left of the scarcest budget."""
    shares: list[tuple[float, datetime | None]] = []
    for bucket in _BUCKETS:
        limit, remaining = _number(answer, f"{bucket}-limit"), _number(answer, f"{bucket}-remaining")
        if limit and remaining is not None:
            share = min(max(remaining / limit, 0.0), 1.0)
            shares.append((share, _moment(answer, f"{bucket}-reset")))
    cost = _number(answer, "x-complexity")
    used = None if cost is None else round(cost)
    if not shares:
        return Limits(points=used)
    share, resets_at = min(shares, key=lambda one: one[0])
    return Limits(remaining_share=share, resets_at=resets_at, points=used)


def _number(answer: Answer, header: str) -> float | None:
    try:
        number = float(answer.headers.get(header, ""))
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # leaves out infinity and NaN, too


def _moment(answer: Answer, header: str) -> datetime | None:
    """Read a reset header: epoch milliseconds."""
    number = _number(answer, header)
    if number is None:
        return None
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (OverflowError, OSError, ValueError):  # a number no calendar holds: as good as no header
        return None
