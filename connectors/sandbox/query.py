"""Answers GraphQL documents from the world: checked by graphql-core, then run by a plan that is made once per document.

Running graphql-core's own executor over a page of a hundred issues with their histories takes half a second;
a plan of plain closures takes a few milliseconds. Only what `linear.graphql` describes can be asked, and anything
else is refused as Linear refuses it.
"""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    build_schema,
    get_named_type,
    is_list_type,
    parse,
    validate,
    value_from_ast_untyped,
)

from .clock import moment, text
from .world import Row, World

DEFAULT_FIRST, MOST_FIRST = 50, 250
# (type, field) of a link → kind of the row; its id is kept under "<field>Id"
_LINKS = {
    ("Team", "parent"): "Team",
    ("TeamMembership", "team"): "Team",
    ("TeamMembership", "user"): "User",
    ("WorkflowState", "team"): "Team",
    ("IssueLabel", "team"): "Team",
    ("IssueLabel", "parent"): "IssueLabel",
    ("Template", "team"): "Team",
    ("Initiative", "owner"): "User",
    ("InitiativeToProject", "initiative"): "Initiative",
    ("InitiativeToProject", "project"): "Project",
    ("Project", "status"): "ProjectStatus",
    ("Project", "lead"): "User",
    ("Project", "lastUpdate"): "ProjectUpdate",
    ("ProjectUpdate", "user"): "User",
    ("ProjectUpdate", "project"): "Project",
    ("Cycle", "team"): "Team",
    ("Issue", "team"): "Team",
    ("Issue", "state"): "WorkflowState",
    ("Issue", "assignee"): "User",
    ("Issue", "creator"): "User",
    ("Issue", "cycle"): "Cycle",
    ("Issue", "project"): "Project",
    ("Issue", "parent"): "Issue",
}
# Field of Query → kind it lists
_LISTS = {
    "users": "User",
    "teams": "Team",
    "teamMemberships": "TeamMembership",
    "workflowStates": "WorkflowState",
    "issueLabels": "IssueLabel",
    "initiativeToProjects": "InitiativeToProject",
    "issues": "Issue",
    "cycles": "Cycle",
    "projects": "Project",
    "initiatives": "Initiative",
    "projectUpdates": "ProjectUpdate",
}
_ONES = {"user": "User", "issue": "Issue", "cycle": "Cycle", "project": "Project"}
_SLUGS = {"Issue": "issue", "Project": "project", "Initiative": "initiative"}


class Refused(Exception):
    """The question can't be answered as asked. `code` is Linear's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Asked:
    """Who asks, with which variables, and what the budgets say."""

    variables: Mapping[str, Any]
    viewer_id: str
    rate_limit: Mapping[str, Any]


Project = Callable[[Row, Asked], Any]
Arguments = Callable[[Asked], dict[str, Any]]


@dataclass(frozen=True)
class Document:
    """A document that has been checked, ready to run."""

    operation: str
    root: Project
    cost: Callable[[Mapping[str, Any]], int]


def schema() -> GraphQLSchema:
    """Return what the sandbox understands of Linear."""
    return build_schema((Path(__file__).parent / "linear.graphql").read_text())


class Answers:
    """Answers documents from one world."""

    def __init__(self, world: World, known: GraphQLSchema | None = None) -> None:
        self.world = world
        self.schema = known or schema()
        self.document = lru_cache(maxsize=200)(self._document)

    def run(self, source: str, operation: str | None, asked: Asked) -> Row:
        """Return the data. Raises Refused."""
        data: Row = self.document(source, operation).root({}, asked)
        return data

    # --- checking and planning

    def _document(self, source: str, operation: str | None) -> Document:
        try:
            parsed = parse(source, no_location=True)
        except GraphQLError as error:
            raise Refused("GRAPHQL_PARSE_FAILED", error.message) from error
        errors = validate(self.schema, parsed)
        if errors:
            raise Refused("GRAPHQL_VALIDATION_FAILED", errors[0].message)
        found = _operation(parsed, operation)
        planner = _Planner(self, parsed)
        query = self.schema.query_type
        assert query is not None
        root = planner.object(found.selection_set, query)
        required = [
            variable.variable.name.value
            for variable in found.variable_definitions or ()
            if variable.type.kind == "non_null_type" and variable.default_value is None
        ]

        def checked(row: Row, asked: Asked) -> Any:
            for name in required:
                if asked.variables.get(name) is None:
                    raise Refused("BAD_USER_INPUT", f'Variable "${name}" of required type was not provided.')
            return root(row, asked)

        return Document(
            operation=found.name.value if found.name else "",
            root=checked,
            cost=lambda variables: ceil(round(_cost(found.selection_set, planner.fragments, variables), 6)),
        )

    # --- lists of the whole workspace

    def list_all(self, kind: str, arguments: Mapping[str, Any]) -> tuple[list[Row], bool, Callable[[Row], str]]:
        """Return one page, latest first, whether there is more, and how to write its cursor.

        A cursor is the place in the order, not a number of rows: what is edited meanwhile jumps to the front and is
        not met again, what is deleted leaves no gap.
        """
        table, rows = self.world.tables[kind], self.world.rows(kind)
        by = arguments.get("orderBy") or "createdAt"
        keys = table.order(by)
        low, high, check = _bounds(arguments.get("filter") or {}, by, keys)
        if arguments.get("after"):
            high = min(high, bisect_left(keys, _place(arguments["after"])))
        first = _first(arguments)
        with_archived = bool(arguments.get("includeArchived"))
        with_disabled = kind != "User" or bool(arguments.get("includeDisabled"))
        page: list[Row] = []
        for index in range(high - 1, low - 1, -1):
            row = rows[keys[index][1]]
            if (not with_archived and row.get("archivedAt")) or (not with_disabled and not row["active"]):
                continue
            if check is not None and not check(row):
                continue
            if len(page) == first:
                return page, True, lambda row: _cursor(row[by], row["id"])
            page.append(row)
        return page, False, lambda row: _cursor(row[by], row["id"])

    def listed_in(self, type_name: str, field: str, row: Row) -> Sequence[Row]:
        """Return the rows of a list that belongs to one row, in Linear's order."""
        world = self.world
        if field == "history":
            return cast("list[Row]", row["_history"])[::-1]
        if field == "stateHistory":
            return cast("list[Row]", row["_stateHistory"])
        if field == "uncompletedIssuesUponClose":
            issues = world.rows("Issue")
            return [issues[key] for key in row["_uncompletedIssuesUponClose"] if key in issues]
        if field == "teams":
            teams = world.rows("Team")
            return [teams[key] for key in row["_teams"] if key in teams]
        if field == "initiatives":
            initiatives, links = world.rows("Initiative"), world.rows("InitiativeToProject").values()
            ids = [
                link["initiativeId"]
                for link in links
                if link["projectId"] == row["id"] and not link.get("archivedAt")
            ]  # fmt: skip
            return [initiatives[key] for key in ids if key in initiatives]
        assert (type_name, field) == ("User", "createdIssues")
        return [issue for issue in world.rows("Issue").values() if issue.get("creatorId") == row["id"]]


class _Planner:
    """Turns a checked selection into closures."""

    def __init__(self, answers: Answers, parsed: DocumentNode) -> None:
        self.answers = answers
        self.fragments = {
            node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def object(self, selected: SelectionSetNode, type_: GraphQLObjectType) -> Project:
        """Return what makes the answer for one row of a type."""
        names: list[str] = []
        keys: list[str] = []
        nested: list[tuple[str, Project]] = []
        for node in _fields(selected, self.fragments):
            key = node.alias.value if node.alias else node.name.value
            made = self.field(node, type_)
            if made is None:
                names.append(node.name.value)
                keys.append(key)
            else:
                nested.append((key, made))

        def project(row: Row, asked: Asked) -> Row:
            # zip and map run in C: this line makes most of a page
            answer = dict(zip(keys, map(row.get, names), strict=True))
            for key, make in nested:
                answer[key] = make(row, asked)
            return answer

        return project

    def field(self, node: FieldNode, parent: GraphQLObjectType) -> Project | None:
        """Return what answers a field, None where it is simply the row's own value."""
        name = node.name.value
        world = self.answers.world
        kind = None if name == "__typename" else parent.fields[name].type
        named = None if kind is None else get_named_type(kind)
        if not isinstance(named, GraphQLObjectType):
            return self.computed(name, parent.name)
        assert node.selection_set is not None
        if named.name.endswith("Connection"):
            return self.connection(node, parent.name, named)
        make = self.object(node.selection_set, named)
        if parent.name == "Query":
            return self.root(node, make)
        if parent.name == "RateLimitPayload":
            return lambda row, asked: [make(one, asked) for one in row["limits"]]
        assert not is_list_type(kind)
        rows, id_key = world.rows(_LINKS[parent.name, name]), f"{name}Id"

        def link(row: Row, asked: Asked) -> Any:
            found = rows.get(row.get(id_key, ""))
            return None if found is None else make(found, asked)

        return link

    def computed(self, name: str, parent: str) -> Project | None:
        """Return what computes a value that rows don't hold."""
        world = self.answers.world
        if name == "__typename":
            return lambda _row, _asked: parent
        if name == "url" and parent in _SLUGS:
            base = f"https://linear.app/{world.organization['urlKey']}/{_SLUGS[parent]}/"
            own = "identifier" if parent == "Issue" else "id"
            return lambda row, _asked: base + row[own]
        if name == "userCount":
            return lambda _row, _asked: sum(1 for row in world.rows("User").values() if row["active"])
        if name == "createdIssueCount":
            return lambda _row, _asked: len(world.rows("Issue"))
        return None

    def root(self, node: FieldNode, make: Project) -> Project:
        """Return what answers one thing asked at the root."""
        name, world, arguments = node.name.value, self.answers.world, _arguments(node)
        if name == "viewer":
            return lambda _row, asked: make(world.rows("User")[asked.viewer_id], asked)
        if name == "organization":
            return lambda _row, asked: make(world.organization, asked)
        if name == "rateLimitStatus":
            return lambda _row, asked: make(dict(asked.rate_limit), asked)
        if name == "templates":
            return lambda _row, asked: [make(one, asked) for one in world.rows("Template").values()]
        kind = _ONES[name]

        def one(_row: Row, asked: Asked) -> Any:
            found = world.rows(kind).get(str(arguments(asked)["id"]))
            if found is None:
                raise Refused("INPUT_ERROR", f"Entity not found: {kind}")
            return make(found, asked)

        return one

    def connection(self, node: FieldNode, parent: str, type_: GraphQLObjectType) -> Project:
        """Return what answers a page of a list."""
        assert node.selection_set is not None
        answers, name, arguments = self.answers, node.name.value, _arguments(node)
        make_node: Project | None = None
        info_keys: list[str] = []
        for part in _fields(node.selection_set, self.fragments):
            if part.name.value == "nodes":
                named = get_named_type(type_.fields["nodes"].type)
                assert part.selection_set is not None and isinstance(named, GraphQLObjectType)
                make_node = self.object(part.selection_set, named)
            elif part.selection_set is not None:
                info_keys = [one.name.value for one in _fields(part.selection_set, self.fragments)]
        kind = _LISTS[name] if parent == "Query" else ""

        def connect(row: Row, asked: Asked) -> Row:
            given = arguments(asked)
            page: Sequence[Row]
            if kind:
                page, has_more, cursor = answers.list_all(kind, given)
            else:
                page, has_more, cursor = _page_of(answers.listed_in(parent, name, row), given)
            answer: Row = {}
            if info_keys:
                last = cursor(page[-1]) if page else None
                info = {"hasNextPage": has_more, "endCursor": last}
                answer["pageInfo"] = {key: info[key] for key in info_keys}
            if make_node is not None:
                answer["nodes"] = [make_node(one, asked) for one in page]
            return answer

        return connect


def _operation(parsed: DocumentNode, wanted: str | None) -> OperationDefinitionNode:
    found = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    if wanted:
        found = [node for node in found if node.name is not None and node.name.value == wanted]
    if len(found) != 1:
        raise Refused("BAD_USER_INPUT", "Must provide operation name if query contains multiple operations.")
    return found[0]


def _fields(selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    for node in selected.selections:
        if isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
        elif isinstance(node, FieldNode):
            yield node


def _arguments(node: FieldNode) -> Arguments:
    nodes = [(argument.name.value, argument.value) for argument in node.arguments or ()]
    return lambda asked: _given(nodes, asked.variables)


def _given(nodes: Sequence[tuple[str, ValueNode]], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that have a value; a variable that was not sent leaves its argument out."""
    found = {name: value_from_ast_untyped(value, dict(variables)) for name, value in nodes}
    return {name: value for name, value in found.items() if value is not Undefined}


def _cost(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> float:
    """Count by the published formula: a leaf 0.1, an object 1, a connection its nodes times `first`."""
    total = 0.0
    for node in _fields(selected, fragments):
        if node.selection_set is None:
            total += 0.1
            continue
        parts = {part.name.value: part for part in _fields(node.selection_set, fragments)}
        if "nodes" not in parts:
            total += 1 + _cost(node.selection_set, fragments, variables)
            continue
        given = _given([(argument.name.value, argument.value) for argument in node.arguments or ()], variables)
        for name, part in parts.items():
            inner = part.selection_set
            cost = 0.1 if inner is None else 1 + _cost(inner, fragments, variables)
            total += cost * (_first(given) if name == "nodes" else 1)
    return total


def _first(arguments: Mapping[str, Any]) -> int:
    first = arguments.get("first")
    if first is None:
        return DEFAULT_FIRST
    if not isinstance(first, int) or isinstance(first, bool) or not 1 <= first <= MOST_FIRST:
        raise Refused("INPUT_ERROR", f"first must be between 1 and {MOST_FIRST}")
    return first


def _bounds(
    given: Mapping[str, Any], by: str, keys: list[tuple[str, str]]
) -> tuple[int, int, Callable[[Row], bool] | None]:
    """Turn a filter on `updatedAt` into places in the order, or into a check of each row if ordered otherwise."""
    low, high = 0, len(keys)
    comparisons = (given.get("updatedAt") or {}).items()
    wanted = {name: _moment_text(value) for name, value in comparisons if value not in (None, Undefined)}
    if not wanted:
        return low, high, None
    if by != "updatedAt":
        return low, high, lambda row: all(_TESTS[name](row["updatedAt"], value) for name, value in wanted.items())
    after_all = "\U0010ffff"
    for name, value in wanted.items():
        if name in {"gte", "eq"}:
            low = max(low, bisect_left(keys, (value, "")))
        if name == "gt":
            low = max(low, bisect_left(keys, (value, after_all)))
        if name == "lt":
            high = min(high, bisect_left(keys, (value, "")))
        if name in {"lte", "eq"}:
            high = min(high, bisect_left(keys, (value, after_all)))
    return low, high, None


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "gt": str.__gt__,
    "gte": str.__ge__,
    "lt": str.__lt__,
    "lte": str.__le__,
}


def _moment_text(value: Any) -> str:
    try:
        return text(moment(str(value)))
    except ValueError as error:
        raise Refused("INPUT_ERROR", f"{value} is not a moment (durations are not spoken here)") from error


def _page_of(rows: Sequence[Row], arguments: Mapping[str, Any]) -> tuple[Sequence[Row], bool, Callable[[Row], str]]:
    """Return one page of a short list. Its cursor names the last row."""
    first, start = _first(arguments), 0
    if arguments.get("after"):
        _empty, last = _place(arguments["after"])
        found = [place for place, row in enumerate(rows) if row["id"] == last]
        if not found:
            raise Refused("INPUT_ERROR", "The cursor is not of this list.")
        start = found[0] + 1
    return rows[start : start + first], len(rows) > start + first, lambda row: _cursor("", row["id"])


def _cursor(at: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{at}|{key}".encode()).decode()


def _place(cursor: Any) -> tuple[str, str]:
    try:
        at, bar, key = base64.urlsafe_b64decode(str(cursor).encode()).decode().partition("|")
    except (ValueError, binascii.Error) as error:
        raise Refused("INPUT_ERROR", "The cursor is invalid.") from error
    if not bar:
        raise Refused("INPUT_ERROR", "The cursor is invalid.")
    return at, key
