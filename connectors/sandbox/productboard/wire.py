"""Productboard's manners on the wire: who may ask, how much, and what a refusal looks like."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

from connectors.sandbox.faults import DATA, Fault, Script
from connectors.sandbox.wires import Reply, Seen, as_json, at_the_edge, remember, waiting
from connectors.sandbox.world import NotThere, Row

from .board import ENTITIES, NOTES, Board, text
from .shows import Asked, LinkPaging, Shows, asked_of, cursor, cut, place_of, types_of
from .webhooks import ProductboardWebhooks

TOKEN = "pb_sandbox_token"  # noqa: S105, the API token that every new sandbox knows
SCOPES = frozenset({"entities:read", "notes:read", "analytics:read", "members:pii:read", "users:pii:read"})
TITLES: Mapping[str, tuple[int, str]] = {
    "auth.invalid": (401, "Authentication failed"),
    "auth.accessDenied": (403, "Access denied"),
    "resource.notFound": (404, "Not found"),
    "route.notFound": (404, "No such route"),
    "request.invalid": (400, "Invalid request"),
    "request.malformed": (400, "Malformed request"),
    "rate.limitExceeded": (429, "Rate limit exceeded"),
    "internal.serverError": (500, "Internal server error"),
}
FILTERS = frozenset({"type", "id", "createdAt", "updatedAt", "fields", "relationships", "metadata"})
CHANGES = frozenset({
    "add", "add_note", "add_team", "add_member", "be_active", "add_field", "edit", "tie", "untie", "join_team",
    "leave_team", "delete", "rename_field", "remove_field",
})  # fmt: skip


class Refused(Exception):
    """The request gets an error body. `source` points at what is wrong with it."""

    def __init__(self, code: str, detail: str, source: Row | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.source = code, detail, source


class ProductboardWire:
    """Answers `/v2/…` and `POST /oauth2/token`.

    Switches for what the published contract leaves open or says twice: `ends_with_null` (or the key is absent),
    `as_array` (ties as a bare list), `search_types` ("first" ignores a second type), `plan_status` (403 or 404 for
    what is in `not_in_plan`, a set of operations).
    """

    name = "productboard"
    paths: tuple[str, ...] = ("/v2/", "/oauth2/token")

    def __init__(
        self, board: Board, *, requests_per_second: int = 50, ends_with_null: bool = True, as_array: bool = False,
        search_types: str = "first", plan_status: int = 403, not_in_plan: Iterable[str] = (), ties_a_page: int = 100,
    ) -> None:  # fmt: skip
        self.board = board
        self.hooks = ProductboardWebhooks(board)
        self.paging = LinkPaging()
        self.faults = Script(self.paging)
        self.log: list[Seen] = []
        self.tokens: dict[str, frozenset[str]] = {TOKEN: SCOPES}
        self.refresh_tokens: dict[str, str] = {}  # refresh token → access token
        self.requests_per_second = requests_per_second
        self.ends_with_null, self.as_array, self.search_types = ends_with_null, as_array, search_types
        self.plan_status, self.not_in_plan, self.ties_a_page = plan_status, set(not_in_plan), ties_a_page
        self._spent: dict[str, tuple[int, int]] = {}  # token → second, requests in it
        self._requests = self._issued = 0

    # --- switches

    def grant(self, token: str, scopes: Iterable[str], *, refresh: str = "") -> None:
        """Make a token known, with these scopes alone."""
        self.tokens[token] = frozenset(scopes)
        if refresh:
            self.refresh_tokens[refresh] = token

    def revoke(self, secret: str) -> None:
        self.tokens.pop(secret, None)

    def change(self, name: str, given: Row) -> Any:
        """Do to the board what a person may do."""
        if name not in CHANGES:
            raise NotThere(name)
        if name == "be_active":
            given = {**given, "day": date.fromisoformat(given["day"])}
        return getattr(self.board, name)(**given)

    def truth(self) -> Mapping[str, Any]:
        return self.board.truth()

    def counts(self) -> Mapping[str, int]:
        return self.board.counts()

    # --- answering

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        if path.startswith("/oauth2/token"):
            return self._token(body)
        asked = asked_of(method, path, headers, body)
        self._requests += 1
        self.paging.address = asked.api + path
        fault = self.faults.next_for(asked.operation)
        reply = self._answer(asked, fault)
        if fault is not None and fault.action not in DATA:
            reply.fault = fault
        told = {name: values[-1] for name, values in asked.query.items()}
        now = text(self.board.clock.now())
        remember(self.log, Seen(now, asked.operation, told, reply.status, 1, fault.action if fault else ""))
        return reply

    def _answer(self, asked: Asked, fault: Fault | None) -> Reply:
        scopes = self.tokens.get(asked.token)
        if scopes is None:
            return self._refusal(Refused("auth.invalid", "The token is not known."))
        limits = self._spend(asked.token)
        if limits is None:
            return self._limited(1)
        planned = self._planned(fault, limits) if fault else None
        if planned is not None:
            return planned
        try:
            self._allow(asked.operation, scopes)
            shows = Shows(
                self.board, scopes, asked.api, all_fields=asked.wants_all, as_array=self.as_array,
                ties_a_page=self.ties_a_page,
            )  # fmt: skip
            payload = self._payload(asked, shows)
        except Refused as refused:
            return self._refusal(refused, limits)
        self._spoil(payload, asked, fault)
        return as_json(200, payload, limits)

    def _allow(self, operation: str, scopes: frozenset[str]) -> None:
        """Raise Refused for what the plan or the token's scopes leave out."""
        if operation in self.not_in_plan:
            code = "auth.accessDenied" if self.plan_status == 403 else "route.notFound"
            raise Refused(code, "This is not part of your plan.")
        needed = "notes:read" if "notes" in operation else "entities:read"
        if operation == "member-activities":
            needed = "analytics:read"
        if "members" not in operation and "teams" not in operation and needed not in scopes:
            raise Refused("auth.accessDenied", f"The token lacks {needed}.")

    def _payload(self, asked: Asked, shows: Shows) -> Row:
        board, query = self.board, asked.query
        match asked.method, asked.steps:
            case "GET", ["entities"]:
                rows = self._every(query.get("type[]") or ENTITIES)
                answer = self._listed(rows, _created, asked.after, shows.entity)
            case "POST", ["entities", "search"]:
                answer = self._search(asked, shows)
            case "GET", ["entities" | "notes" as of, "configurations"]:
                kinds = ENTITIES if of == "entities" else NOTES
                answer = {"data": [board.configurations[kind] for kind in kinds]}
            case "GET", ["notes"]:
                rows = _in_window(reversed(self._every(["note"])), query)
                answer = self._listed(rows, _created, asked.after, shows.note, newest_first=True)
            case "GET", ["members"]:
                answer = self._listed(self._every(["member"]), _created, asked.after, shows.member)
            case "GET", ["teams"]:
                rows = list(reversed(self._every(["team"])))
                answer = self._listed(rows, _created, asked.after, shows.team, newest_first=True)
            case "GET", ["teams", key, "members"]:
                rows = [row for row in self._every(["member"]) if key in row["_teams"]]
                answer = self._listed(rows, _created, asked.after, lambda row: _without_role(shows.member(row)))
            case "GET", ["analytics", "member-activities"]:
                answer = self._listed(self._days(query), _of_day, asked.after, dict)
            case "GET", ["entities" | "notes" as of, key, "relationships"]:
                answer = shows.ties(self._one(of, key), asked.after)
            case "GET", ["entities" | "notes" as of, key]:
                row = self._one(of, key)
                answer = {"data": shows.note(row) if of == "notes" else shows.entity(row)}
            case _:
                raise Refused("route.notFound", f"{asked.method} /v2/{'/'.join(asked.steps)} is not known.")
        return answer

    def _search(self, given: Asked, shows: Shows) -> Row:
        """Search entities: only AND; a second type is ignored, or not, by switch."""
        try:
            wanted = json.loads(given.body)["data"].get("filter") or {}
            types = types_of(wanted)
            window = wanted.get("updatedAt") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("request.malformed", "The body is no search.", {"pointer": "/data"}) from None
        unknown = sorted(set(wanted) - FILTERS) + sorted(set(types) - set(ENTITIES))
        if unknown:
            raise Refused("request.invalid", f"Unknown: {unknown[0]}", {"pointer": f"/data/filter/{unknown[0]}"})
        if self.search_types == "first":
            types = types[:1]
        start, end = (_moment(window.get(name)) for name in ("from", "to"))
        rows: list[Row] = []
        for kind in types or ENTITIES:
            table = self.board.tables[kind]
            order = table.order("updatedAt")
            first = bisect_left(order, (start, "")) if start else 0
            last = bisect_right(order, (end, "~")) if end else len(order)
            rows += [table.rows[key] for _at, key in order[first:last]]
        if wanted.get("id"):
            rows = [row for row in rows if row["id"] in wanted["id"]]
        rows.sort(key=_updated)
        return self._listed(rows, _updated, given.after, shows.entity)

    def _listed(
        self, rows: Sequence[Row], key: Callable[[Row], Any], after: str | None, show: Callable[[Row], Row], *,
        newest_first: bool = False,
    ) -> Row:  # fmt: skip
        try:
            place = place_of(after) if after is not None else None
            page, following = cut(rows, key, place, newest_first=newest_first)
        except (ValueError, TypeError):
            raise Refused("request.invalid", "The cursor is not valid.", {"parameter": "pageCursor"}) from None
        links: Row = {}
        if following is not None:
            links["next"] = self.paging.link(cursor(following))
        elif self.ends_with_null:
            links["next"] = None
        return {"data": [show(row) for row in page], "links": links}

    def _every(self, kinds: Iterable[str]) -> list[Row]:
        """Return rows of these kinds, first made first."""
        for kind in kinds:
            if kind not in self.board.tables:
                raise Refused("request.invalid", f"No such type: {kind}", {"parameter": "type[]"})
        tables = [self.board.tables[kind] for kind in kinds]
        if len(tables) == 1:
            return [tables[0].rows[key] for _at, key in tables[0].order("createdAt")]
        return sorted((row for table in tables for row in table.rows.values()), key=_created)

    def _days(self, query: Mapping[str, list[str]]) -> list[Row]:
        start, end = (query.get(name, [""])[0] for name in ("dateFrom", "dateTo"))
        days = self.board.days
        return [days[key] for key in sorted(days) if start <= days[key]["date"] <= (end or "9999")]

    def _one(self, of: str, key: str) -> Row:
        try:
            _kind, row = self.board.get(key)
        except NotThere:
            row = {}
        if not row or (row["type"] in NOTES) != (of == "notes"):
            raise Refused("resource.notFound", f"{key} is not there.")
        return row

    # --- faults and refusals

    def _spoil(self, payload: Row, asked: Asked, fault: Fault | None) -> None:
        """Do to good data what the script asks for: to a copy, for an answer shares its values with the board."""
        data = self.faults.repeat_held(asked.operation, payload)
        if fault is None or fault.action not in DATA:
            return
        payload |= deepcopy(payload)
        if fault.action == "edit_during_paging":
            self._edit_next(data)
        elif fault.action == "partial":
            if self.paging.page_of(data) and data["data"]:
                data["data"][-1] = None
            payload["errors"] = [_error("internal.serverError", "A part could not be read.")]
        else:
            self.faults.spoil(fault, asked.operation, data, asked.after)

    def _edit_next(self, page: Row) -> None:
        """Edit a thing that the reader has not met yet, if there is one."""
        goes_on = self.paging.page_of(page) is not None and page["data"] and page["links"].get("next")
        if not goes_on or page["data"][-1].get("type") not in (*ENTITIES, *NOTES):
            return
        kind, last = self.board.get(page["data"][-1]["id"])
        later = [row for row in self._every([kind]) if _created(row) > _created(last)]
        if later:
            self.board.edit(later[0]["id"], name="Edited while it was being read")

    def _planned(self, fault: Fault, limits: Mapping[str, str]) -> Reply | None:
        """Return the refusal that a fault asks for, None if it strikes later."""
        status = int(fault.params.get("status", 0))
        codes = {
            "unauthorized": "auth.invalid",
            "forbidden": "auth.accessDenied",
            "feature": "auth.accessDenied" if status == 403 else "route.notFound",
            "internal": "internal.serverError",
            "rejected": "request.invalid",
            "cursor_expired": "request.invalid",
        }
        if fault.action in codes:
            return self._refusal(Refused(codes[fault.action], "As the script says."), limits, status)
        if fault.action == "limited":
            reply = self._limited(1)
            reply.headers |= waiting(fault)
            return reply
        return at_the_edge(fault)

    def _refusal(self, refused: Refused, limits: Mapping[str, str] | None = None, status: int = 0) -> Reply:
        error = _error(refused.code, refused.detail) | ({"source": refused.source} if refused.source else {})
        body = {"id": f"req-{self._requests:010d}", "errors": [error]}
        return as_json(status or TITLES[refused.code][0], body, limits)

    def _limited(self, seconds: int) -> Reply:
        reply = self._refusal(Refused("rate.limitExceeded", "Too many requests; wait and try again."))
        reply.headers |= {
            "X-RateLimit-Limit": str(self.requests_per_second), "X-RateLimit-Remaining": "0",
            "Retry-After": str(seconds),
        }  # fmt: skip
        return reply

    def _spend(self, token: str) -> dict[str, str] | None:
        """Count a request against this second of the clock; return the headers, None when it is one too many."""
        second = int(self.board.clock.now().timestamp())
        at, spent = self._spent.get(token, (second, 0))
        spent = spent + 1 if at == second else 1
        self._spent[token] = second, spent
        if spent > self.requests_per_second:
            return None
        left = self.requests_per_second - spent
        return {"X-RateLimit-Limit": str(self.requests_per_second), "X-RateLimit-Remaining": str(left)}

    def _token(self, body: bytes) -> Reply:
        """Answer the OAuth token endpoint: a refresh replaces the pair."""
        form = {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}
        old = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
        if form.get("grant_type") != "refresh_token" or old is None:
            return as_json(400, {"error": "invalid_grant", "error_description": "The grant is unknown or used up."})
        self._issued += 1
        access, refresh = f"pb_access_{self._issued}", f"pb_refresh_{self._issued}"
        self.tokens[access] = self.tokens.pop(old, frozenset())
        self.refresh_tokens[refresh] = access
        scope = " ".join(sorted(self.tokens[access]))
        return as_json(200, {"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
                             "expires_in": 86_400, "scope": scope})  # fmt: skip


def _error(code: str, detail: str) -> Row:
    return {"code": code, "title": TITLES[code][1], "detail": detail}


def _created(row: Row) -> tuple[str, str]:
    return row["createdAt"], row["id"]


def _updated(row: Row) -> tuple[str, str]:
    return row["updatedAt"], row["id"]


def _of_day(row: Row) -> tuple[str, str]:
    return row["date"], row["memberId"]


def _moment(value: Any) -> str:
    """Read a bound of a filter into the text that rows have. Raises Refused."""
    try:
        return text(datetime.fromisoformat(value)) if value else ""
    except (ValueError, TypeError):
        raise Refused("request.invalid", f"No moment: {value}", {"pointer": "/data/filter/updatedAt"}) from None


def _in_window(rows: Iterable[Row], query: Mapping[str, list[str]]) -> list[Row]:
    """Return the notes in the window that was asked for; both ends are in it."""
    start, end = (_moment(query.get(name, [""])[0]) for name in ("updatedFrom", "updatedTo"))
    return [row for row in rows if (not start or row["updatedAt"] >= start) and (not end or row["updatedAt"] <= end)]


def _without_role(member: Row) -> Row:
    """A member inside a team has no role."""
    return {**member, "fields": {name: value for name, value in member["fields"].items() if name != "role"}}
