"""Notion's manners on the wire: who may ask, in which version, how much, and what a refusal looks like."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import Any

from connectors.sandbox.clock import text
from connectors.sandbox.faults import DATA, Fault, Script
from connectors.sandbox.wires import Reply, Seen, as_json, at_the_edge, remember
from connectors.sandbox.world import NotThere, Row

from .answers import OLD, VERSIONS, Answers, request_id, title_of
from .asking import (
    Asked,
    Refused,
    Token,
    Window,
    asked_for,
    bounds,
    limited,
    listed,
    not_found,
    read_cursor,
    sorted_by,
    write_cursor,
)
from .webhooks import NotionWebhooks
from .workspace import Workspace

TOKEN = "ntn_sandbox"  # noqa: S105, the connection's token that every new sandbox knows
PERSONAL_TOKEN = "ntn_sandbox_personal"  # noqa: S105, a person's: it can't list accounts
BLIND_TOKEN = "ntn_sandbox_blind"  # noqa: S105, a connection's without the right to read accounts
MOST = 100  # rows on a page
MINUTE = timedelta(minutes=1)
LONG_WINDOW = timedelta(minutes=5)
CHANGES = frozenset({
    "add_user", "remove_user", "add_page", "edit_page", "trash", "restore", "delete", "share", "unshare",
    "rename_property", "remove_property",
})  # fmt: skip


class NotionWire:
    """Answers what lies below `/v1/`.

    `connection_limit` is per token and minute, `workspace_limit` for all tokens in five. `row_cap` is the most rows
    of one query, `fewer_every` says which answer holds fewer rows than asked (0: none), `forgets` the share of pages
    that the search does not find.
    """

    name = "notion"
    paths: tuple[str, ...] = ("/v1/",)

    def __init__(
        self, workspace: Workspace, *, connection_limit: int = 180, workspace_limit: int = 1_800,
        row_cap: int = 10_000, fewer_every: int = 7, forgets: float = 0.02,
    ) -> None:  # fmt: skip
        self.workspace = workspace
        self.hooks = NotionWebhooks(workspace)
        self.faults = Script()
        self.log: list[Seen] = []
        self.tokens = {
            TOKEN: Token(), PERSONAL_TOKEN: Token("personal"), BLIND_TOKEN: Token(reads_users=False),
        }  # fmt: skip
        self.connection_limit, self.row_cap = connection_limit, row_cap
        self.fewer_every, self.forgets = fewer_every, forgets
        self.forgotten: set[str] = set()  # data sources that the search does not find
        self._of_workspace = Window(workspace_limit, LONG_WINDOW)
        self._of_token: dict[str, Window] = {}
        self._answered = 0

    # --- switches

    def revoke(self, secret: str) -> None:
        """Make a token invalid from now on."""
        self.tokens.pop(secret, None)

    def change(self, name: str, given: Row) -> Any:
        """Do to the workspace what a person may do, by its methods' names."""
        if name not in CHANGES:
            raise NotThere(name)
        return getattr(self.workspace, name)(**given)

    def truth(self) -> Mapping[str, Any]:
        """Return what a faithful reader of every shared database must end up with."""
        return self.workspace.truth()

    def counts(self) -> Mapping[str, int]:
        """Return how many rows there are of each kind."""
        return {kind: len(rows) for kind, rows in self.workspace.truth().items()}

    # --- answering

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        asked = asked_for(method, path, body)
        fault = self.faults.next_for(asked.operation)
        self._answered += 1
        try:
            reply = self._answer(asked, headers, fault)
        except Refused as refused:
            reply = self._refusal(refused)
        except NotThere:
            reply = self._refusal(not_found(asked.key))
        if fault is not None and fault.action not in DATA:
            reply.fault = fault
        known = {"key": asked.key, **asked.params}
        at = text(self.workspace.world.clock.now())
        remember(self.log, Seen(at, asked.operation, known, reply.status, 1, fault.action if fault else ""))
        return reply

    def _answer(self, asked: Asked, headers: Mapping[str, str], fault: Fault | None) -> Reply:
        secret = headers.get("authorization", "").removeprefix("Bearer ")
        asked.token = self._token(secret)
        version = headers.get("notion-version", "")
        if not version:
            raise Refused(400, "missing_version", "Notion-Version header failed validation: it is not set.")
        if version not in VERSIONS:
            raise Refused(400, "validation_error", f"Notion-Version {version} is not known.")
        self._spend(secret)
        if fault is not None:
            planned = self._planned(fault)
            if planned is not None:
                return planned
        if asked.body_error:
            raise Refused(400, "invalid_json", asked.body_error)
        if asked.operation not in OPERATIONS:
            raise Refused(400, "invalid_request_url", "Invalid request URL.")
        asked.dressed = Answers(self.workspace, version, with_emails=asked.token.reads_emails)
        payload = OPERATIONS[asked.operation](self, asked)
        self._spoil(payload, asked, fault)
        return as_json(200, payload, {"x-notion-request-id": self._request_id()})

    def _token(self, secret: str) -> Token:
        if secret not in self.tokens:
            raise Refused(401, "unauthorized", "API token is invalid.")
        return self.tokens[secret]

    def _spend(self, secret: str) -> None:
        now = self.workspace.world.clock.now()
        own = self._of_token.setdefault(secret, Window(self.connection_limit, MINUTE))
        for window, reason in ((own, "public_api_request_rate_limit"),
                               (self._of_workspace, "public_api_space_request_rate_limit")):  # fmt: skip
            wait = window.take(now)
            if wait:
                raise limited(wait, reason)

    # --- one function for each operation

    def _me(self, asked: Asked) -> Row:
        if asked.token.kind == "personal":
            person = next(row for row in self.workspace.users.values() if row["type"] == "person")
            return asked.answers.user(person)
        return asked.answers.user(self.workspace.bot)

    def _users(self, asked: Asked) -> Row:
        if asked.token.kind == "personal" or not asked.token.reads_users:
            raise Refused(403, "restricted_resource", "Insufficient permissions for this endpoint.")
        rows = list(self.workspace.users.values())
        start, size = self._window(asked, len(rows))
        return listed([asked.answers.user(row) for row in rows[start : start + size]], start + size, len(rows), "user")

    def _search(self, asked: Asked) -> Row:
        asked.allow({"query", "sort", "filter", "start_cursor", "page_size"})
        wanted = (asked.params.get("filter") or {}).get("value")
        kind = "database" if asked.answers.version == OLD else "data_source"
        if wanted not in {None, "page", kind}:
            raise Refused(400, "validation_error", f"body.filter.value should be `page` or `{kind}`.")
        words = str(asked.params.get("query") or "").lower()
        found: list[tuple[str, Row]] = []
        if wanted != "page":
            shown = [asked.answers.source(row) for row in self.workspace.sources.values()
                     if row["is_shared"] and not row["in_trash"] and row["id"] not in self.forgotten
                     and words in row["title"].lower()]  # fmt: skip
            found += [(row["last_edited_time"], row) for row in shown]
        if wanted != kind:
            found += [(row["edited"], asked.answers.page(row)) for row in self.workspace.pages.values()
                      if self.workspace.is_visible(row) and not row["in_trash"] and self._is_found(row)
                      and words in title_of(self.workspace, row).lower()]  # fmt: skip
        found.sort(key=lambda pair: (pair[0], pair[1]["id"]), reverse=True)
        start, size = self._window(asked, len(found))
        rows = [row for _at, row in found[start : start + size]]
        return listed(rows, start + size, len(found), "page_or_data_source")

    def _is_found(self, row: Row) -> bool:
        return Random(f"{self.workspace.world.seed}:{row['id']}").random() >= self.forgets

    def _source(self, asked: Asked) -> Row:
        return asked.answers.source(self._seen_source(asked))

    def _database(self, asked: Asked) -> Row:
        row = next((row for row in self.workspace.sources.values() if row["database_id"] == asked.key), None)
        if row is None or not row["is_shared"]:
            raise not_found(asked.key)
        return asked.answers.database(row)

    def _page(self, asked: Asked) -> Row:
        return asked.answers.page(self._seen_page(asked.key))

    def _items(self, asked: Asked) -> Row:
        page = self._seen_page(asked.key)
        one = self.workspace.source(page["source"])["properties"].get(asked.property_id)
        if one is None:
            raise not_found(asked.property_id)
        if one["type"] not in {"relation", "people"}:
            return {"object": "property_item", **asked.answers.value(one, page)}
        items = asked.answers.items(one, page)
        start, size = self._window(asked, len(items))
        rows = [{"object": "property_item", "id": one["id"], "type": one["type"], one["type"]: item}
                for item in items[start : start + size]]  # fmt: skip
        return listed(rows, start + size, len(items), "property_item")

    def _query(self, asked: Asked) -> Row:
        asked.allow({"filter", "sorts", "start_cursor", "page_size", "in_trash", "archived"})
        source = self._seen_source(asked)
        by, is_descending = sorted_by(asked.params.get("sorts") or [])
        low, high = bounds(asked.params.get("filter"), by)
        order = self.workspace.order(source["id"], by)
        wanted = bool(asked.params.get("in_trash"))
        begin = self.workspace.place_in(source["id"], by, (low, "")) if low else 0
        end = self.workspace.place_in(source["id"], by, (high, "")) if high else len(order)
        served = 0
        cursor = asked.params.get("start_cursor")
        if cursor:
            served, at = read_cursor(str(cursor))
            place = self.workspace.place_in(source["id"], by, at)
            if is_descending:
                end = min(end, place + (order[place : place + 1] == [at]))
            else:
                begin = max(begin, place)
        keys = [key for _time, key in order[begin:end]]
        if is_descending:
            keys.reverse()
        size = min(self._size(asked), self.row_cap - served)
        rows: list[Row] = []
        following = None
        for key in keys:
            row = self.workspace.pages[key]
            if row["in_trash"] != wanted or not self.workspace.is_visible(row):
                continue
            if len(rows) == size:
                following = (row[by], row["id"])
                break
            rows.append(row)
        is_capped = following is not None and served + len(rows) >= self.row_cap
        made = {"object": "list", "results": [asked.answers.page(row) for row in rows], "type": "page_or_data_source",
                "page_or_data_source": {}, "has_more": following is not None and not is_capped,
                "next_cursor": None, "request_id": self._request_id()}  # fmt: skip
        if is_capped:
            made["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        elif following is not None:
            made["next_cursor"] = write_cursor(served + len(rows), following)
        return made

    def _seen_source(self, asked: Asked) -> Row:
        row = self.workspace.sources.get(asked.key)
        if asked.answers.version == OLD:
            row = next((one for one in self.workspace.sources.values() if one["database_id"] == asked.key), None)
        if row is None or not row["is_shared"]:
            raise not_found(asked.key)
        return row

    def _seen_page(self, key: str) -> Row:
        row = self.workspace.pages.get(key)
        if row is None or not self.workspace.is_visible(row):
            raise not_found(key)
        return row

    def _size(self, asked: Asked) -> int:
        size = int(asked.params.get("page_size", MOST))
        if not 0 < size <= MOST:
            raise Refused(400, "validation_error", f"body.page_size should be ≤ `{MOST}`, instead was `{size}`.")
        is_short = self.fewer_every > 0 and self._answered % self.fewer_every == 0
        return max(1, size * 2 // 3) if is_short else size

    def _window(self, asked: Asked, total: int) -> tuple[int, int]:
        """Return where a plain list's page begins, and how many rows it holds."""
        cursor = asked.params.get("start_cursor")
        start = 0
        if cursor:
            start = read_cursor(str(cursor))[0]
        return start, self._size(asked)

    # --- refusing

    def _planned(self, fault: Fault) -> Reply | None:
        """Return the refusal that a fault asks for, None if it strikes later."""
        given = fault.params
        status = int(given.get("status", 0))
        codes: Mapping[str, Refused] = {
            "unauthorized": Refused(401, "unauthorized", "API token is invalid."),
            "forbidden": Refused(403, "restricted_resource", "Insufficient permissions for this endpoint."),
            "feature": Refused(403, "restricted_resource", "Your plan does not include this endpoint."),
            "internal": Refused(status or 500, "service_overload" if status == 529 else "internal_server_error", "No."),
            "rejected": Refused(status or 400, "validation_error", "body failed validation."),
            "cursor_expired": Refused(400, "validation_error", "The start_cursor provided is invalid."),
            "limited": limited(int(given.get("retry_after", 30)), given.get("reason", "public_api_request_rate_limit")),
        }
        if fault.action in codes:
            return self._refusal(codes[fault.action])
        reply = at_the_edge(fault)
        if reply is not None and fault.action == "edge_html":
            reply.headers["cf-ray"] = "8f2a1c0d9e-CDG"
        return reply

    def _refusal(self, refused: Refused) -> Reply:
        more = dict(refused.more)
        headers = {"x-notion-request-id": self._request_id(), **more.pop("headers", {})}
        body = {"object": "error", "status": refused.status, "code": refused.code, "message": str(refused),
                **more, "request_id": self._request_id()}  # fmt: skip
        return as_json(refused.status, body, headers)

    def _request_id(self) -> str:
        return request_id(self.workspace.world.seed, self._answered)

    def _spoil(self, payload: Row, asked: Asked, fault: Fault | None) -> None:
        """Do to good data what the script asks for. Its paths begin at the answer: `results.properties.Status`."""
        after = asked.params.get("start_cursor")
        view = None
        if fault is not None and fault.action in DATA:
            payload |= deepcopy(payload)  # an answer may share values with the workspace
        if "results" in payload:
            info = {"hasNextPage": payload["has_more"], "endCursor": payload["next_cursor"]}
            view = {"list": {"nodes": payload["results"], "pageInfo": info}}
            self.faults.repeat_held(asked.operation, view)
        if fault is not None and fault.action in DATA:
            self.faults.spoil(fault, asked.operation, payload, after)
            if view is not None:
                self.faults.spoil(fault, asked.operation, view, after)
                if fault.action == "partial" and view["list"]["nodes"]:
                    view["list"]["nodes"][-1] = None
                if fault.action == "edit_during_paging":
                    self._edit_next(asked, payload)
        if view is not None and "results" in payload:
            info = view["list"]["pageInfo"]
            payload |= {"results": view["list"]["nodes"]}
            if fault is not None and fault.action in {"empty_page", "cursor_loop"} and info["endCursor"]:
                payload |= {"has_more": True, "next_cursor": info["endCursor"]}

    def _edit_next(self, asked: Asked, payload: Row) -> None:
        """Edit a page that the reader has not met yet, if there is one."""
        if asked.operation != "Query" or not payload.get("has_more"):
            return
        last = self.workspace.order(asked.key, "edited")[-1][1]
        self.workspace.edit_page(last, {})


OPERATIONS: Mapping[str, Callable[[NotionWire, Asked], Row]] = {
    "Me": NotionWire._me, "Users": NotionWire._users, "Search": NotionWire._search,
    "DataSource": NotionWire._source, "Query": NotionWire._query, "Database": NotionWire._database,
    "Page": NotionWire._page, "PropertyItem": NotionWire._items,
}  # fmt: skip
