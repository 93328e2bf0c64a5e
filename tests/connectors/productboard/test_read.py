"""Saved answers, read and mapped; what Productboard refuses, named."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors import records, sync
from connectors.base import FailureClass, Slice, SourceFailed
from connectors.services.productboard import connector, rows
from connectors.services.productboard.read import drift
from tests.connectors.linear.replies import Got, said

FOLDER = Path(__file__).parent / "data"
STREAMS = {stream.name: stream for stream in connector.streams}
NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)


def saved(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def page_of(stream, payload=None):
    return connector.read(STREAMS[stream], Slice(), payload or saved(stream))


def mapped(stream, number=0):
    good, refused = sync.judge(STREAMS[stream], page_of(stream).records)
    assert refused == []
    return list(connector.map(STREAMS[stream], good[number].record))


def test_a_feature_becomes_an_item_and_its_ties():
    item, *ties = mapped("features")

    assert item == records.ProductItem(
        external_id="f1",
        kind="feature",
        name="Pay by card",
        url="https://ardoise.productboard.com/feature-board/f1",
        status="In progress",
        status_ref="s1",
        owner_ref="m1",
        owner_email="ada@ardoise.example",
        team_refs=["t1"],
        parent_ref="c1",
        starts_on=date(2026, 4, 1),
        ends_on=date(2026, 6, 30),
        granularity="quarter",
        health="atRisk",
        health_at=datetime(2026, 5, 4, 7, 30, 0, 123456, tzinfo=UTC),
        progress=0.4,
        outside_urls=[
            "https://linear.app/ardoise/project/p1",
            "https://github.com/ardoise/shop/issues/7",
            "https://ardoise.atlassian.net/browse/SHOP-10",
        ],
        numbers={"3c1e0c8a-0000-4000-8000-000000000003": 8.0},
        opened_at=datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC),
        edited_at=datetime(2026, 5, 4, 7, 30, 0, 500000, tzinfo=UTC),
    )
    assert [(tie.external_id, tie.kind) for tie in ties] == [
        ("f1:isBlockedBy:f2", "isBlockedBy"),
        ("f1:link:i1", "link"),
    ]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0), (2.5, 2.5), (-3, -3.0), ({"value": 13}, 13.0), ("8", None), (True, None), ([5], None), ({}, None),
        (10**400, None), (float("inf"), None), (float("nan"), None), ({"value": {"value": 1}}, None),
    ],
)  # fmt: skip
def test_only_a_number_of_a_custom_field_is_one(value, number):
    held = rows.numbers({"name": "Pay by card", "workProgress": {"value": 40, "mode": "manual"}, "effort": value})

    assert held == ({} if number is None else {"effort": number})


def test_a_catalogue_becomes_the_fields_that_a_company_made():
    fields = {
        "name": {"id": "name", "name": "Name", "path": "fields.name", "schema": {"type": "text"}},
        "f-1": {"id": "f-1", "name": "Effort", "path": "fields.f-1", "schema": {"type": "number"}},
    }

    assert list(rows.configuration({"type": "keyResult", "fields": fields})) == [
        records.ProductField(external_id="key_result:f-1", kind="key_result", ref="f-1", name="Effort")
    ]
    assert list(rows.configuration({"type": "textNote", "fields": fields})) == []


def test_what_people_wrote_is_not_kept():
    texts = json.dumps([page_of(stream).records for stream in ("features", "notes")])

    assert not [words for words in ("What people wrote", "The bank is late", "somebody said") if words in texts]


def test_left_out_fields_are_empty_not_wrong():
    (item,) = mapped("features", 1)

    assert (item.status, item.owner_ref, item.ends_on, item.progress, item.url) == ("", "", None, None, "")


def test_a_record_is_spelled_alike_whichever_request_it_came_by():
    listed, searched = saved("features"), saved("features")
    for row in searched["data"]:
        row["fields"] |= {"tags": None, "effort": None}
        ties = row.get("relationships") or []
        row["relationships"] = list(reversed(ties["data"] if isinstance(ties, dict) else ties))
        row.setdefault("links", {})["self"] = "http://127.0.0.1:1/v2/elsewhere"

    assert page_of("features", listed).records == page_of("features", searched).records


def test_what_a_search_lets_in_by_mistake_is_left_out_and_said():
    page = page_of("features")

    assert [row["id"] for row in page.records] == ["f1", "f2"]
    assert [str(one) for one in page.notices] == ["1 of 3 records were of another type and left out"]


def test_a_note_becomes_feedback_without_its_words():
    note, *links = mapped("notes")

    assert (note.kind, note.is_processed, note.is_archived) == ("conversationNote", True, False)
    assert (note.customer_ref, note.source, note.tags) == ("co1", "intercom", ["pricing", "mobile"])
    assert [link.external_id for link in links] == ["n1:f1", "n1:f2"]


def test_members_become_seats_and_a_light_role_is_a_guest():
    accounts = [mapped("members", number)[0] for number in range(4)]

    assert [one.email for one in accounts] == [
        "ada@ardoise.example",
        "",
        "chloe@ardoise.example",
        "new@ardoise.example",
    ]
    assert [one.kind for one in accounts] == ["admin", "member", "guest", "other"]
    assert [one.is_active for one in accounts] == [True, True, False, False]
    assert mapped("members")[1].external_id == "t1:m1"
    hidden, unknown = sorted(map(str, page_of("members").notices), key=lambda notice: "unknown" in notice)
    assert "members:pii:read" in hidden and "wizard" in unknown


def test_a_day_of_a_member_has_an_id_and_its_counters():
    day = {
        "date": "2026-05-04",
        "memberId": "m1",
        "role": "maker",
        "activeFlag": False,
        "boardsOpened": 2,
        "domain": "x",
    }

    (row,) = page_of("member_activities", {"data": [day], "links": {"next": None}}).records

    assert list(connector.map(STREAMS["member_activities"], row)) == [
        records.AccountDay(
            external_id="m1:2026-05-04",
            account_ref="m1",
            day=date(2026, 5, 4),
            is_active=True,
            counts={"boardsOpened": 2},
        )
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"createdAt": None}, "createdAt"),
        ({"updatedAt": "yesterday"}, "updatedAt"),
        ({"fields": {"timeframe": {"endDate": "June"}}}, "fields.timeframe.endDate"),
        ({"fields": {"workProgress": {"value": "40"}}}, "fields.workProgress.value"),
        ({"relationships": [{"type": "link"}]}, "relationships.0.target"),
        ({"relationships": "none"}, "relationships"),
        ({"fields": []}, "fields"),
    ],
)
def test_a_record_that_is_not_as_it_must_be_is_refused_by_name(change, path):
    payload = saved("features")
    payload["data"][0] |= change

    good, refused = sync.judge(STREAMS["features"], page_of("features", payload).records)

    assert [one.external_id for one in good] == ["f2"]
    assert [(one.external_id, one.path) for one in refused] == [("f1", path)]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"data": {}, "links": {}}, FailureClass.BAD_PAYLOAD),
        ({"data": [None], "links": {}}, FailureClass.BAD_PAYLOAD),
        ({"data": []}, FailureClass.SCHEMA_DRIFT),
        ({"data": [], "links": {"next": 7}}, FailureClass.SCHEMA_DRIFT),
    ],
)
def test_a_page_that_is_none_is_not_taken_for_the_last_one(payload, kind):
    with pytest.raises(SourceFailed) as failed:
        page_of("notes", payload)

    assert failed.value.kind == kind


@pytest.mark.parametrize(
    ("status", "code", "kind", "is_final"),
    [
        (401, "auth.invalid", FailureClass.AUTH_INVALID, True),
        (403, "auth.accessDenied", FailureClass.SCOPE_MISSING, True),
        (404, "resource.notFound", FailureClass.STREAM_UNAVAILABLE, True),
        (404, "route.notFound", FailureClass.STREAM_UNAVAILABLE, True),
        (400, "request.invalid", FailureClass.QUERY_REJECTED, True),
        (400, "request.malformed", FailureClass.QUERY_REJECTED, True),
        (408, "request.timeout", FailureClass.SOURCE_SLOW, False),
        (409, "conflict.uniqueViolation", FailureClass.QUERY_REJECTED, True),
        (422, "validation.failed", FailureClass.QUERY_REJECTED, True),
        (429, "rate.limitExceeded", FailureClass.RATE_LIMITED, False),
        (500, "internal.serverError", FailureClass.SOURCE_DOWN, False),
        (503, "", FailureClass.SOURCE_DOWN, False),
        (403, "brand.new", FailureClass.SCOPE_MISSING, True),
        (418, "brand.new", FailureClass.QUERY_REJECTED, True),
    ],
)
def test_each_code_has_its_class(status, code, kind, is_final):
    failed = connector.classify(said({"id": "req-1", "errors": [{"code": code, "title": "No"}]}, status), NOW)

    assert (failed.kind, failed.is_final) == (kind, is_final)


def test_the_edge_is_no_missing_right():
    for status in (403, 404, 502, 520):
        failed = connector.classify(Got(status, {}, b"<html>"), NOW)
        assert (failed.kind, failed.is_final) == (FailureClass.SOURCE_DOWN, False)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 1), ("inf", 5), ("soon", 5), ("999999", 3600)])
def test_how_long_to_wait_is_believed_within_reason(header, seconds):
    failed = connector.classify(said({"errors": [{"code": "rate.limitExceeded"}]}, 429, retry_after=header), NOW)

    assert failed.retry_at == NOW + timedelta(seconds=seconds)


def test_what_is_left_of_a_second_is_read():
    assert connector.limits(said({}, x_ratelimit_limit=50, x_ratelimit_remaining=5)).remaining_share == 0.1
    assert connector.limits(said({})).remaining_share is None


def test_the_check_tells_the_workspace_and_what_is_hidden():
    told = connector.checked(saved("members"))

    assert (told.workspace, told.workspace_url) == ("ardoise", "https://ardoise.productboard.com")
    assert list(told.unavailable.values()) == ["the token lacks the right members:pii:read"]


def test_drift_goes_by_id():
    def catalogue(**fields):
        return {"type": "feature", "fields": {key: {"id": key, "name": name, "schema": {"type": kind}}
                                              for key, (name, kind) in fields.items()}}  # fmt: skip

    told = drift(
        catalogue(a=("Effort", "number"), b=("Linear", "url"), c=("Size", "text")),
        catalogue(a=("Cost", "number"), c=("Size", "number"), d=("Risk", "text")),
    )  # fmt: skip

    assert [str(one) for one in told] == [
        "feature: the field “Effort” is now called “Cost”",
        "feature: the field “Linear” is gone",
        "feature: the field “Size” holds another kind of value",
        "feature: a new field, “Risk”",
    ]
