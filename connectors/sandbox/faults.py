"""Faults on demand: which answer goes wrong, how, and how often.

    Fault("limited", operation="IssuesWindow", count=2)      the next two pages of issues
    Fault("status", skip=3, params={"status": 503})          the fourth answer of any kind
    Fault("field_missing", params={"path": "issues.nodes.title"}, count=None)   until it is taken away

`ACTIONS` lists them all. Each happens on the wire, as the real thing would: nothing is patched in the hub.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from .world import Row

# In Linear's words where a code is named; another wire says the same in its own
ACTIONS: Mapping[str, str] = {
    "unauthorized": "401 AUTHENTICATION_ERROR, as after the key was revoked",
    "forbidden": "403 FORBIDDEN: a scope or a team is missing",
    "feature": "400 FEATURE_NOT_ACCESSIBLE: not in the plan",
    "limited": "400 RATELIMITED with empty buckets in the headers; retry_after adds the header (seconds)",
    "limited_edge": "429 of the edge, as HTML; retry_after as above",
    "status": "a bare status (500, 502, 503, 504, 529 …); retry_after as above",
    "internal": "INTERNAL_SERVER_ERROR in the body, with status 200 or the one given",
    "edge_html": "an HTML page with status 403, 520 or the one given",
    "rejected": "GRAPHQL_VALIDATION_FAILED, with status 400 or the one given (500)",
    "reset_before": "the connection is reset before the answer",
    "reset_inside": "the connection is reset inside the body",
    "trickle": "the body comes drop by drop over `seconds`",
    "slow": "the whole answer comes after `seconds`",
    "truncated": "the JSON ends half-way, with status 200",
    "content_type": "good JSON, called text/html",
    "gzip_garbage": "says gzip, isn't",
    "empty": "no body, with status 200",
    "not_an_object": "JSON, but a list",
    "partial": "data with a hole, and errors beside it, with status 200",
    "duplicate_row": "the page's last row comes again on the next page",
    "edit_during_paging": "after this page, a row of the next one is edited and jumps to the front",
    "empty_page": "no rows, yet more is promised",
    "cursor_expired": "400 INPUT_ERROR: the cursor is not known any more",
    "cursor_loop": "the page's end is its own beginning",
    "field_missing": "`path` is left out of the answer",
    "field_renamed": "`path` comes as `to` instead",
    "type_changed": "`path` comes as `value`",
    "new_enum": '`path` comes as `value`, "brandNew" if not said',
    "big_string": "`path` comes as a million letters",
    "strange_text": "`path` comes with emoji, right-to-left marks and a NUL",
}
WIRE = frozenset({"reset_before", "reset_inside", "trickle", "slow", "truncated", "content_type", "gzip_garbage",
                  "empty", "not_an_object"})  # fmt: skip
DATA = frozenset({"partial", "duplicate_row", "edit_during_paging", "empty_page", "cursor_loop", "field_missing",
                  "field_renamed", "type_changed", "new_enum", "big_string", "strange_text"})  # fmt: skip
STRANGE = "Пр\u200fивет \U0001f469\u200d\U0001f680 \u05e9\u05dc\u05d5\u05dd \u202eabc\x00 e\u0301"


@dataclass
class Fault:
    """What goes wrong: `action` of ACTIONS, for `count` matching answers (None: all) after `skip` good ones."""

    action: str
    operation: str | None = None  # the document's name; None matches every one
    count: int | None = 1
    skip: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"no such fault: {self.action}")

    @property
    def is_spent(self) -> bool:
        return self.count is not None and self.hits >= self.count


class Paging(Protocol):
    """How the answers of a service hold a page of rows, and how they promise more."""

    rows: str  # the field of the page that holds its rows

    def page_of(self, data: Row) -> Row | None:
        """Return the object that holds the rows, None if the answer is no list."""

    def cursor_of(self, page: Row) -> str | None:
        """Return the cursor that the page ends with."""

    def lead_on(self, page: Row, cursor: str | None) -> None:
        """Promise more after `cursor`."""


class GraphQLPaging:
    """Linear's way: `nodes` and `pageInfo` in the list at the root of the answer."""

    rows = "nodes"

    def page_of(self, data: Row) -> Row | None:
        return page_of(data)

    def cursor_of(self, page: Row) -> str | None:
        cursor: str | None = page["pageInfo"]["endCursor"]
        return cursor

    def lead_on(self, page: Row, cursor: str | None) -> None:
        page["pageInfo"] = {"hasNextPage": True, "endCursor": cursor}


class Script:
    """The faults that are to come. At most one strikes an answer: the first that matches."""

    def __init__(self, paging: Paging | None = None) -> None:
        self.paging = paging or GraphQLPaging()
        self.faults: list[Fault] = []
        self._held: dict[str, Row] = {}  # operation → the row that comes again

    def add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.faults.clear()
        self._held.clear()

    def next_for(self, operation: str) -> Fault | None:
        """Return the fault that strikes this answer, and count it."""
        for fault in self.faults:
            if fault.is_spent or fault.operation not in {None, operation}:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            return fault
        return None

    def repeat_held(self, operation: str, data: Row) -> Row:
        """Put the row that was held back in front of this page."""
        held = self._held.pop(operation, None)
        page = self.paging.page_of(data)
        if held is None or page is None:
            return data
        page[self.paging.rows] = [held, *page[self.paging.rows]]
        return data

    def spoil(self, fault: Fault, operation: str, data: Row, after: str | None) -> Row:
        """Change the data of an answer as the fault says."""
        paging, page = self.paging, self.paging.page_of(data)
        if fault.action == "duplicate_row" and page and page[paging.rows]:
            self._held[operation] = deepcopy(page[paging.rows][-1])
        elif fault.action == "empty_page" and page:
            page[paging.rows] = []
            paging.lead_on(page, f"nothing-{fault.hits}")
        elif fault.action == "cursor_loop" and page:
            paging.lead_on(page, after or paging.cursor_of(page))
        elif fault.action in _CHANGES:
            _at(data, str(fault.params["path"]).split("."), _CHANGES[fault.action](fault.params))
        return data


def page_of(data: Row) -> Row | None:
    """Return the list at the root of an answer, None if it holds none."""
    for value in data.values():
        if isinstance(value, dict) and "nodes" in value and "pageInfo" in value:
            return value
    return None


Change = Callable[[Row, str], None]


def _removed(_params: Row) -> Change:
    return lambda holder, name: holder.pop(name, None)


def _renamed(params: Row) -> Change:
    def rename(holder: Row, name: str) -> None:
        if name in holder:
            holder[str(params["to"])] = holder.pop(name)

    return rename


def _valued(value: Callable[[Row], Any]) -> Callable[[Row], Change]:
    def change(params: Row) -> Change:
        wanted = value(params)
        return lambda holder, name: holder.__setitem__(name, wanted)

    return change


_CHANGES: Mapping[str, Callable[[Row], Change]] = {
    "field_missing": _removed,
    "field_renamed": _renamed,
    "type_changed": _valued(lambda params: params["value"]),
    "new_enum": _valued(lambda params: params.get("value", "brandNew")),
    "big_string": _valued(lambda _params: "x" * 1_000_000),
    "strange_text": _valued(lambda _params: STRANGE),
}


def _at(holder: Any, steps: list[str], change: Change) -> None:
    """Apply a change wherever the path leads; a list stands for each of its members."""
    if isinstance(holder, list):
        for one in holder:
            _at(one, steps, change)
    elif isinstance(holder, dict):
        if len(steps) == 1:
            change(holder, steps[0])
        elif steps[0] in holder:
            _at(holder[steps[0]], steps[1:], change)
