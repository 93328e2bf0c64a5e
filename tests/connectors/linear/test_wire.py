"""Every way Linear says no, and what its headers tell."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import FailureClass as F
from connectors.services.linear import connector

from .replies import Got, refused, said

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def ms(at):
    return round(at.timestamp() * 1000)


ANSWERS = {
    "a revoked key": (refused("AUTHENTICATION_ERROR", 401), F.AUTH_INVALID, True),
    "a bare 401": (Got(401, {}, b""), F.AUTH_INVALID, True),
    "a missing scope": (refused("FORBIDDEN", 403), F.SCOPE_MISSING, True),
    "a feature not in the plan": (refused("FEATURE_NOT_ACCESSIBLE"), F.STREAM_UNAVAILABLE, True),
    "an unknown field with 400": (refused("GRAPHQL_VALIDATION_FAILED", 400), F.QUERY_REJECTED, True),
    "an unknown field with 500": (refused("GRAPHQL_VALIDATION_FAILED", 500), F.QUERY_REJECTED, True),
    "a cursor that is no more": (refused("INPUT_ERROR"), F.QUERY_REJECTED, True),
    "an unknown code of a known type": (refused("NEW_THING", 400, "authentication error"), F.AUTH_INVALID, True),
    "an unknown code and type": (refused("NEW_THING", 400, "new thing"), F.SOURCE_DOWN, False),
    "an inner error with 200": (refused("INTERNAL_SERVER_ERROR", 200), F.SOURCE_DOWN, False),
    "an inner error with 500": (refused("INTERNAL_SERVER_ERROR", 500), F.SOURCE_DOWN, False),
    "a limit, as HTTP 400": (refused("RATELIMITED", 400), F.RATE_LIMITED, False),
    "a limit of the edge": (Got(429, {}, b"<html>slow down</html>"), F.RATE_LIMITED, False),
    "data with errors": (
        said({"data": {"issues": None}, "errors": [{"message": "oops", "extensions": {}}]}), F.SOURCE_DOWN, False,
    ),
    "several errors, one for a person": (
        said({"errors": [
            {"message": "a", "extensions": {"code": "INTERNAL_SERVER_ERROR"}},
            {"message": "b", "extensions": {"code": "FORBIDDEN"}},
        ]}), F.SCOPE_MISSING, True,
    ),
    "errors of an odd shape": (said({"errors": "no"}), F.SOURCE_DOWN, False),
    "403 of the edge": (Got(403, {}, b"<html>"), F.SOURCE_DOWN, False),
    "403 as JSON": (said({}, 403), F.SCOPE_MISSING, True),
    "502": (Got(502, {}, b""), F.SOURCE_DOWN, False),
    "520 of the edge": (Got(520, {}, b"<html>"), F.SOURCE_DOWN, False),
    "529": (Got(529, {}, b"{}"), F.SOURCE_DOWN, False),
    "404": (Got(404, {}, b"{}"), F.QUERY_REJECTED, True),
    "cut JSON": (Got(200, {}, b'{"data": {"iss'), F.BAD_PAYLOAD, False),
    "nothing": (Got(200, {}, b""), F.BAD_PAYLOAD, False),
    "not even text": (Got(200, {}, b"\xff\xfe\x1f"), F.BAD_PAYLOAD, False),
    "a list": (said([1, 2]), F.BAD_PAYLOAD, False),
    "an object without data": (said({"hello": 1}), F.BAD_PAYLOAD, False),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_classed(name):
    answer, kind, is_final = ANSWERS[name]

    failed = connector.classify(answer, NOW)

    assert (failed.kind, failed.is_final) == (kind, is_final)


def test_good_data_is_no_failure_whatever_it_is_called():
    assert connector.classify(said({"data": {}}, content_type="text/html"), NOW) is None


def test_a_limit_waits_for_the_bucket_that_is_empty():
    answer = refused(
        "RATELIMITED",
        x_ratelimit_requests_remaining=12,
        x_ratelimit_requests_reset=ms(NOW + timedelta(minutes=50)),
        x_ratelimit_complexity_remaining=0,
        x_ratelimit_complexity_reset=ms(NOW + timedelta(minutes=7)),
    )

    assert connector.classify(answer, NOW).retry_at == NOW + timedelta(minutes=7)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": 30}, timedelta(seconds=30)),
        ({}, timedelta(minutes=1)),
        ({"retry_after": "soon"}, timedelta(minutes=1)),
        ({"retry_after": "inf"}, timedelta(minutes=1)),
        ({"retry_after": 10**9}, timedelta(hours=1, minutes=5)),
        ({"x_ratelimit_requests_remaining": 0, "x_ratelimit_requests_reset": 0}, timedelta(seconds=1)),
        ({"x_ratelimit_requests_remaining": 0, "x_ratelimit_requests_reset": "9" * 14}, timedelta(hours=1, minutes=5)),
        ({"x_ratelimit_requests_remaining": 0, "x_ratelimit_requests_reset": "nan"}, timedelta(minutes=1)),
    ],
)
def test_the_wait_is_never_in_the_past_nor_for_ever(headers, wait):
    failed = connector.classify(refused("RATELIMITED", **headers), NOW)

    assert failed.retry_at == NOW + wait


def test_limits_are_those_of_the_scarcest_bucket():
    reset = NOW + timedelta(minutes=20)
    answer = said(
        {"data": {}},
        x_ratelimit_requests_limit=2500,
        x_ratelimit_requests_remaining=2000,
        x_ratelimit_requests_reset=ms(NOW),
        x_ratelimit_complexity_limit=3_000_000,
        x_ratelimit_complexity_remaining=300_000,
        x_ratelimit_complexity_reset=ms(reset),
        x_complexity=5802,
    )

    found = connector.limits(answer)

    assert (found.remaining_share, found.resets_at, found.points) == (0.1, reset, 5802)


@pytest.mark.parametrize("headers", [{}, {"x_ratelimit_requests_limit": 0, "x_ratelimit_requests_remaining": "many"}])
def test_silent_or_senseless_headers_say_nothing(headers):
    found = connector.limits(said({"data": {}}, **headers))

    assert (found.remaining_share, found.resets_at, found.points) == (None, None, None)
