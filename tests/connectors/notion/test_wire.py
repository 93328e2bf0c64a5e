"""Each way in which Notion says no, and which class it is."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import FailureClass
from connectors.services.notion.wire import classify

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)


@dataclass
class Got:
    """An HTTP answer, made by hand."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict = field(default_factory=dict)

    def json(self):
        return json.loads(self.body)


def refused(status, code, **more):
    headers = more.pop("headers", {})
    body = {"object": "error", "status": status, "code": code, "message": "No.", **more}
    return Got(status, json.dumps(body).encode(), headers)


@pytest.mark.parametrize(
    ("status", "code", "kind", "is_final"),
    [
        (401, "unauthorized", FailureClass.AUTH_INVALID, True),
        (403, "restricted_resource", FailureClass.SCOPE_MISSING, True),
        (404, "object_not_found", FailureClass.SCOPE_MISSING, True),
        (400, "validation_error", FailureClass.QUERY_REJECTED, True),
        (400, "invalid_json", FailureClass.QUERY_REJECTED, True),
        (400, "missing_version", FailureClass.QUERY_REJECTED, True),
        (409, "conflict_error", FailureClass.SOURCE_DOWN, False),
        (429, "rate_limited", FailureClass.RATE_LIMITED, False),
        (500, "internal_server_error", FailureClass.SOURCE_DOWN, False),
        (503, "service_unavailable", FailureClass.SOURCE_DOWN, False),
        (504, "gateway_timeout", FailureClass.SOURCE_DOWN, False),
        (529, "service_overload", FailureClass.SOURCE_DOWN, False),
        (418, "brand_new_code", FailureClass.QUERY_REJECTED, True),
        (599, "brand_new_code", FailureClass.SOURCE_DOWN, False),
    ],
)
def test_a_refusal_is_classified_by_its_code(status, code, kind, is_final):
    failed = classify(refused(status, code), NOW)

    assert (failed.kind, failed.is_final) == (kind, is_final)
    assert code in failed.detail


@pytest.mark.parametrize(
    ("status", "kind", "is_final"),
    [
        (403, FailureClass.SOURCE_DOWN, False),
        (502, FailureClass.SOURCE_DOWN, False),
        (520, FailureClass.SOURCE_DOWN, False),
        (429, FailureClass.RATE_LIMITED, False),
        (401, FailureClass.AUTH_INVALID, True),
        (200, FailureClass.BAD_PAYLOAD, False),
    ],
)
def test_a_page_of_the_edge_is_no_refusal_of_notions(status, kind, is_final):
    failed = classify(Got(status, b"<html>cf-ray</html>"), NOW)

    assert (failed.kind, failed.is_final) == (kind, is_final)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("1800", 1800),
        ("Mon, 05 Oct 2026 09:02:00 GMT", 120),
        ("0", 1),
        ("", 60),
        ("soon", 60),
        ("99999999", 7200),
        ("Mon, 05 Oct 2020 09:02:00 GMT", 1),
    ],
)
def test_the_wait_is_the_one_that_notion_asks_for(header, seconds):
    failed = classify(refused(429, "rate_limited", headers={"retry-after": header}), NOW)

    assert failed.retry_at == NOW + timedelta(seconds=seconds)


def test_the_reason_of_a_limit_says_whose_budget_it_was():
    failed = classify(
        refused(429, "rate_limited", additional_data={"rate_limit_reason": "public_api_space_request_rate_limit"}), NOW
    )

    assert failed.detail == "rate_limited: public_api_space_request_rate_limit"


@pytest.mark.parametrize("body", [b'{"object":"list"}', b'{"object":"page"}'])
def test_a_good_answer_is_good(body):
    assert classify(Got(200, body), NOW) is None
