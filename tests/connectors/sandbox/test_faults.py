"""Each fault does on the wire what it says, and leaves the next answer alone."""

import gzip
import http.client
import json
import time
import zlib
from pathlib import Path

import pytest

from connectors.sandbox.faults import ACTIONS, STRANGE, Fault

ISSUES = """query Issues($after: String) {
  issues(first: 2, after: $after, orderBy: updatedAt) {
    pageInfo { hasNextPage endCursor } nodes { id title updatedAt state { type } }
  }
}"""


@pytest.fixture
def issues(world, team):
    return [world.create_issue(team["id"], f"Issue {number}") for number in range(5)]


def ask(client, after=None):
    return client.ask(ISSUES, operation="Issues", after=after)


def page(client, after=None):
    return json.loads(ask(client, after)[2])["data"]["issues"]


@pytest.mark.parametrize(
    ("action", "params", "status", "code"),
    [
        ("unauthorized", {}, 401, "AUTHENTICATION_ERROR"),
        ("forbidden", {}, 403, "FORBIDDEN"),
        ("feature", {}, 400, "FEATURE_NOT_ACCESSIBLE"),
        ("limited", {}, 400, "RATELIMITED"),
        ("internal", {}, 200, "INTERNAL_SERVER_ERROR"),
        ("internal", {"status": 500}, 500, "INTERNAL_SERVER_ERROR"),
        ("rejected", {}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("rejected", {"status": 500}, 500, "GRAPHQL_VALIDATION_FAILED"),
        ("cursor_expired", {}, 400, "INPUT_ERROR"),
        ("partial", {}, 200, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_refusal_has_its_status_and_code(sandbox, client, issues, action, params, status, code):
    sandbox.fail(action, "Issues", **params)

    got, _headers, body = ask(client)

    assert (got, json.loads(body)["errors"][0]["extensions"]["code"]) == (status, code)
    assert client.ask("{ viewer { id } }")[0] == (400 if action == "limited" else 200)


@pytest.mark.parametrize(
    ("action", "params", "status", "kind"),
    [
        ("limited_edge", {"retry_after": 7}, 429, "text/html; charset=utf-8"),
        ("status", {"status": 503, "retry_after": 7}, 503, "text/plain"),
        ("status", {"status": 529, "retry_after": 7}, 529, "text/plain"),
        ("edge_html", {"status": 403, "retry_after": 7}, 403, "text/html; charset=utf-8"),
        ("limited", {"retry_after": 7}, 400, "application/json; charset=utf-8"),
    ],
)
def test_an_edge_answers_without_json_and_may_say_when(sandbox, client, action, params, status, kind):
    sandbox.fail(action, **params)

    got, headers, _body = ask(client)

    assert (got, headers["content-type"], headers["retry-after"]) == (status, kind, "7")


def test_a_limit_empties_the_bucket_it_names(sandbox, client):
    sandbox.fail("limited")

    _status, headers, _body = ask(client)

    assert headers["x-ratelimit-requests-remaining"] == "0"
    assert int(headers["x-ratelimit-requests-reset"]) == sandbox.clock.now().timestamp() * 1000 + 3_600_000


def test_a_reset_before_the_answer_is_a_reset(sandbox, client):
    sandbox.fail("reset_before")

    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(client)
    assert ask(client)[0] == 200


def test_a_reset_inside_the_body_is_no_whole_answer(sandbox, client, issues):
    sandbox.fail("reset_inside")

    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        ask(client)


@pytest.mark.parametrize("action", ["trickle", "slow"])
def test_a_slow_answer_takes_its_time_and_is_whole(sandbox, client, issues, action):
    sandbox.fail(action, seconds=0.3)
    begun = time.monotonic()

    got = page(client)

    assert len(got["nodes"]) == 2
    assert time.monotonic() - begun >= 0.28


def test_cut_json_is_no_json(sandbox, client, issues):
    sandbox.fail("truncated")

    status, headers, body = ask(client)

    assert status == 200 and int(headers["content-length"]) == len(body)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(body)


def test_garbage_that_says_gzip_is_not(sandbox, client):
    sandbox.fail("gzip_garbage")

    _status, headers, body = ask(client)

    assert headers["content-encoding"] == "gzip"
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(body)


def test_bodies_that_are_empty_lists_or_wrongly_named(sandbox, client):
    for action in ("empty", "not_an_object", "content_type"):
        sandbox.fail(action)
    answers = [ask(client) for _ in range(3)]

    assert answers[0][2] == b""
    assert json.loads(answers[1][2]) == [1, 2, 3]
    assert answers[2][1]["content-type"].startswith("text/html") and json.loads(answers[2][2])["data"]


def test_a_row_comes_again_on_the_next_page(sandbox, client, issues):
    sandbox.fail("duplicate_row", "Issues")
    one = page(client)
    two = page(client, one["pageInfo"]["endCursor"])

    assert two["nodes"][0] == one["nodes"][-1]
    assert len(two["nodes"]) == 3


def test_a_row_is_edited_while_it_is_read(sandbox, client, world, issues):
    world.clock.advance(world.clock.now() - world.clock.now().replace(hour=0))
    sandbox.fail("edit_during_paging", "Issues")
    one = page(client)
    two = page(client, one["pageInfo"]["endCursor"])

    (edited,) = [row for row in issues if row["title"].startswith("Edited")]
    assert edited["id"] not in {node["id"] for node in one["nodes"] + two["nodes"]}


def test_pages_that_lead_nowhere(sandbox, client, issues):
    sandbox.fail("empty_page", count=2)
    empty = [page(client)["pageInfo"] for _ in range(2)]
    sandbox.fail("cursor_loop")
    first = page(client)["pageInfo"]["endCursor"]
    sandbox.fail("cursor_loop")

    assert [info["hasNextPage"] for info in empty] == [True, True]
    assert empty[0]["endCursor"] != empty[1]["endCursor"]
    assert page(client, first)["pageInfo"]["endCursor"] == first


@pytest.mark.parametrize(
    ("action", "params", "expected"),
    [
        ("field_missing", {"path": "issues.nodes.title"}, lambda node: "title" not in node),
        ("field_renamed", {"path": "issues.nodes.title", "to": "name"}, lambda node: "name" in node),
        ("type_changed", {"path": "issues.nodes.title", "value": 7}, lambda node: node["title"] == 7),
        ("new_enum", {"path": "issues.nodes.state.type"}, lambda node: node["state"]["type"] == "brandNew"),
        ("big_string", {"path": "issues.nodes.title"}, lambda node: len(node["title"]) == 1_000_000),
        ("strange_text", {"path": "issues.nodes.title"}, lambda node: node["title"] == STRANGE),
    ],
)
def test_a_field_is_spoiled_and_the_world_is_not(sandbox, client, issues, action, params, expected):
    sandbox.fail(action, **params)

    assert all(expected(node) for node in page(client)["nodes"])
    assert [node["title"] for node in page(client)["nodes"]] == ["Issue 4", "Issue 3"]


def test_a_fault_waits_counts_and_knows_its_operation(sandbox, client):
    sandbox.fail("status", "Issues", skip=1, count=2, status=502)

    assert client.ask("{ viewer { id } }")[0] == 200
    assert [ask(client)[0] for _ in range(4)] == [200, 502, 502, 200]
    assert [line.fault for line in sandbox.linear.log[1:]] == ["", "status", "status", ""]


def test_a_fault_without_a_count_stays_until_it_is_cleared(sandbox, client):
    sandbox.fail("status", count=None)
    down = [ask(client)[0] for _ in range(5)]
    sandbox.linear.faults.clear()

    assert down == [503] * 5
    assert ask(client)[0] == 200


def test_an_unknown_fault_is_a_mistake_at_once():
    with pytest.raises(ValueError, match="no such fault"):
        Fault("gremlins")


def test_every_fault_is_tried_here():
    source = Path(__file__).read_text()

    assert [action for action in ACTIONS if f'"{action}"' not in source] == []
