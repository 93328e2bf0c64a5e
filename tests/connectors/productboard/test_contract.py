"""Our requests and the stand-in's answers, held against the schemas of Productboard's REST API v2 that we keep."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from connectors.base import Mode, Slice
from connectors.sandbox.history import small_world
from connectors.sandbox.productboard.board import ENTITIES, small_board
from connectors.sandbox.productboard.wire import SCOPES, TOKEN, ProductboardWire
from connectors.sandbox.server import serve
from connectors.services.productboard import TYPES, connector
from connectors.services.productboard.wire import CODES
from tests.json_schema import errors

FOLDER = Path(__file__).parents[4] / "shared" / "contracts" / "productboard"
DAY = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)
WINDOW = Slice(DAY, DAY + timedelta(days=1))
PAGES = {"members": "member_page", "teams": "team_page", "notes": "note_page", "member_activities": "activity_page"}

pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(
        not FOLDER.exists(), reason="Productboard's contract is not beside the project (../shared/contracts)"
    ),
]


@pytest.fixture(scope="module")
def schema():
    return json.loads((FOLDER / "entities.schema.json").read_text())


@pytest.fixture(scope="module")
def facts():
    return json.loads((FOLDER / "wire.json").read_text())


def wrong(value, name, schema):
    """Return what is wrong. An absent `next` is not: wire.json knows of it, the schema of the page doesn't."""
    found = errors(value, {"$ref": f"#/$defs/{name}"}, schema)
    return [one for one in found if one != "$.links.next: missing"]


def requests_we_send():
    """Every kind of request a sync may make, by stream."""
    found = {"check": connector.check_request()}
    for stream in connector.streams:
        found[stream.name] = connector.request(stream, Slice() if stream.mode is Mode.FULL else WINDOW, None)
        if stream.sweep_every:
            found[f"{stream.name}, all"] = connector.request(stream, Slice(sweep=True), None)
    return found


SENT = requests_we_send()


class Asked:
    """A wire over a socket; `ask` returns (status, headers, payload)."""

    def __init__(self, sandbox, wire):
        self.address, self.wire, self.token = urlsplit(sandbox.url), wire, TOKEN

    def ask(self, path, method="GET", params=None, body=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        try:
            query = f"?{urlencode(params)}" if params else ""
            headers = {"Authorization": f"Bearer {self.token}"}
            connection.request(method, path + query, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def send(self, request):
        return self.ask(request.path, request.method, request.params, request.json)


@pytest.fixture(params=[{}, {"as_array": True, "ends_with_null": False}], ids=["null, object", "absent, array"])
def asked(request):
    board = small_board(small_world())
    member = next(iter(board.rows("member")))
    board.be_active(member, board.clock.now().date(), boardsOpened=2)
    board.edit(
        next(iter(board.rows("feature"))),
        health={"status": "atRisk"},
        workProgress={"value": 30, "mode": "manual"},
        timeframe={"endDate": "2026-06-30", "granularity": "quarter"},
        **{board.linear_field: "https://linear.app/ardoise/project/p1"},
    )
    wire = ProductboardWire(board, requests_per_second=10**6, **request.param)
    with serve(board.world, wires=[wire]) as sandbox:
        board.clock.set(DAY + timedelta(hours=3))
        for kind in TYPES.values():
            board.edit(next(iter(board.rows(kind))), name="Edited")
        yield Asked(sandbox, wire)


@pytest.mark.parametrize("name", [name for name, request in SENT.items() if request.method == "POST"])
def test_a_search_is_one_of_the_contract_and_for_one_type(name, schema):
    body = SENT[name].json

    assert wrong(body, "entity_search", schema) == []
    assert body["data"]["filter"]["type"] == [TYPES[name]]


def test_every_scope_we_name_is_one_of_the_contract(facts):
    read = {scope for kind in facts["auth"] for scope in kind.get("scopes_read", ())}

    assert {scope for scope, _why in connector.scopes} <= read
    assert read == SCOPES


def test_every_code_of_the_contract_has_a_class(facts, schema):
    codes = {error["code"] for error in facts["errors"]}
    named = set(schema["$defs"]["error"]["properties"]["errors"]["items"]["properties"]["code"]["examples"])

    assert codes | named <= set(CODES)


def test_nine_of_the_eleven_types_are_read_and_the_stand_in_knows_them_all(schema):
    types = set(schema["$defs"]["entity"]["properties"]["type"]["enum"])

    assert types - set(TYPES.values()) == {"company", "user"}
    assert set(ENTITIES) == types


def test_every_answer_to_what_we_send_is_of_the_contract(asked, schema, facts):
    for name, request in SENT.items():
        status, headers, payload = asked.send(request)

        stream = name.partition(",")[0]
        assert (status, set(facts["rate_limit"]["headers"]) <= set(headers)) == (200, True)
        assert payload["data"] or name in {"notes", "member_activities"}, name
        if stream == "configurations":
            assert [wrong(row, "configuration", schema) for row in payload["data"]] == [[]] * len(payload["data"])
        else:
            kind = PAGES.get(stream, "member_page" if stream == "check" else "entity_page")
            assert wrong(payload, kind, schema) == [], name


@pytest.mark.parametrize("scopes", [SCOPES, {"entities:read", "notes:read"}])
def test_the_rest_that_the_stand_in_answers_is_of_the_contract(asked, schema, scopes):
    asked.wire.grant("some", scopes)
    asked.token = "some"
    board = asked.wire.board
    feature, note, team = (next(iter(board.rows(kind))) for kind in ("feature", "note", "team"))

    assert wrong(asked.ask(f"/v2/entities/{feature}")[2]["data"], "entity", schema) == []
    assert wrong(asked.ask(f"/v2/notes/{note}")[2]["data"], "note", schema) == []
    assert wrong(asked.ask("/v2/entities", params={"fields[]": "all"})[2], "entity_page", schema) == []
    assert wrong(asked.ask("/v2/notes", params={"fields": "all"})[2], "note_page", schema) == []
    members = asked.ask(f"/v2/teams/{team}/members")[2]
    assert wrong(members, "member_page", schema) == [] and "role" not in members["data"][0]["fields"]
    hidden = {row["fields"]["email"] == "[redacted]" for row in asked.ask("/v2/members")[2]["data"]}
    assert hidden == {"members:pii:read" not in scopes}


def test_empty_fields_come_only_when_asked_for(asked):
    few = asked.ask("/v2/entities", params={"type[]": "component"})[2]["data"][0]["fields"]
    every = asked.ask("/v2/entities", params={"type[]": "component", "fields[]": "all"})[2]["data"][0]["fields"]

    assert "status" not in few
    assert every["status"] is None and few == {name: value for name, value in every.items() if value is not None}


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "code"),
    [
        ("/v2/nowhere", "GET", None, 404, "route.notFound"),
        ("/v2/entities/nobody", "GET", None, 404, "resource.notFound"),
        ("/v2/entities?type[]=dragon", "GET", None, 400, "request.invalid"),
        ("/v2/entities?pageCursor=nonsense", "GET", None, 400, "request.invalid"),
        ("/v2/entities/search", "POST", {"filter": {}}, 400, "request.malformed"),
        ("/v2/entities/search", "POST", {"data": {"filter": {"types": ["feature"]}}}, 400, "request.invalid"),
        ("/v2/entities/search", "POST", {"data": {"filter": {"updatedAt": {"from": "noon"}}}}, 400, "request.invalid"),
    ],
)
def test_a_refusal_of_the_stand_in_is_of_the_contract(asked, schema, path, method, body, status, code):
    got, _headers, payload = asked.ask(path, method, body=body)

    assert (got, payload["errors"][0]["code"], wrong(payload, "error", schema)) == (status, code, [])


def test_a_refused_token_and_a_full_second_are_of_the_contract(asked, schema, facts):
    asked.wire.requests_per_second = 2
    answers = [asked.ask("/v2/teams") for _ in range(3)]
    status, headers, payload = answers[-1]

    assert [answer[0] for answer in answers] == [200, 200, facts["rate_limit"]["status"]]
    assert payload["errors"][0]["code"] == facts["rate_limit"]["body"]["errors"][0]["code"]
    assert headers["Retry-After"] == "1" and wrong(payload, "error", schema) == []
    asked.wire.revoke(TOKEN)
    status, _headers, payload = asked.ask("/v2/teams")
    assert (status, payload["errors"][0]["code"], wrong(payload, "error", schema)) == (401, "auth.invalid", [])


def test_the_order_of_lists_is_the_contracts(asked, facts):
    board = asked.wire.board
    for number in range(3):
        board.clock.advance(timedelta(hours=1))
        board.add_note(f"Later {number}")
        board.add_team(f"Later {number}")
        board.add_member(f"later{number}@ardoise.example", "Later")
    told = facts["pagination"]["order"]

    for name, path in (("notes", "/v2/notes"), ("teams", "/v2/teams")):
        moments = [row["createdAt"] for row in asked.ask(path)[2]["data"]]
        assert told[name] == "created, newest first" and moments == sorted(moments, reverse=True)
    ids = [row["id"] for row in asked.ask("/v2/members")[2]["data"]]
    assert told["members"] == "created, oldest first" and ids == sorted(ids)


def test_a_page_is_a_hundred_and_its_link_leads_on(asked):
    for number in range(150):
        asked.wire.board.add("feature", f"Feature {number}")
    first = asked.ask("/v2/entities", params={"type[]": "feature", "limit": "7"})[2]
    link = urlsplit(first["links"]["next"])
    second = asked.ask(f"{link.path}?{link.query}")[2]

    assert len(first["data"]) == 100 and len(second["data"]) == 51
    assert {row["type"] for row in second["data"]} == {"feature"}
    assert not second["links"].get("next")


def test_a_damaged_answer_is_seen(asked, schema):
    page = asked.ask("/v2/entities", params={"type[]": "feature"})[2]

    page["data"][0]["fields"]["health"]["status"] = "splendid"
    assert wrong(page, "entity_page", schema)
