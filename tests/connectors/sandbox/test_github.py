"""GitHub's stand-in, asked as plainly as can be: its lists, its limits, its refusals, its life."""

import json
from datetime import date, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.faults import ACTIONS, DATA, WIRE, Fault
from connectors.sandbox.github.forge import Forge
from connectors.sandbox.github.life import Engineering
from connectors.sandbox.github.wire import TOKEN, GitHubWire
from connectors.sandbox.life import Life
from connectors.sandbox.world import NotThere, World

NOW = moment("2026-10-05T09:30:40Z")
SHOP = "ardoise/shop"


@pytest.fixture
def forge():
    made = Forge(World(Clock(NOW)))
    made.add_account("ana")
    made.add_repository("shop")
    for place in range(12):
        made.open_pull(SHOP, f"Change {place}", branch="b", by="ana", at=NOW - timedelta(hours=12 - place))
    return made


@pytest.fixture
def wire(forge):
    return GitHubWire(forge)


def ask(wire, path, *, token=TOKEN, method="GET", **headers):
    sent = {"authorization": f"Bearer {token}", "user-agent": "test", "host": "here.test"}
    reply = wire.answer(method, path, sent | {name.replace("_", "-"): value for name, value in headers.items()}, b"")
    is_json = "json" in reply.headers.get("Content-Type", "")
    return reply.status, json.loads(reply.body) if is_json else reply.body or None, reply.headers


def pulls(wire, query=""):
    return ask(wire, f"/repos/{SHOP}/pulls?{query}")


def numbers(wire, query=""):
    return [row["number"] for row in pulls(wire, query)[1]]


# --- lists


def test_a_list_is_bare_and_its_link_leads_to_the_next_page_by_the_repository_s_id(wire, forge):
    _status, rows, headers = pulls(wire, "per_page=5")
    identity = forge.repositories[SHOP]["id"]

    assert len(rows) == 5
    assert f'<http://here.test/repositories/{identity}/pulls?per_page=5&page=2>; rel="next"' in headers["Link"]
    _status, rest, headers = ask(wire, f"/repositories/{identity}/pulls?per_page=5&page=3")
    assert (len(rest), "Link" in headers) == (2, False)


def test_pages_hold_thirty_rows_unless_asked_and_a_hundred_at_most(wire, forge):
    for _place in range(120):
        forge.open_pull(SHOP, "More", branch="b", by="ana")

    assert (len(pulls(wire)[1]), len(pulls(wire, "per_page=500")[1])) == (30, 100)


def test_pull_requests_come_newest_first_or_as_asked(wire, forge):
    first = forge.rows("Pull", SHOP)[0]
    forge.merge(first["id"])

    assert numbers(wire) == list(range(12, 1, -1))  # open ones alone
    assert numbers(wire, "state=all&sort=updated&direction=desc")[0] == 1
    assert numbers(wire, "state=all&sort=updated")[-1] == 1  # a sort without a direction ascends
    assert numbers(wire, "state=closed") == [1]


def test_drafts_of_releases_are_not_shown_to_a_reader(wire, forge):
    made = forge.publish(SHOP, "v1")
    forge.publish(SHOP, "v2")
    forge.edit_release(made["id"], draft=True)

    assert [row["tag_name"] for row in ask(wire, f"/repos/{SHOP}/releases")[1]] == ["v2"]


def test_a_success_makes_the_deployment_before_inactive(wire, forge):
    first, second = (forge.deploy(SHOP, "production") for _one in range(2))
    for made in (first, second):
        forge.tell(made["id"], "success")

    status, rows, _headers = ask(wire, f"/repos/{SHOP}/deployments/{first['id']}/statuses")

    assert (status, [row["state"] for row in rows]) == (200, ["inactive", "success"])


# --- who may ask


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/user", {}, 200),
        (f"/repos/{SHOP}", {}, 200),
        ("/repos/Ardoise/Shop", {}, 200),
        ("/repos/ardoise/nowhere", {}, 404),
        (f"/repos/{SHOP}/issues", {}, 404),
        (f"/repos/{SHOP}/deployments/1/statuses", {}, 404),
        (f"/repos/{SHOP}/pulls?page=next", {}, 422),
        ("/user", {"token": "wrong"}, 401),
        ("/user", {"user_agent": ""}, 403),
        ("/user", {"x_github_api_version": "1999-01-01"}, 400),
        ("/user", {"method": "POST"}, 404),
    ],
)
def test_what_is_asked_in_which_way_is_answered_so(wire, path, given, status):
    assert ask(wire, path, **given)[0] == status


def test_a_token_without_a_right_is_told_so(wire):
    wire.grant("half", frozenset({"metadata", "pull_requests"}))

    assert ask(wire, f"/repos/{SHOP}/pulls", token="half")[0] == 200
    status, told, _headers = ask(wire, f"/repos/{SHOP}/deployments", token="half")
    assert (status, told["message"]) == (403, "Resource not accessible by personal access token")


def test_a_renamed_repository_leads_on_and_a_hidden_one_is_not_there(wire, forge):
    identity = forge.rename(SHOP, "store")["id"]

    status, _told, headers = ask(wire, f"/repos/{SHOP}/pulls")
    assert (status, headers["Location"]) == (301, f"http://here.test/repositories/{identity}")

    forge.hide("ardoise/store")
    assert ask(wire, "/repos/ardoise/store/pulls")[0] == 404
    assert forge.truth()["Pull"] == {}


# --- how much


def test_the_hour_s_budget_is_told_in_epoch_seconds_and_ends_in_a_403(forge):
    wire = GitHubWire(forge, requests_per_hour=2)

    left = [ask(wire, "/user")[2]["x-ratelimit-remaining"] for _one in range(2)]
    status, _told, headers = ask(wire, "/user")

    assert (left, status) == (["1", "0"], 403)
    assert int(headers["x-ratelimit-reset"]) == int((NOW + timedelta(hours=1)).timestamp())
    forge.clock.advance(timedelta(hours=1))
    assert ask(wire, "/user")[0] == 200


def test_the_minute_s_limit_is_told_afterwards_alone(forge):
    wire = GitHubWire(forge, requests_per_minute=2)
    for _one in range(2):
        ask(wire, "/user")
    forge.clock.advance(timedelta(seconds=20))

    status, told, headers = ask(wire, "/user")

    assert (status, headers["Retry-After"]) == (403, "40")
    assert headers["x-ratelimit-remaining"] == "4998"
    assert "secondary" in told["documentation_url"]


def test_what_is_known_already_costs_nothing(wire, forge):
    _status, _rows, headers = pulls(wire)

    status, nothing, again = ask(wire, f"/repos/{SHOP}/pulls?", if_none_match=headers["ETag"])
    assert (status, nothing) == (304, None)
    assert again["x-ratelimit-remaining"] == headers["x-ratelimit-remaining"]

    forge.merge(forge.rows("Pull", SHOP)[0]["id"])
    assert ask(wire, f"/repos/{SHOP}/pulls?", if_none_match=headers["ETag"])[0] == 200


# --- faults, switches, life


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - WIRE))
def test_every_fault_shows_in_the_answer(wire, forge, action):
    query = "sort=updated&direction=desc&per_page=5&page=2"
    good = pulls(wire, query)
    path = {"path": "items.title", "to": "name", "value": 3}
    wire.faults.add(Fault(action, "pulls", params=path if action in DATA else {}))

    spoiled = pulls(wire, query)
    after = pulls(wire, query)

    seen_later = action in {"duplicate_row", "edit_during_paging"}
    changed = after if seen_later else spoiled
    assert (changed[0], changed[1], changed[2].get("Link")) != (good[0], good[1], good[2].get("Link"))
    if action not in DATA:
        assert wire.log[-2].fault == action


@pytest.mark.parametrize("action", sorted(WIRE))
def test_what_is_spoiled_on_its_way_is_left_to_the_server(wire, action):
    wire.faults.add(Fault(action, "pulls"))

    reply = wire.answer("GET", f"/repos/{SHOP}/pulls", {"authorization": f"Bearer {TOKEN}", "user-agent": "t"}, b"")

    assert (reply.status, reply.fault.action) == (200, action)


def test_only_what_a_person_may_do_can_be_done_from_outside(wire, forge):
    made = wire.change("open_pull", {"repository": SHOP, "title": "From outside", "branch": "b"})

    assert wire.truth()["Pull"][str(made["id"])]["title"] == "From outside"
    assert wire.counts() == {"Pull": 13, "Release": 0, "Deployment": 0}
    with pytest.raises(NotThere):
        wire.change("_keep", {})


def test_ardoise_works_as_planned_and_the_same_each_time():
    def live():
        life = Life(World(Clock(datetime.fromisoformat("2026-04-20T12:00:00Z"))), first=date(2026, 3, 2),
                    departments=[Engineering])  # fmt: skip
        life.advance()
        return life

    life = live()
    forge, world = life.departments[0].forge, life.world
    found = [row for row in forge.rows("Pull") if not row["user"].endswith("[bot]")]
    keys = {row["identifier"].lower() for row in world.rows("Issue").values()}
    named = [row for row in found if any(key in f"{row['head']} {row['title']}".lower() for key in keys)]

    assert 0.75 < len(named) / len(found) < 0.95
    assert all(row["created_at"] <= (row["merged_at"] or "9") for row in found)
    assert all(row["created_at"] <= "2026-04-20T12:00:00Z" for row in found)
    assert {row["environment"] for row in forge.rows("Deployment")} == {"staging", "production"}
    assert live().departments[0].forge.truth() == forge.truth()
