"""Notion's stand-in, asked as plainly as can be: its versions, its limits, its refusals, its life."""

import json
from datetime import date, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.faults import ACTIONS, DATA, WIRE, Fault
from connectors.sandbox.life import Life
from connectors.sandbox.notion.answers import VERSIONS
from connectors.sandbox.notion.life import NotionDepartment
from connectors.sandbox.notion.wire import BLIND_TOKEN, PERSONAL_TOKEN, TOKEN, NotionWire
from connectors.sandbox.notion.workspace import Workspace, prop
from connectors.sandbox.world import NotThere, World

NOW = moment("2026-10-05T09:30:40Z")


@pytest.fixture
def space():
    made = Workspace(World(Clock(NOW)))
    made.add_user("ana@shop.example", "Ana")
    made.add_user("guest@elsewhere.example", "A guest", is_guest=True)
    source = made.add_source("Talks", [prop("title", "Name", "title"), prop("d%3Ay", "Day", "date")])
    for place in range(12):
        made.add_page(source["id"], {"title": f"Talk {place}"}, at=NOW + timedelta(seconds=20 * place))
    return made


@pytest.fixture
def source(space):
    return next(iter(space.sources.values()))


@pytest.fixture
def wire(space):
    return NotionWire(space, fewer_every=0)


def ask(wire, path, body=None, *, token=TOKEN, version="2025-09-03"):
    headers = {"authorization": f"Bearer {token}", **({"notion-version": version} if version else {})}
    method = "GET" if body is None else "POST"
    reply = wire.answer(method, f"/v1/{path}", headers, json.dumps(body).encode() if body is not None else b"")
    return reply.status, json.loads(reply.body or b"{}"), reply.headers


def query(wire, source, **body):
    return ask(wire, f"data_sources/{source['id']}/query", body)[1]


def everything(wire, source, **body):
    rows, cursor = [], None
    while True:
        answer = query(wire, source, **body, **({"start_cursor": cursor} if cursor else {}))
        rows += answer["results"]
        cursor = answer["next_cursor"]
        if not answer["has_more"]:
            return rows, answer


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"token": "ntn_nobody"}, 401, "unauthorized"),
        ({"version": ""}, 400, "missing_version"),
        ({"version": "2019-01-01"}, 400, "validation_error"),
        ({"token": PERSONAL_TOKEN}, 403, "restricted_resource"),
        ({"token": BLIND_TOKEN}, 403, "restricted_resource"),
    ],
)
def test_who_may_not_list_accounts_is_told_why(wire, asked, status, code):
    got, payload, _headers = ask(wire, "users", **asked)

    assert (got, payload["code"]) == (status, code)


def test_accounts_are_listed_without_guests(wire):
    _status, payload, _headers = ask(wire, "users")

    assert [row["name"] for row in payload["results"]] == ["Product Ops Hub", "Ana"]


def test_the_list_goes_on_behind_its_cursor_and_ends(wire, source):
    rows, last = everything(wire, source, page_size=5)

    assert sorted(title(row) for row in rows) == sorted(f"Talk {n}" for n in range(12))
    assert (last["has_more"], last["next_cursor"], "request_status" in last) == (False, None, False)


def title(row):
    return row["properties"]["Name"]["title"][0]["plain_text"]


def test_now_and_then_fewer_rows_come_than_asked_and_none_is_lost(space, source):
    wire = NotionWire(space, fewer_every=2)
    query(wire, source)

    first = query(wire, source, page_size=6)

    assert len(first["results"]) == 4 and first["has_more"]
    assert len(everything(wire, source, page_size=6)[0]) == 12


def test_the_cap_says_incomplete_and_no_more(space, source):
    rows, last = everything(NotionWire(space, row_cap=7, fewer_every=0), source, page_size=4)

    assert len(rows) == 7
    assert last["request_status"] == {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}


def test_times_are_cut_to_the_minute_in_rows_and_in_filters(wire, source):
    by = "last_edited_time"
    sorts = [{"timestamp": by, "direction": "ascending"}]

    def between(**bounds):
        filters = [{"timestamp": by, by: {name: value}} for name, value in bounds.items()]
        return [title(row) for row in query(wire, source, sorts=sorts, filter={"and": filters})["results"]]

    assert {row[by] for row in query(wire, source)["results"]} == {
        f"2026-10-05T09:{minute}:00.000Z" for minute in range(30, 35)
    }
    assert between(on_or_after="2026-10-05T09:34:00Z") == ["Talk 10", "Talk 11"]
    assert between(on_or_after="2026-10-05T09:34:01Z") == []
    assert between(before="2026-10-05T09:31:00Z") == ["Talk 0"]
    assert len(between(before="2026-10-05T09:31:01Z")) == 4


def test_a_rename_changes_the_key_and_not_the_id(wire, space, source):
    before = query(wire, source)["results"][0]
    space.rename_property(source["id"], "d%3Ay", "When")

    after = query(wire, source)["results"][0]

    assert before["properties"]["Day"]["id"] == after["properties"]["When"]["id"] == "d%3Ay"
    assert before["last_edited_time"] == after["last_edited_time"]


def test_trash_is_listed_apart_and_what_is_not_shared_nowhere(wire, space, source):
    first, second, *_rest = space.by_source[source["id"]]
    space.trash(first)
    space.unshare(second)

    assert len(query(wire, source)["results"]) == 10
    assert [row["id"] for row in query(wire, source, in_trash=True)["results"]] == [first]
    assert ask(wire, f"pages/{second}")[0] == 404
    assert ask(wire, f"pages/{first}")[1]["in_trash"] is True
    space.unshare(source["id"])
    assert ask(wire, f"data_sources/{source['id']}")[0] == 404


def test_the_search_offers_databases_and_forgets_what_it_is_told_to(wire, source):
    asked = {"filter": {"property": "object", "value": "data_source"}}
    assert [row["id"] for row in ask(wire, "search", asked)[1]["results"]] == [source["id"]]

    wire.forgotten.add(source["id"])

    assert ask(wire, "search", asked)[1]["results"] == []


def test_the_search_never_finds_some_pages(space, source):
    for place in range(400):
        space.add_page(source["id"], {"title": f"More {place}"})
    wire = NotionWire(space, fewer_every=0, forgets=0.02)
    found, cursor = 0, None
    while True:
        body = {"filter": {"property": "object", "value": "page"}, **({"start_cursor": cursor} if cursor else {})}
        answer = ask(wire, "search", body)[1]
        found += len(answer["results"])
        cursor = answer["next_cursor"]
        if not cursor:
            break

    assert 385 <= found < 412


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_its_shape(wire, source, version):
    is_old = version == VERSIONS[0]
    path = f"databases/{source['database_id']}/query" if is_old else f"data_sources/{source['id']}/query"

    row = ask(wire, path, {}, version=version)[1]["results"][0]

    assert row["parent"]["type"] == ("database_id" if is_old else "data_source_id")
    assert ("archived" in row) is (version != VERSIONS[2])


def test_both_budgets_are_counted_and_neither_is_told(space):
    wire = NotionWire(space, connection_limit=2, workspace_limit=4, fewer_every=0)
    wire.tokens["ntn_other"] = wire.tokens[TOKEN]
    statuses = [ask(wire, "users", token=token)[0] for token in (TOKEN, TOKEN, TOKEN, "ntn_other", "ntn_other")]

    status, payload, headers = ask(wire, "users", token="ntn_other")

    assert statuses == [200, 200, 429, 200, 200]
    assert (status, headers["Retry-After"]) == (429, "60")
    space.world.clock.advance(timedelta(minutes=1))
    status, payload, headers = ask(wire, "users")
    assert payload["additional_data"] == {"rate_limit_reason": "public_api_space_request_rate_limit"}
    assert int(headers["Retry-After"]) > 60
    assert not any("remaining" in name.lower() for name in headers)


@pytest.mark.parametrize(
    "body",
    [
        {"page_size": 101},
        {"page_size": 0},
        {"start_cursor": "nonsense"},
        {"limit": 3},
        {"sorts": [{"property": "Name"}]},
    ],
)
def test_a_body_that_notion_does_not_take_is_refused(wire, source, body):
    assert query(wire, source, **body)["code"] == "validation_error"


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - WIRE))
def test_every_fault_can_strike(wire, source, action):
    path = {"path": "results.properties.Day"}
    params = {**path, "to": "Nowhere", "value": 7} if action in DATA else {}
    good = everything(wire, source, page_size=5)
    cursor = query(wire, source, page_size=5)["next_cursor"]
    fault = wire.faults.add(Fault(action, "Query", 1, 0, params))
    reply = wire.answer(
        "POST", f"/v1/data_sources/{source['id']}/query",
        {"authorization": f"Bearer {TOKEN}", "notion-version": "2025-09-03"},
        json.dumps({"page_size": 5, "start_cursor": cursor}).encode(),
    )  # fmt: skip

    assert fault.hits == 1
    unspoiled = query(wire, source, page_size=5, start_cursor=cursor)
    is_seen_later = action in ("duplicate_row", "edit_during_paging")
    assert is_seen_later or reply.status != 200 or json.loads(reply.body) != {
        **unspoiled, "request_id": json.loads(reply.body)["request_id"],
    }  # fmt: skip
    assert good


def test_only_known_changes_are_made_from_outside(wire, source):
    made = wire.change("add_page", {"source_id": source["id"], "values": {"title": "From outside"}})

    assert wire.counts()["Page"] == 13
    wire.change("delete", {"key": made["id"]})
    assert wire.counts()["Page"] == 12
    with pytest.raises(NotThere):
        wire.change("answer", {})


# --- what Ardoise writes there


@pytest.fixture(scope="module")
def department():
    life = Life(World(Clock(datetime.fromisoformat("2026-04-10T18:00:00Z"))), departments=[NotionDepartment])
    life.advance()
    return life.departments[0]


def test_the_same_days_bring_the_same_pages(department):
    again = Life(World(Clock(moment("2026-04-01T18:00:00Z"))),
                 departments=[NotionDepartment])  # fmt: skip
    again.advance()
    again.world.clock.set(department.life.world.clock.now())
    again.advance()

    assert again.departments[0].workspace.truth() == department.workspace.truth()


def test_there_is_something_of_everything(department):
    counts = {
        row["title"]: len(department.workspace.by_source[key]) for key, row in department.workspace.sources.items()
    }

    assert counts["Customer interviews"] > 40 and counts["Insights"] > 20
    assert counts["Decision log"] > 10 and counts["Experiments"] > 5
    assert counts["Product documents"] >= 150 and counts["Policies"] == 14


def test_most_interviews_are_written_up_some_days_later(department):
    pages = department.workspace.by_source[department.interviews["id"]].values()
    spans = [
        (date.fromisoformat(row["values"]["v%3Aw"][0]) - date.fromisoformat(row["values"]["v%3Ad"][0])).days
        for row in pages if "v%3Aw" in row["values"]
    ]  # fmt: skip

    assert len(spans) > len(pages) / 3
    assert {0, 1} <= set(spans) and min(spans) >= 0 and max(spans) > 1


def test_nothing_is_written_before_it_happens(department):
    now = department.life.world.clock.now()

    assert all(moment(row["edited"]) <= now for row in department.workspace.pages.values())
    assert all(row["created"] <= row["edited"] for row in department.workspace.pages.values())


def test_pages_refer_to_pages_and_people_that_exist(department):
    space = department.workspace
    for row in space.pages.values():
        for key, one in space.sources[row["source"]]["properties"].items():
            held = row["values"].get(key) or ()
            if one["type"] == "relation":
                assert set(held) <= set(space.by_source[one["to"]])
            if one["type"] == "people":
                assert set(held) <= set(space.users) | set(space.guests)
