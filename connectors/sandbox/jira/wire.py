"""Jira's manners on the wire: who may ask, how much, how lists are cut, and what a refusal looks like."""

import json
import re
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.clock import moment, text
from connectors.sandbox.faults import DATA, Fault, Script
from connectors.sandbox.wires import Reply, Seen, as_json, at_the_edge, remember, waiting
from connectors.sandbox.world import NotThere, Row, World

from .shows import FIELDS, TYPES, Shows, jira_id, number

SECRET = "hub@ardoise.example:jira_sandbox_token"  # noqa: S105, e-mail and token that every new sandbox knows
MOST = {"users": 1_000, "projects": 50, "labels": 1_000, "boards": 50, "sprints": 50, "search": 100, "changelog": 100}
WINDOW = re.compile(
    r'updated >= (?P<start>\d+|"[^"]+")(?: AND updated < (?P<end>\d+|"[^"]+"))? ORDER BY created ASC', re.IGNORECASE
)
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline"
    " is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
CHANGES = frozenset({"create_issue", "edit_issue", "edit", "delete", "rename", "deactivate", "close_cycle"})
STATUSES = {"unauthorized": 401, "forbidden": 403, "feature": 404, "rejected": 400, "cursor_expired": 400}


class Refused(Exception):
    """The request gets an error body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Asked:
    """A request, taken apart. `operation` is what faults match on."""

    operation: str
    key: str
    query: Mapping[str, str]
    body: Row

    def number(self, name: str, usual: int) -> int:
        try:
            return max(0, int(self.query.get(name, usual)))
        except ValueError:
            raise Refused(400, f"The value of {name} must be a number.") from None


class TokenPaging:
    """Jira's way in a search: `issues`, and `nextPageToken` unless it is the last page."""

    rows = "issues"

    def page_of(self, data: Row) -> Row | None:
        return data if "issues" in data else None

    def cursor_of(self, page: Row) -> str | None:
        cursor: str | None = page.get("nextPageToken")
        return cursor

    def lead_on(self, page: Row, cursor: str | None) -> None:
        page["nextPageToken"], page["isLast"] = cursor, False


class JiraWire:
    """Answers `/rest/api/3/…` and `/rest/agile/1.0/…`.

    `zone` is the time zone of the token's owner: moments are written in it, and dates in a search are read in it.
    `hidden` are e-mails that their owners keep to themselves, `index_lag` how long a search does not find an edit.
    A revoked secret gets 401, or, with `strangers_may_read`, an empty answer that only a header gives away.
    """

    name = "jira"
    paths: tuple[str, ...] = ("/rest/api/3/", "/rest/agile/1.0/")

    def __init__(
        self, world: World, *, zone: str = "Europe/Paris", hidden: Iterable[str] = (),
        index_lag: timedelta = timedelta(), requests_per_second: int = 100, strangers_may_read: bool = False,
    ) -> None:  # fmt: skip
        self.world = world
        self.zone, self.hidden, self.index_lag = zone, set(hidden), index_lag
        self.requests_per_second, self.strangers_may_read = requests_per_second, strangers_may_read
        self.faults = Script(TokenPaging())
        self.log: list[Seen] = []
        self.secrets = {SECRET}
        self._spent: tuple[int, int] = (0, 0)  # second, requests in it

    def revoke(self, secret: str) -> None:
        self.secrets.discard(secret)

    def change(self, name: str, given: Row) -> Any:
        """Do to the world what a person may do: it is Linear's, too."""
        if name not in CHANGES:
            raise NotThere(name)
        return getattr(self.world, name)(**given)

    def truth(self) -> Mapping[str, Any]:
        return self.world.truth()

    def counts(self) -> Mapping[str, int]:
        return {kind: len(table.rows) for kind, table in self.world.tables.items()}

    # --- answering

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        asked = _asked(method, path, body)
        fault = self.faults.next_for(asked.operation)
        limits: dict[str, str] = {}
        try:
            reply = self._answer(asked, headers, fault, limits)
        except Refused as refused:
            words = {"errorMessages": [str(refused)], "errors": {}}
            reply = as_json(refused.status, words, limits)
        if fault is not None and fault.action not in DATA:
            reply.fault = fault
        told = asked.body or asked.query
        now, name = text(self.world.clock.now()), fault.action if fault else ""
        remember(self.log, Seen(now, asked.operation, told, reply.status, 1, name))
        return reply

    def _answer(self, asked: Asked, headers: Mapping[str, str], fault: Fault | None, limits: dict[str, str]) -> Reply:
        is_known = self._secret(headers) in self.secrets
        if not is_known:
            limits["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
            if not self.strangers_may_read or asked.operation == "myself":
                raise Refused(401, "Client must be authenticated to access this resource.")
        limits |= self._spend()
        if limits.get("X-RateLimit-Remaining") == "-1":
            return self._limited(limits, 1)
        planned = self._planned(fault, limits) if fault else None
        if planned is not None:
            return planned
        site = f"http://{headers.get('host', '')}"
        payload = self._payload(asked, Shows(self.world, site, self.zone, self.hidden))
        if not is_known:
            payload = {name: [] if isinstance(value, list) else value for name, value in payload.items()}
        self._spoil(payload, asked, fault)
        return as_json(200, payload.get("items", payload), limits)

    def _payload(self, asked: Asked, shows: Shows) -> Row:
        rows = {kind: list(self.world.rows(kind).values()) for kind in ("User", "Team", "WorkflowState", "IssueLabel")}
        teams = [row for row in rows["Team"] if not row.get("archivedAt")]
        answers: Mapping[str, Callable[[], Row]] = {
            "myself": lambda: shows.user(next(row for row in rows["User"] if row["admin"])) | {"timeZone": self.zone},
            "field": lambda: {"items": deepcopy(FIELDS)},
            "issuetype": lambda: {"items": deepcopy(TYPES)},
            "status": lambda: {"items": [shows.status(row) for row in rows["WorkflowState"]]},
            "users": lambda: {"items": self._numbered(asked, rows["User"], shows.user)["values"]},
            "projects": lambda: self._numbered(asked, teams, shows.project),
            "labels": lambda: self._numbered(
                asked, sorted({shows.label(row["id"]) for row in rows["IssueLabel"]}), str
            ),
            "boards": lambda: self._numbered(asked, [row for row in teams if row["cyclesEnabled"]], _board),
            "sprints": lambda: self._sprints(asked, shows),
            "changelog": lambda: self._numbered(asked, shows.changes(self._issue(asked.key)), dict),
            "search": lambda: self._search(asked, shows),
        }
        if asked.operation not in answers:
            is_removed = asked.operation == "removed"
            raise Refused(410, REMOVED) if is_removed else Refused(404, "The requested resource is not there.")
        return answers[asked.operation]()

    def _sprints(self, asked: Asked, shows: Shows) -> Row:
        team = self._team(asked.key)
        found = [row for row in self.world.rows("Cycle").values() if row["teamId"] == team["id"]]
        return self._numbered(asked, found, lambda row: shows.sprint(row, int(asked.key)))

    def _numbered(self, asked: Asked, rows: Sequence[Any], show: Callable[[Any], Any]) -> Row:
        at = asked.number("startAt", 0)
        size = min(asked.number("maxResults", 50), MOST[asked.operation])
        page = [show(row) for row in rows[at : at + size]]
        return {"startAt": at, "maxResults": size, "total": len(rows), "isLast": at + size >= len(rows), "values": page}

    def _search(self, asked: Asked, shows: Shows) -> Row:
        """Find issues by when they were edited: the one search that the stand-in knows."""
        found = WINDOW.fullmatch(str(asked.body.get("jql", "")).strip())
        if found is None:
            raise Refused(400, "Unbounded JQL queries are not allowed here. Please add a search restriction.")
        start, end = self._bound(found["start"]), self._bound(found["end"])
        visible = text(self.world.clock.now() - self.index_lag)
        table = self.world.tables["Issue"]
        order = table.order("updatedAt")
        last = bisect_left(order, (end, "")) if end else len(order)
        rows = [table.rows[key] for _at, key in order[bisect_left(order, (start, "")) : last]]
        rows = [row for row in rows if not row.get("archivedAt") and row["updatedAt"] <= visible]
        rows.sort(key=_created)
        if (token := asked.body.get("nextPageToken")) is not None:
            place = self._place(str(token))
            rows = [row for row in rows if _created(row) > place]
        size = min(int(asked.body.get("maxResults", 50)), MOST["search"])
        fields, changes = asked.body.get("fields", ()), "changelog" in str(asked.body.get("expand", ""))
        page: Row = {"issues": [shows.issue(row, fields, with_changes=changes) for row in rows[:size]], "isLast": True}
        if len(rows) > size:
            at, key = _created(rows[size - 1])
            page |= {"isLast": False, "nextPageToken": b64encode(f"{at}|{key}".encode()).decode()}
        return page

    def _bound(self, value: str | None) -> str:
        """Read a bound as Jira does: milliseconds, or a date in the reader's own zone; cut to the minute."""
        if value is None:
            return ""
        try:
            if value.isdigit():
                at = datetime.fromtimestamp(int(value) / 1000, UTC)
            else:
                written = value.strip('"').replace("/", "-")
                at = datetime.fromisoformat(written).replace(tzinfo=Shows(self.world, "", self.zone).zone)
        except (ValueError, OverflowError):
            raise Refused(400, f"Date value {value} for field 'updated' is invalid.") from None
        return text(at.astimezone(UTC).replace(second=0, microsecond=0))

    def _place(self, token: str) -> tuple[str, int]:
        try:
            at, _bar, key = b64decode(token, validate=True).decode().partition("|")
            return text(moment(at)), int(key)
        except ValueError:
            raise Refused(400, "The nextPageToken is invalid or has expired.") from None

    def _issue(self, key: str) -> Row:
        for row in self.world.rows("Issue").values():
            if jira_id(row["id"]) == key:
                return row
        raise Refused(404, "Issue does not exist or you do not have permission to see it.")

    def _team(self, board: str) -> Row:
        for row in self.world.rows("Team").values():
            if str(number(row["id"])) == board:
                return row
        raise Refused(404, "The requested board cannot be viewed because it either does not exist.")

    # --- faults and refusals

    def _secret(self, headers: Mapping[str, str]) -> str:
        kind, _space, given = headers.get("authorization", "").partition(" ")
        try:
            return b64decode(given, validate=True).decode() if kind == "Basic" else ""
        except ValueError:
            return ""

    def _spend(self) -> dict[str, str]:
        """Count a request against this second; remaining is -1 when it is one too many."""
        second = int(self.world.clock.now().timestamp())
        at, spent = self._spent
        spent = spent + 1 if at == second else 1
        self._spent = second, spent
        left = max(-1, self.requests_per_second - spent)
        return {"X-RateLimit-Limit": str(self.requests_per_second), "X-RateLimit-Remaining": str(left)}

    def _limited(self, limits: Mapping[str, str], seconds: int) -> Reply:
        headers = {**limits, "X-RateLimit-Remaining": "0", "Retry-After": str(seconds),
                   "RateLimit-Reason": "jira-burst-based"}  # fmt: skip
        return as_json(429, {"errorMessages": ["Rate limit exceeded."], "errors": {}}, headers)

    def _planned(self, fault: Fault, limits: Mapping[str, str]) -> Reply | None:
        """Return the refusal that a fault asks for, None if it strikes later."""
        status = int(fault.params.get("status", 0))
        if fault.action in STATUSES:
            raise Refused(status or STATUSES[fault.action], "As the script says.")
        if fault.action == "internal":
            raise Refused(status or 500, "Internal server error")
        if fault.action == "limited":
            reply = self._limited(limits, 1)
            reply.headers |= waiting(fault)
            return reply
        return at_the_edge(fault, "Your site is waking up", 503)

    def _spoil(self, payload: Row, asked: Asked, fault: Fault | None) -> None:
        """Do to good data what the script asks for. Paths begin at the answer: `issues.fields.summary`."""
        self.faults.repeat_held(asked.operation, payload)
        if fault is None or fault.action not in DATA:
            return
        if fault.action == "partial":
            for name in ("issues", "values", "items"):
                if payload.get(name):
                    payload[name] = [*payload[name][:-1], None]
        elif fault.action == "edit_during_paging":
            rows = self.world.rows("Issue")
            if payload.get("nextPageToken"):
                last = max(rows.values(), key=_created)
                self.world.edit_issue(last["id"], title="Edited while it was being read")
        else:
            self.faults.spoil(fault, asked.operation, payload, asked.body.get("nextPageToken"))


def _created(row: Row) -> tuple[str, int]:
    return row["createdAt"], number(row["id"])


def _board(team: Row) -> Row:
    location = {"projectId": int(jira_id(team["id"])), "projectKey": team["key"]}
    return {"id": number(team["id"]), "name": f"{team['name']} board", "type": "scrum", "location": location}


def _asked(method: str, path: str, body: bytes) -> Asked:
    parts = urlsplit(path)
    steps = [step for step in parts.path.split("/") if step][3:]
    key = steps[1] if len(steps) > 2 else ""
    operation = "unknown"
    match method, *steps:
        case "GET", ("myself" | "field" | "issuetype" | "status"):
            operation = steps[0]
        case "GET", "users", "search":
            operation = "users"
        case "GET", "project", "search":
            operation = "projects"
        case "GET", "label":
            operation = "labels"
        case "GET", "board":
            operation = "boards"
        case "GET", "board", key, "sprint":
            operation = "sprints"
        case "GET", "issue", key, "changelog":
            operation = "changelog"
        case "POST", "search", "jql":
            operation = "search"
        case _, "search":
            operation = "removed"
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        told = {}
    return Asked(operation, key, dict(parse_qsl(parts.query)), told if isinstance(told, dict) else {})
