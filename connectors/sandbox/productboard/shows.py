"""How Productboard shows its rows: empty fields left out, people hidden from those who may not see them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.sandbox.world import Row

from .board import NOTES, Board

REDACTED = "[redacted]"
PAGE = 100  # always, and not to be chosen


class Shows:
    """Renders rows for one request. `scopes` are the token's, `api` is the base address of links."""

    def __init__(
        self, board: Board, scopes: frozenset[str], api: str, *, all_fields: bool, as_array: bool, ties_a_page: int
    ) -> None:
        self.board, self.api = board, api
        self.sees_members = "members:pii:read" in scopes
        self.sees_users = "users:pii:read" in scopes
        self.all_fields, self.as_array, self.ties_a_page = all_fields, as_array, ties_a_page

    def entity(self, row: Row) -> Row:
        fields = dict(row["fields"])
        if row["type"] == "user" and not self.sees_users:
            fields["name"] = REDACTED
        shown = {"id": row["id"], "type": row["type"], "fields": self._fields(row["type"], fields)}
        if "metadata" in row:
            shown["metadata"] = row["metadata"]
        return shown | self._frame(row, "entities", "feature-board")

    def note(self, row: Row) -> Row:
        shown = {"id": row["id"], "type": row["type"], "fields": self._fields(row["type"], dict(row["fields"]))}
        return shown | self._frame(row, "notes", "all-notes/notes")

    def member(self, row: Row) -> Row:
        fields = {name: value for name, value in row["fields"].items() if value not in (None, "")}
        if not self.sees_members:
            fields |= {name: REDACTED for name in ("name", "email", "username") if name in fields}
        teams = self.board.rows("team")
        if row["_teams"]:
            fields["teams"] = [{"id": key, "name": teams[key]["fields"]["name"]} for key in row["_teams"]]
        return {
            "id": row["id"],
            "type": "member",
            "fields": fields,
            "links": self._links("members", row["id"], "members"),
        }

    def team(self, row: Row) -> Row:
        shown = {name: row[name] for name in ("id", "type", "fields", "createdAt", "updatedAt")}
        return shown | {"links": self._links("teams", row["id"], "teams")}

    def ties(self, row: Row, after: str | None) -> Row:
        """Return a page of a thing's ties."""
        held, start = sorted(row["_ties"]), int(after or 0)
        data = [self._tie(*tie) for tie in held[start : start + self.ties_a_page]]
        end = start + self.ties_a_page
        path = "notes" if row["type"] in NOTES else "entities"
        link = f"{self.api}/v2/{path}/{row['id']}/relationships?pageCursor={end}" if end < len(held) else None
        return {"data": data, "links": {"next": link}}

    def _tie(self, kind: str, target: str) -> Row:
        of, _row = self.board.get(target)
        return {
            "type": kind,
            "target": {"id": target, "type": of, "links": {"self": f"{self.api}/v2/entities/{target}"}},
        }

    def _frame(self, row: Row, path: str, page: str) -> Row:
        first = self.ties(row, None)
        whole = self.as_array and first["links"]["next"] is None
        return {
            "relationships": first["data"] if whole else first,
            "links": self._links(path, row["id"], page),
            "createdAt": row["createdAt"],
            "updatedAt": row["updatedAt"],
        }

    def _links(self, path: str, key: str, page: str) -> Row:
        slug = self.board.world.organization["urlKey"]
        return {"self": f"{self.api}/v2/{path}/{key}", "html": f"https://{slug}.productboard.com/{page}/{key}"}

    def _fields(self, kind: str, fields: Row) -> Row:
        for name in ("owner", "creator"):
            if isinstance(fields.get(name), dict) and not self.sees_members:
                fields[name] = {**fields[name], "email": REDACTED}
        if self.all_fields:
            return {**dict.fromkeys(self.board.configurations[kind]["fields"]), **fields}
        return fields


def cut(
    rows: Sequence[Row], key: Callable[[Row], Any], after: Sequence[Any] | None, *, newest_first: bool = False
) -> tuple[list[Row], list[Any] | None]:
    """Return the rows after a place in the order, a page of them, and the place of the next page."""
    page: list[Row] = []
    for row in _after(rows, key, after, newest_first=newest_first):
        if len(page) == PAGE:
            return page, list(key(page[-1]))
        page.append(row)
    return page, None


def _after(
    rows: Sequence[Row], key: Callable[[Row], Any], after: Sequence[Any] | None, *, newest_first: bool
) -> Iterator[Row]:
    place = tuple(after) if after is not None else None
    for row in rows:
        if place is None or (tuple(key(row)) < place if newest_first else tuple(key(row)) > place):
            yield row


def cursor(place: Sequence[Any]) -> str:
    """Write a place in an order as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def place_of(cursor_text: str) -> list[Any]:
    """Read what `cursor` wrote. Raises ValueError."""
    place = json.loads(base64.urlsafe_b64decode(cursor_text + "=" * (-len(cursor_text) % 4)))
    if not isinstance(place, list):
        raise ValueError("no place")
    return place


class LinkPaging:
    """Productboard's way: `data`, and an absolute `links.next` that carries the cursor. `address` is the request's."""

    rows = "data"
    address = ""

    def page_of(self, data: Row) -> Row | None:
        return data if isinstance(data.get("data"), list) and "links" in data else None

    def cursor_of(self, page: Row) -> str | None:
        link = page["links"].get("next") or ""
        return next(iter(parse_qs(urlsplit(link).query).get("pageCursor", ())), None)

    def lead_on(self, page: Row, cursor: str | None) -> None:
        page["links"] = {"next": self.link(cursor)}

    def link(self, cursor: str | None) -> str:
        """Return the request's own address with this cursor in the place of the last; None: the first page's."""
        base, _mark, query = self.address.partition("?")
        kept = [part for part in query.split("&") if part and not part.startswith("pageCursor=")]
        return f"{base}?{'&'.join([*kept, f'pageCursor={cursor}'] if cursor else kept)}"


@dataclass(frozen=True)
class Asked:
    """One request, taken apart."""

    method: str
    steps: list[str]  # of the path, after /v2
    query: Mapping[str, list[str]]
    body: bytes
    token: str
    api: str  # base address of links
    operation: str  # its name, as faults and the log use it

    @property
    def after(self) -> str | None:
        return next(iter(self.query.get("pageCursor", ())), None)

    @property
    def wants_all(self) -> bool:
        """Empty fields, too: spelled one way for entities and another for notes."""
        return "all" in [*self.query.get("fields[]", ()), *self.query.get("fields", ())]


def asked_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Asked:
    """Take a request apart."""
    parts = urlsplit(path)
    steps, query = [step for step in parts.path.split("/") if step][1:], parse_qs(parts.query, keep_blank_values=True)
    token = headers.get("authorization", "").removeprefix("Bearer ")
    api = f"http://{headers.get('host', 'localhost')}"
    return Asked(method, steps, query, body, token, api, _name(steps, query, body))


def _name(steps: list[str], query: Mapping[str, list[str]], body: bytes) -> str:
    """Name a request: "list feature", "search feature", "notes", "entities relationships", "one of notes" …"""
    match steps:
        case ["entities"]:
            name = f"list {' '.join(query.get('type[]', ['everything']))}"
        case ["entities", "search"]:
            name = f"search {_types_in(body)}"
        case ["analytics", of]:
            name = of
        case [of, what] if what != "configurations":
            name = f"one of {of}"
        case [of, _key, what]:
            name = f"{of} {what}"
        case _:
            name = " ".join(steps)
    return name


def _types_in(body: bytes) -> str:
    try:
        return " ".join(types_of(json.loads(body)["data"]["filter"]))
    except (ValueError, KeyError, TypeError):
        return "nothing"


def types_of(wanted: Row) -> list[str]:
    """Return the types a search filters by."""
    types = wanted.get("type") or []
    return [types] if isinstance(types, str) else list(types)
