"""Our documents and our stand-in, held against Linear's own schema."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import build_schema, execute, is_enum_type, is_input_object_type, is_object_type, parse, validate

from connectors.base import Mode, Slice
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.life import demo_world
from connectors.sandbox.query import Answers, Asked, schema
from connectors.services.linear import connector
from connectors.services.linear.cost import points
from connectors.services.linear.operations import CHECK, RESTS, every_operation

OFFICIAL = Path(__file__).parents[4] / "shared" / "contracts" / "linear" / "schema.graphql"
MOST_POINTS = 8_000
SOME_DAY = datetime(2026, 10, 6, 15, tzinfo=UTC)

needs_schema = [
    pytest.mark.contracts,
    pytest.mark.skipif(not OFFICIAL.exists(), reason="Linear's schema is not beside the project (../shared/contracts)"),
]


@pytest.fixture(scope="module")
def official():
    return build_schema(OFFICIAL.read_text())


def requests_we_send():
    """Every request a sync may make, with the page sizes it uses."""
    found = [CHECK.request()]
    for stream in connector.streams:
        found.append(connector.request(stream, Slice(), "cursor"))
        if stream.mode is Mode.WINDOW:
            found.append(connector.request(stream, Slice(sweep=True), "cursor"))
    for group in RESTS.values():
        found += [operation.request(id="x", first=100, after="cursor") for operation in group.values()]
    return {request.json["operationName"]: request for request in found}


SENT = requests_we_send()


def test_the_requests_cover_every_document():
    assert set(SENT) == {operation.name for operation in every_operation()}


@pytest.mark.parametrize("name", SENT)
def test_a_request_stays_under_its_points(name):
    assert SENT[name].points <= MOST_POINTS


@pytest.mark.parametrize("name", SENT)
def test_the_sandbox_knows_the_document_and_counts_the_same_points(name):
    request = SENT[name]
    document = Answers(small_world()).document(request.json["query"], name)

    assert document.cost(request.json["variables"]) == request.points


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ('{ user(id: "x") { name } }', 2),
        ('{ user(id: "x") { createdIssues(first: 50) { nodes { id title createdAt } } } }', 66),
        ('{ user(id: "x") { createdIssues { nodes { id title createdAt } } } }', 66),
        ('{ user(id: "x") { createdIssues(first: 10) { nodes { id title createdAt } } } }', 14),
    ],
)
def test_the_published_samples_cost_what_linear_says(document, cost):
    assert points(document) == cost
    assert Answers(small_world()).document(document, None).cost({}) == cost


class TestAgainstLinear:
    pytestmark = needs_schema

    @pytest.mark.parametrize("name", SENT)
    def test_a_document_is_valid(self, official, name):
        assert validate(official, parse(SENT[name].json["query"])) == []

    def test_our_part_of_the_schema_exists_there_with_the_same_types(self, official):
        ours, wrong = schema(), []
        for name, mine in ours.type_map.items():
            theirs = official.type_map.get(name)
            if theirs is None:
                wrong.append(name)
            elif is_object_type(mine) or is_input_object_type(mine):
                wrong += different_fields(name, mine, theirs)
            elif is_enum_type(mine) and not set(mine.values) <= set(theirs.values):
                wrong.append(f"{name} has other values")

        assert wrong == []

    @pytest.mark.parametrize("name", [name for name in SENT if not name.endswith("More")])
    def test_an_answer_of_the_sandbox_is_one_that_linear_could_give(self, official, name):
        world = demo_world(Clock(SOME_DAY))[0]
        viewer = next(iter(world.rows("User")))
        sent = SENT[name].json
        variables = {key: value for key, value in sent["variables"].items() if key != "after"}

        data = Answers(world).run(sent["query"], name, Asked(variables, viewer, {}))

        # The official executor reads our answer field by field and refuses nulls and types that can't be
        checked = execute(official, parse(sent["query"]), root_value=data, variable_values=variables)
        assert checked.errors is None
        assert checked.data == data


def different_fields(name, mine, theirs):
    for field, kind in mine.fields.items():
        if name.startswith("__"):
            continue
        there = theirs.fields.get(field)
        if there is None or str(there.type) != str(kind.type):
            yield f"{name}.{field}: {kind.type} here, {there and there.type} there"
            continue
        for argument, of in getattr(kind, "args", {}).items():
            if argument not in there.args or str(there.args[argument].type) != str(of.type):
                yield f"{name}.{field}({argument})"
