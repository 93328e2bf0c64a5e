"""Our requests held against Notion's own OpenAPI document, and the stand-in's answers against our schemas of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import Slice
from connectors.sandbox.notion.answers import VERSIONS
from connectors.sandbox.notion.wire import TOKEN, NotionWire
from connectors.services.notion import connector, wire
from connectors.services.notion.places import Look, Place
from connectors.services.notion.read import Cut
from tests.json_schema import errors

from .conftest import small_workspace

FOLDER = Path(__file__).parents[4] / "shared" / "contracts" / "notion"
KEY = "00000001-0003-4a00-9000-000000000001"
DAY = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)
STREAMS = {stream.name: stream for stream in connector.streams}
WINDOW, SWEEP = Slice(DAY, DAY), Slice(sweep=True)

pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(not FOLDER.exists(), reason="Notion's contract is not beside the project (../shared/contracts)"),
]


def requests_we_send():
    """Every kind of request a sync may make."""
    bound = connector.bound({"data_sources": [KEY], "unread": []})
    pages = STREAMS["pages"]
    cut = Cut(KEY, "a%3Ai", "relation", {"properties": {}})
    return {
        "check": connector.check_request(),
        "users": connector.request(STREAMS["users"], Slice(), None),
        "users, second page": connector.request(STREAMS["users"], Slice(), "cursor"),
        "search": connector.request(STREAMS["data_sources"], Slice(), None),
        "search, second page": connector.request(STREAMS["data_sources"], Slice(), str(Look((), "cursor"))),
        "data source": connector.request(STREAMS["data_sources"], Slice(), str(Look((KEY,), "", is_searched=True))),
        "nothing mapped": connector.request(pages, WINDOW, None),
        "window": bound.request(pages, WINDOW, None),
        "window, second page": bound.request(pages, WINDOW, str(Place(KEY, cursor="cursor"))),
        "trash": bound.request(pages, WINDOW, str(Place(KEY, in_trash=True))),
        "behind the cap": bound.request(pages, WINDOW, str(Place(KEY, since="2026-10-05T09:30:00.000Z"))),
        "sweep": bound.request(pages, SWEEP, None),
        "property": cut.rest().request,
        "property, second page": cut.rest("cursor").request,
    }


SENT = requests_we_send()


@pytest.fixture(scope="module")
def openapi():
    return json.loads((FOLDER / "notion-openapi.json").read_text())


@pytest.fixture(scope="module")
def entities():
    return json.loads((FOLDER / "entities.schema.json").read_text())


def operation_of(openapi, request):
    """Return (path, operation) of the document that a request is one of."""
    steps = request.path.split("/")
    for path, methods in openapi["paths"].items():
        pattern = path.split("/")
        fits = len(pattern) == len(steps) and all(
            one == other or one.startswith("{") for one, other in zip(pattern, steps, strict=True)
        )
        if fits and request.method.lower() in methods and ("{" not in path or KEY in steps):
            return path, methods[request.method.lower()]
    return None, None


def wrong_with(openapi, request):
    """Return what of a request the document does not allow."""
    path, operation = operation_of(openapi, request)
    if operation is None:
        return [f"{request.method} {request.path} is no operation of Notion's"]
    found = []
    given = [
        openapi["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        for one in operation.get("parameters", ())
    ]
    known = {one["name"]: one for one in given}
    for name, value in request.params.items():
        if known.get(name, {}).get("in") != "query":
            found.append(f"{path}: {name} is no parameter")
        elif known[name]["schema"].get("type") == "integer" and not value.isdecimal():
            found.append(f"{path}: {name} is no number")
    if request.json is not None:
        body = dict(request.json)
        if all(sort.keys() == {"timestamp", "direction"} for sort in body.get("sorts", ())):
            body.pop("sorts", None)  # the document knows sorts by a property alone; Notion's own client sorts by time
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        found += errors(body, {**schema, "additionalProperties": False}, openapi)
    return found


@pytest.mark.parametrize("name", SENT)
def test_a_request_is_one_that_notion_documents(openapi, name):
    assert wrong_with(openapi, SENT[name]) == []


def test_the_check_of_requests_can_fail(openapi):
    search = SENT["search"]

    assert wrong_with(openapi, replace(search, path="/v1/searches"))
    assert wrong_with(openapi, replace(search, json={"filter": {"property": "object", "value": "database"}}))
    assert wrong_with(openapi, replace(search, json={"page_size": "100"}))
    assert wrong_with(openapi, replace(search, json={"limit": 100}))
    assert wrong_with(openapi, replace(SENT["users"], params={"limit": "100"}))


def test_the_version_is_sent_as_the_document_wants_it(openapi):
    parameter = openapi["components"]["parameters"]["notionVersion"]

    assert parameter["name"] == "Notion-Version" and parameter["in"] == "header"
    assert connector.headers("x")["Notion-Version"] == wire.VERSION == parameter["schema"]["default"]


def answer_of(served, method, path, body=None, version=wire.VERSION):
    headers = {"authorization": f"Bearer {TOKEN}", "notion-version": version}
    reply = served.answer(method, path, headers, json.dumps(body or {}).encode())
    return reply.status, json.loads(reply.body)


@pytest.fixture(scope="module")
def served():
    return NotionWire(small_workspace())


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_of_the_stand_in_is_one_that_notion_could_give(served, entities, version):
    space = served.workspace
    source = list(space.sources.values())[1]
    page = next(iter(space.by_source[source["id"]]))
    is_old = version == VERSIONS[0]
    key = source["database_id"] if is_old else source["id"]
    kind = "database" if is_old else "data_source"
    lists = [
        (answer_of(served, "GET", "/v1/users", version=version), "user"),
        (answer_of(served, "POST", f"/v1/{kind}s/{key}/query", version=version), "page"),
    ]
    if not is_old:
        found = {"filter": {"property": "object", "value": kind}}
        lists.append((answer_of(served, "POST", "/v1/search", found, version), kind))
        shown = answer_of(served, "GET", f"/v1/data_sources/{key}", version=version)
        assert errors(shown[1], {"$ref": "#/$defs/data_source"}, entities) == []
        whole = answer_of(served, "GET", f"/v1/databases/{source['database_id']}", version=version)
        assert errors(whole[1], {"$ref": "#/$defs/database"}, entities) == []
    for (status, payload), inner in lists:
        assert status == 200
        assert errors(payload, {"$ref": "#/$defs/list"}, entities) == []
        assert payload["results"]
        for row in payload["results"]:
            assert errors(row, {"$ref": f"#/$defs/{inner}"}, entities) == []
    status, one = answer_of(served, "GET", f"/v1/pages/{page}", version=version)
    assert (status, errors(one, {"$ref": "#/$defs/page"}, entities)) == (200, [])
    assert ("archived" in one) is (version != VERSIONS[2])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/pages/{KEY}", 404),
        ("GET", "/v1/nowhere", 400),
        ("POST", f"/v1/data_sources/{KEY[:-1]}9/query", 404),
    ],
)
def test_a_refusal_of_the_stand_in_is_one_that_notion_could_give(served, entities, method, path, status):
    got, payload = answer_of(served, method, path)

    assert (got, errors(payload, {"$ref": "#/$defs/error"}, entities)) == (status, [])


def test_the_check_of_answers_can_fail(served, entities):
    source = list(served.workspace.sources)[1]
    _status, payload = answer_of(served, "POST", f"/v1/data_sources/{source}/query")
    page = payload["results"][0]

    assert errors({**page, "in_trash": None}, {"$ref": "#/$defs/page"}, entities)
    assert errors({**page, "parent": {}}, {"$ref": "#/$defs/page"}, entities)
    assert errors({**page, "id": "7"}, {"$ref": "#/$defs/page"}, entities)
    broken = {**page["properties"], "Date": {"id": "x", "type": "date", "date": {"end": None}}}
    assert errors({**page, "properties": broken}, {"$ref": "#/$defs/page"}, entities)
