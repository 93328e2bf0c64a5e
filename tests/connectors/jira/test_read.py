"""Answers of Jira, read and mapped from a file: names and numbers are made up."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors import records
from connectors.base import FailureClass, Slice, SourceFailed
from connectors.services.jira import connector
from connectors.services.jira.site import Site, kind_of
from connectors.services.jira.wire import classify, limits
from connectors.sync import judge
from connectors.transport import HttpAnswer, check_address

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DATA = Path(__file__).parent / "data" / "epic.json"
SITE = Site("cf_sprint", ("cf_points",), {"1": "unstarted", "3": "started", "4": "completed", "5": "completed"})
ISSUES = next(one for one in connector.streams if one.name == "issues")


def rows():
    page = connector.read(ISSUES, Slice(), {**json.loads(DATA.read_text()), "_site": str(SITE)})
    _good, refused = judge(ISSUES, page.records)
    assert not refused
    return [list(connector.map(ISSUES, one)) for one in page.records]


def test_an_epic_is_a_project_done_since_it_was_first_done():
    [[epic], _story] = rows()

    assert epic == records.WorkProject(
        external_id="20001", name="Pay in three parts", url="https://toy.atlassian.net/browse/SHOP-7",
        status_type="completed", lead_ref="a1", team_refs=["100"], target_on=date(2026, 3, 31),
        started_at=datetime(2026, 3, 5, 8, tzinfo=UTC), completed_at=datetime(2026, 3, 18, 8, tzinfo=UTC),
    )  # fmt: skip


def test_a_story_that_was_given_up_is_not_done_and_belongs_to_its_epic_and_open_sprint():
    [_epic, [item, *rest]] = rows()

    assert (item.state_type, item.completed_at, item.started_at) == ("canceled", None, None)
    assert item.canceled_at == datetime(2026, 3, 6, 8, tzinfo=UTC)
    assert (item.project_ref, item.parent_ref, item.cycle_ref, item.estimate) == ("20001", "", "15", 5.0)
    assert item.cycle_entered_at == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert item.label_refs == ["type:10001", "label:old", "label:pay"]
    changes = {(one.field, one.before, one.after) for one in rest if isinstance(one, records.Transition)}
    assert changes == {
        ("state", "1", "4"), ("cycle", "12", "15"), ("label", "", "label:pay"), ("label", "label:new", ""),
        ("label", "type:10004", "type:10001"),
    }  # fmt: skip
    spans = [(one.state_ref, one.ended_at) for one in rest if isinstance(one, records.StateSpan)]
    assert spans == [("1", item.canceled_at), ("4", None)]


def test_no_text_of_a_change_and_no_name_gets_past_reading():
    page = connector.read(ISSUES, Slice(), {**json.loads(DATA.read_text()), "_site": str(SITE)})

    kept = json.dumps(page.records)

    assert not any(word in kept for word in ("secret", "ada@", "Ada", "Ben", "iconUrl"))


@pytest.mark.parametrize(
    ("category", "name", "kind"),
    [
        ("new", "Backlog", "unstarted"), ("indeterminate", "Won't do", "started"), ("done", "Done", "completed"),
        ("done", "Won’t do", "canceled"), ("done", " Doublon", "duplicate"), ("undefined", "x", "other"),
        ("", "", "other"),
    ],
)  # fmt: skip
def test_a_status_means_what_its_category_says_and_only_its_name_tells_what_was_given_up(category, name, kind):
    assert kind_of(category, name) == kind


def test_a_window_is_asked_in_milliseconds_from_whole_minute_to_whole_minute():
    part = Slice(NOW + timedelta(seconds=59), NOW + timedelta(minutes=5, seconds=1))

    request = connector.request(ISSUES, part, str(SITE))

    start, end = round(NOW.timestamp()) * 1000, round(NOW.timestamp() + 360) * 1000
    assert request.json["jql"] == f"updated >= {start} AND updated < {end} ORDER BY created ASC"
    assert {"cf_sprint", "cf_points", "summary"} <= set(request.json["fields"])
    assert "description" not in request.json["fields"] and "comment" not in request.json["fields"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "is_final"),
    [
        (401, {}, b"{}", FailureClass.AUTH_INVALID, True),
        (200, {"x-seraph-loginreason": "AUTHENTICATED_FAILED"}, b"[]", FailureClass.AUTH_INVALID, True),
        (403, {}, b'{"errorMessages": ["No."]}', FailureClass.SCOPE_MISSING, True),
        (403, {}, b"<html>", FailureClass.SOURCE_DOWN, False),
        (404, {}, b'{"errorMessages": []}', FailureClass.STREAM_UNAVAILABLE, True),
        (410, {}, b'{"errorMessages": ["removed"]}', FailureClass.QUERY_REJECTED, True),
        (400, {}, b'{"errors": {"jql": "bad"}}', FailureClass.QUERY_REJECTED, True),
        (429, {"retry-after": "30"}, b"", FailureClass.RATE_LIMITED, False),
        (503, {}, b"", FailureClass.SOURCE_DOWN, False),
    ],
)
def test_each_refusal_has_its_class(status, headers, body, kind, is_final):
    failed = classify(HttpAnswer(status, headers, body), NOW)

    assert failed is not None
    assert (failed.kind, failed.is_final) == (kind, is_final)


def test_a_limit_says_why_and_until_when():
    headers = {"ratelimit-reason": "jira-burst-based", "x-ratelimit-reset": "2026-03-02T09:03Z"}

    failed = classify(HttpAnswer(429, headers, b"{}"), NOW)

    assert failed.retry_at == NOW + timedelta(minutes=3)
    assert "jira-burst-based" in failed.detail
    assert limits(HttpAnswer(200, {"x-ratelimit-nearlimit": "true"}, b"{}")).remaining_share == 0.15
    assert (
        limits(HttpAnswer(200, {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "40"}, b"")).remaining_share == 0.4
    )


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://toy.atlassian.net", True),
        ("https://toy.atlassian.net:443/rest", True),
        ("http://toy.atlassian.net", False),
        ("https://atlassian.net", False),
        ("https://.atlassian.net", False),
        ("https://a.b.atlassian.net", False),
        ("https://toy.atlassian.net.example", False),
        ("https://atlassian.net@169.254.169.254", False),
        ("https://user@toy.atlassian.net", False),
        ("https://evilatlassian.net", False),
        ("https://toy.atlassian.net:8443", False),
        ("", False),
    ],
)
def test_the_token_goes_to_a_site_of_atlassian_and_nowhere_else(address, is_allowed, settings):
    settings.SANDBOX_URL = ""
    if is_allowed:
        check_address(connector, address)
        return
    with pytest.raises(SourceFailed):
        check_address(connector, address)
