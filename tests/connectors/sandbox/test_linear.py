"""The stand-in has Linear's manners, over a real socket."""

import json
from datetime import timedelta

import pytest

from connectors.sandbox.linear import KEY, TOKEN
from connectors.sandbox.server import serve

from .conftest import Client

VIEWER = "{ viewer { name } }"
ISSUES = """query Issues($first: Int, $after: String, $archived: Boolean) {
  issues(first: $first, after: $after, includeArchived: $archived, orderBy: updatedAt) {
    pageInfo { hasNextPage endCursor } nodes { id title }
  }
}"""


@pytest.fixture
def issues(world, team):
    """Seven issues, an hour between them."""
    made = []
    for number in range(7):
        world.clock.advance(timedelta(hours=1))
        made.append(world.create_issue(team["id"], f"Issue {number}"))
    return made


def titles(data):
    return [node["title"] for node in data["issues"]["nodes"]]


# --- who may ask


def test_a_key_goes_bare_and_a_token_behind_bearer(client):
    assert client.ask(VIEWER, key=KEY)[0] == 200
    assert client.ask(VIEWER, key=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize("key", ["", "lin_api_wrong", f"Bearer {KEY}", TOKEN, "Bearer wrong", f"bearer {TOKEN}"])
def test_anything_else_is_refused(client, key):
    assert client.code(VIEWER, key=key) == (401, "AUTHENTICATION_ERROR")


def test_a_revoked_key_is_refused(sandbox, client):
    sandbox.linear.revoke(KEY)

    assert client.code(VIEWER) == (401, "AUTHENTICATION_ERROR")


def test_a_key_belongs_to_somebody_and_ends_with_their_seat(sandbox, client, world):
    sandbox.linear.keys["lin_api_ben"] = "ben@ardoise.example"
    ben = next(row for row in world.rows("User").values() if row["name"] == "Ben Okri")

    assert json.loads(client.ask(VIEWER, key="lin_api_ben")[2])["data"]["viewer"]["name"] == "Ben Okri"
    world.deactivate(ben["id"])
    assert client.code(VIEWER, key="lin_api_ben") == (401, "AUTHENTICATION_ERROR")


def test_new_client_credentials_kill_the_old_token(client):
    tokens = [
        json.loads(client.send("/oauth/token", "grant_type=client_credentials&client_id=a&client_secret=b")[2])[
            "access_token"
        ]
        for _ in range(2)
    ]

    assert client.ask(VIEWER, key=f"Bearer {tokens[0]}")[0] == 401
    assert client.ask(VIEWER, key=f"Bearer {tokens[1]}")[0] == 200


def test_a_refresh_token_works_once(sandbox, client):
    sandbox.linear.refresh_tokens["first"] = TOKEN

    once = client.send("/oauth/token", "grant_type=refresh_token&refresh_token=first")
    again = client.send("/oauth/token", "grant_type=refresh_token&refresh_token=first")

    assert (once[0], again[0]) == (200, 400)
    assert client.ask(VIEWER, key=f"Bearer {TOKEN}")[0] == 401
    assert client.ask(VIEWER, key="Bearer " + json.loads(once[2])["access_token"])[0] == 200


# --- pages


def test_pages_come_latest_first_and_end(client, issues):
    seen, after, pages = [], None, 0
    while True:
        found = client.data(ISSUES, first=3, after=after)
        seen += titles(found)
        pages += 1
        after = found["issues"]["pageInfo"]["endCursor"]
        if not found["issues"]["pageInfo"]["hasNextPage"]:
            break

    assert pages == 3
    assert seen == [f"Issue {number}" for number in range(6, -1, -1)]


def test_a_row_edited_during_paging_jumps_to_the_front(client, world, issues):
    first = client.data(ISSUES, first=3)
    world.clock.advance(timedelta(hours=1))
    world.edit_issue(issues[2]["id"], title="Edited")
    rest = client.data(ISSUES, first=50, after=first["issues"]["pageInfo"]["endCursor"])

    assert titles(rest) == ["Issue 3", "Issue 1", "Issue 0"]
    assert titles(client.data(ISSUES))[0] == "Edited"


def test_a_row_deleted_during_paging_leaves_no_gap(client, world, issues):
    first = client.data(ISSUES, first=3)
    world.delete("Issue", issues[4]["id"])  # the last row of the page: its cursor stays good
    rest = client.data(ISSUES, first=50, after=first["issues"]["pageInfo"]["endCursor"])

    assert titles(rest) == ["Issue 3", "Issue 2", "Issue 1", "Issue 0"]


def test_the_page_is_fifty_unless_asked_and_250_at_most(client, world, team):
    for number in range(60):
        world.create_issue(team["id"], f"Issue {number}")

    assert len(client.data(ISSUES)["issues"]["nodes"]) == 50
    assert len(client.data(ISSUES, first=250)["issues"]["nodes"]) == 60
    assert client.code(ISSUES, first=251) == (400, "INPUT_ERROR")
    assert client.code(ISSUES, first=0) == (400, "INPUT_ERROR")


def test_a_cursor_of_ones_own_making_is_refused(client):
    for cursor in ("rubbish", "cnViYmlzaA==", "\u00e9"):
        assert client.code(ISSUES, after=cursor) == (400, "INPUT_ERROR")


def test_archived_rows_and_disabled_people_are_hidden_unless_asked(client, world, issues):
    world.archive("Issue", issues[0]["id"])
    world.deactivate(next(iter(list(world.rows("User"))[1:])))
    users = "query U($all: Boolean) { users(includeDisabled: $all) { nodes { name } } }"

    assert len(titles(client.data(ISSUES))) == 6
    assert len(titles(client.data(ISSUES, archived=True))) == 7
    assert len(client.data(users)["users"]["nodes"]) == 2
    assert len(client.data(users, all=True)["users"]["nodes"]) == 3


def test_a_window_holds_what_was_updated_in_it(client, issues):
    query = """query W($from: DateTimeOrDuration!, $to: DateTimeOrDuration!) {
      issues(orderBy: updatedAt, filter: { updatedAt: { gte: $from, lt: $to } }) { nodes { title } }
    }"""

    found = client.data(query, **{"from": issues[2]["updatedAt"], "to": issues[5]["updatedAt"]})

    assert titles(found) == ["Issue 4", "Issue 3", "Issue 2"]
    # The same by another order, row by row
    assert titles(client.data(query.replace("orderBy: updatedAt, ", ""), **{
        "from": issues[2]["updatedAt"], "to": issues[5]["updatedAt"],
    })) == ["Issue 4", "Issue 3", "Issue 2"]  # fmt: skip


def test_a_history_is_latest_first_and_paged(client, world, issues):
    for state in ("Todo", "In progress", "In review", "Done"):
        world.clock.advance(timedelta(hours=1))
        world.edit_issue(issues[0]["id"], state=state)
    query = """query H($id: String!, $after: String) { issue(id: $id) {
      history(first: 3, after: $after) { pageInfo { hasNextPage endCursor } nodes { id createdAt } }
    } }"""

    one = client.data(query, id=issues[0]["id"])["issue"]["history"]
    two = client.data(query, id=issues[0]["id"], after=one["pageInfo"]["endCursor"])["issue"]["history"]

    entries = [node["id"] for node in one["nodes"] + two["nodes"]]
    assert entries == [entry["id"] for entry in reversed(issues[0]["_history"])]
    assert (one["pageInfo"]["hasNextPage"], two["pageInfo"]["hasNextPage"]) == (True, False)


# --- what may be asked


@pytest.mark.parametrize("status", [400, 500])
def test_an_unknown_field_is_refused_with_the_status_of_the_day(world, status):
    with serve(world, validation_status=status) as sandbox:
        client = Client(sandbox.url)
        assert client.code("{ viewer { shoeSize } }") == (status, "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ viewer {", "GRAPHQL_PARSE_FAILED"),
        ("query A { viewer { id } } query B { viewer { id } }", "BAD_USER_INPUT"),
        ("query A($id: String!) { issue(id: $id) { id } }", "BAD_USER_INPUT"),
        ('{ issue(id: "nobody") { id } }', "INPUT_ERROR"),
        ('{ issues(filter: { updatedAt: { gte: "-P2W" } }) { nodes { id } } }', "INPUT_ERROR"),
    ],
)
def test_nonsense_is_refused_by_its_code(client, query, code):
    assert client.code(query) == (400, code)


def test_a_query_above_ten_thousand_points_is_refused(client):
    query = "{ issues(first: 250) { nodes { id history(first: 250) { nodes { id } } } } }"

    assert client.code(query) == (400, "INPUT_ERROR")


# --- budgets


def test_every_answer_says_what_is_left(client, sandbox):
    _status, headers, _body = client.ask(VIEWER)

    assert headers["x-ratelimit-requests-limit"] == "2500"
    assert headers["x-ratelimit-requests-remaining"] == "2499"
    assert headers["x-complexity"] == "2"
    assert headers["x-ratelimit-complexity-remaining"] == "2999998"
    now = sandbox.clock.now().timestamp() * 1000
    assert 0 < int(headers["x-ratelimit-requests-reset"]) - now <= 3_600_000


@pytest.mark.parametrize("wire", [{"request_limit": 3}, {"point_limit": 6}])
def test_an_empty_bucket_answers_400_and_refills_by_the_clock(world, wire):
    with serve(world, **wire) as sandbox:
        client = Client(sandbox.url)
        statuses = [client.ask(VIEWER)[0] for _ in range(3)]
        refused = client.code(VIEWER)
        sandbox.advance(timedelta(minutes=20))
        again = [client.ask(VIEWER)[0] for _ in range(2)]

    assert statuses == [200, 200, 200]
    assert refused == (400, "RATELIMITED")
    assert again == [200, 400]


def test_all_keys_of_a_person_share_a_budget(world):
    with serve(world, request_limit=1) as sandbox:
        sandbox.linear.keys["lin_api_second"] = "ada@ardoise.example"
        sandbox.linear.keys["lin_api_ben"] = "ben@ardoise.example"
        client = Client(sandbox.url)

        assert [client.ask(VIEWER, key=key)[0] for key in (KEY, "lin_api_second", "lin_api_ben")] == [200, 400, 200]


def test_the_rate_limit_can_be_asked(client):
    query = "{ rateLimitStatus { kind limits { type allowedAmount remainingAmount } } }"

    (requests, points) = client.data(query)["rateLimitStatus"]["limits"]

    assert (requests["type"], requests["allowedAmount"], requests["remainingAmount"]) == ("requests", 2500, 2499)
    assert points["type"] == "complexity"
