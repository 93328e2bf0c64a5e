"""Each way in which GitHub says no, which class it is, and what its headers leave us."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import FailureClass
from connectors.services.github.wire import classify, limits
from connectors.transport import HttpAnswer, next_of

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)
RESET = NOW + timedelta(minutes=20)
SPENT = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(RESET.timestamp()))}
DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


def refused(status, headers=None, docs="https://docs.github.com/rest"):
    body = {"message": "No.", "documentation_url": docs, "status": str(status)}
    return HttpAnswer(status, headers or {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "kind", "is_final"),
    [
        (301, FailureClass.SCOPE_MISSING, True),
        (400, FailureClass.QUERY_REJECTED, True),
        (401, FailureClass.AUTH_INVALID, True),
        (403, FailureClass.SCOPE_MISSING, True),
        (404, FailureClass.SCOPE_MISSING, True),
        (410, FailureClass.STREAM_UNAVAILABLE, True),
        (422, FailureClass.QUERY_REJECTED, True),
        (429, FailureClass.RATE_LIMITED, False),
        (451, FailureClass.STREAM_UNAVAILABLE, True),
        (500, FailureClass.SOURCE_DOWN, False),
        (503, FailureClass.SOURCE_DOWN, False),
    ],
)
def test_a_refusal_is_classified(status, kind, is_final):
    failed = classify(refused(status), NOW)

    assert (failed.kind, failed.is_final) == (kind, is_final)


@pytest.mark.parametrize("status", [403, 502])
def test_a_page_of_the_edge_is_no_missing_right(status):
    failed = classify(HttpAnswer(status, {}, b"<html>Unicorn!</html>"), NOW)

    assert (failed.kind, failed.is_final) == (FailureClass.SOURCE_DOWN, False)


@pytest.mark.parametrize(
    ("headers", "docs", "until"),
    [
        (SPENT, DOCS, RESET),
        ({**SPENT, "retry-after": "90"}, DOCS, NOW + timedelta(seconds=90)),
        ({"retry-after": "30"}, DOCS, NOW + timedelta(seconds=30)),
        ({}, f"{DOCS}#about-secondary-rate-limits", NOW + timedelta(minutes=1)),
        ({"x-ratelimit-remaining": "0"}, DOCS, NOW + timedelta(minutes=1)),
        ({**SPENT, "x-ratelimit-reset": "1"}, DOCS, NOW + timedelta(seconds=1)),
    ],
)
def test_a_403_that_means_later_says_when(headers, docs, until):
    failed = classify(refused(403, headers, docs), NOW)

    assert (failed.kind, failed.is_final, failed.retry_at) == (FailureClass.RATE_LIMITED, False, until)


def test_a_good_answer_is_no_failure():
    assert classify(HttpAnswer(200, {}, b"[]"), NOW) is None


def test_what_is_left_of_the_hour_is_read_in_epoch_seconds():
    told = limits(HttpAnswer(200, {**SPENT, "x-ratelimit-remaining": "1250"}, b"[]"))

    assert (told.remaining_share, told.resets_at) == (0.25, RESET)


@pytest.mark.parametrize("wrong", ["", "many", "-1", "9" * 20])
def test_headers_that_make_no_sense_say_nothing(wrong):
    assert limits(HttpAnswer(200, {**SPENT, "x-ratelimit-reset": wrong}, b"[]")).remaining_share is None


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (
            '<https://api.test/a?page=2>; rel="next", <https://api.test/a?page=9>; rel="last"',
            "https://api.test/a?page=2",
        ),
        ('<https://api.test/a?page=1>; rel="prev", <https://api.test/a?page=3>; rel=next', "https://api.test/a?page=3"),
        ('<https://api.test/a?ids=1,2&page=2>; rel="next"', "https://api.test/a?ids=1,2&page=2"),
        ('<https://api.test/a?page=9>; rel="last"', ""),
        ('<https://api.test/a>; rel="nextish"', ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_next_page_of_a_link_header(link, address):
    assert next_of(link) == address
