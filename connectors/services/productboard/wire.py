"""How Productboard says no, and how much it lets us ask. Matches on the code in the body, never on its wording."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Answer, FailureClass, Json, Limits, SourceFailed

# code → (class, is it final)
CODES: Mapping[str, tuple[FailureClass, bool]] = {
    "auth.invalid": (FailureClass.AUTH_INVALID, True),
    "auth.accessDenied": (FailureClass.SCOPE_MISSING, True),
    "resource.notFound": (FailureClass.STREAM_UNAVAILABLE, True),
    "route.notFound": (FailureClass.STREAM_UNAVAILABLE, True),
    "request.invalid": (FailureClass.QUERY_REJECTED, True),
    "request.malformed": (FailureClass.QUERY_REJECTED, True),
    "validation.failed": (FailureClass.QUERY_REJECTED, True),
    "validation.referenceNotFound": (FailureClass.QUERY_REJECTED, True),
    "conflict.uniqueViolation": (FailureClass.QUERY_REJECTED, True),
    "request.timeout": (FailureClass.SOURCE_SLOW, False),
    "rate.limitExceeded": (FailureClass.RATE_LIMITED, False),
    "internal.serverError": (FailureClass.SOURCE_DOWN, False),
}
# Where the code is one that we don't know
STATUSES: Mapping[int, tuple[FailureClass, bool]] = {
    401: (FailureClass.AUTH_INVALID, True),
    403: (FailureClass.SCOPE_MISSING, True),
    404: (FailureClass.STREAM_UNAVAILABLE, True),
    408: (FailureClass.SOURCE_SLOW, False),
    429: (FailureClass.RATE_LIMITED, False),
}
JUDGED = (403, 404)  # refusals of which the stream decides what they mean: see `refusal`
LONGEST_WAIT = timedelta(hours=1)
UNKNOWN_WAIT = timedelta(seconds=5)  # the limit is per second
_DETAIL = 300


def classify(answer: Answer, now: datetime) -> SourceFailed | None:
    """Say what went wrong with an answer, None if it is good."""
    try:
        payload: Any = answer.json()
    except (ValueError, SourceFailed):  # not JSON, or not even text: an edge page, a cut body, garbage
        return _without_json(answer, now)
    if answer.status < 400 and isinstance(payload, dict) and payload.get("errors"):  # a page is whole or not
        code, detail = code_of(payload)
        return SourceFailed(FailureClass.SOURCE_DOWN, f"{code} beside data: {detail}"[:_DETAIL], is_final=False)
    if answer.status < 400:
        is_good = isinstance(payload, dict) and "data" in payload
        return None if is_good else SourceFailed(FailureClass.BAD_PAYLOAD, "no data in the answer", is_final=False)
    failed = from_errors(answer.status, payload)
    if failed.kind is FailureClass.RATE_LIMITED:
        failed.retry_at = _when_free(answer, now)
    return failed


def from_errors(status: int, payload: Any) -> SourceFailed:
    """Turn an error body into a failure; its status speaks where it names no code that we know."""
    code, detail = code_of(payload)
    by_status = STATUSES.get(status) or (
        (FailureClass.SOURCE_DOWN, False) if status >= 500 else (FailureClass.QUERY_REJECTED, True)
    )
    kind, is_final = CODES.get(code, by_status)
    return SourceFailed(kind, f"HTTP {status} {code or 'without a code'}: {detail}"[:_DETAIL], is_final=is_final)


def code_of(payload: Any) -> tuple[str, str]:
    """Return code and detail of the first error in a body, empty where there is none."""
    errors = payload.get("errors") if isinstance(payload, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(first.get("code", "")), str(first.get("detail") or first.get("title") or "")


def refusal(payload: Json, *, is_in_every_plan: bool, scope: str) -> SourceFailed:
    """Say what a refused list means: a right is missing, or the plan doesn't include it.

    Productboard gives the same code for both. What every plan includes can only lack a right; of the rest we can't
    tell, so it is not measurable, and the detail names the right that might be it.
    """
    code, detail = code_of(payload)
    is_absent = CODES.get(code, (None, True))[0] is FailureClass.STREAM_UNAVAILABLE
    if is_in_every_plan and not is_absent:
        return SourceFailed(FailureClass.SCOPE_MISSING, f"{code}: {detail} ({scope} is needed)"[:_DETAIL])
    return SourceFailed(FailureClass.STREAM_UNAVAILABLE, f"{code}: {detail} (or {scope} is missing)"[:_DETAIL])


def _without_json(answer: Answer, now: datetime) -> SourceFailed:
    status = answer.status
    detail = f"HTTP {status}, not JSON"
    if status == 429:
        return SourceFailed(FailureClass.RATE_LIMITED, detail, retry_at=_when_free(answer, now), is_final=False)
    if status == 401:
        return SourceFailed(FailureClass.AUTH_INVALID, detail)
    if status < 400:
        return SourceFailed(FailureClass.BAD_PAYLOAD, detail, is_final=False)
    if status >= 500 or status in (403, 404, 408):  # the API answers in JSON: this is the edge's
        return SourceFailed(FailureClass.SOURCE_DOWN, detail, is_final=False)
    return SourceFailed(FailureClass.QUERY_REJECTED, detail)


def _when_free(answer: Answer, now: datetime) -> datetime:
    """Return when asking again makes sense: `Retry-After` in seconds, else soon."""
    wait = _number(answer, "retry-after")
    if wait is None:
        return now + UNKNOWN_WAIT
    return now + min(max(timedelta(seconds=min(wait, 86_400)), timedelta(seconds=1)), LONGEST_WAIT)


def limits(answer: Answer) -> Limits:
    """Read what is left of this second's requests."""
    limit, remaining = _number(answer, "x-ratelimit-limit"), _number(answer, "x-ratelimit-remaining")
    if not limit or remaining is None:
        return Limits()
    return Limits(remaining_share=min(max(remaining / limit, 0.0), 1.0))


def _number(answer: Answer, header: str) -> float | None:
    try:
        number = float(answer.headers.get(header, ""))
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None  # leaves out infinity and NaN, too
