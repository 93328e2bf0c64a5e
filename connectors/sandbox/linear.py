"""Linear's manners on the wire: who may ask, how much, and what a refusal looks like."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from .clock import text
from .faults import DATA, Fault, Script, page_of
from .query import Answers, Asked, Refused
from .wires import Reply, Seen, as_json, at_the_edge, remember, waiting
from .world import NotThere, Row, World

KEY = "lin_api_sandbox"  # the personal key that every new sandbox knows
TOKEN = "sandbox_oauth_token"  # noqa: S105, an OAuth token likewise
MOST_POINTS = 10_000  # of one query
HOUR = timedelta(hours=1)
# What the control endpoint may do to the world, by the world's own names
CHANGES = frozenset({
    "add_user", "add_team", "add_member", "add_label", "add_cycle", "add_project", "add_project_update",
    "add_initiative", "link_project", "add_template", "create_issue", "edit", "edit_issue", "archive", "unarchive",
    "trash", "restore", "delete", "rename", "deactivate", "see", "close_cycle",
})  # fmt: skip
TYPES: Mapping[str, str] = {
    "AUTHENTICATION_ERROR": "authentication error",
    "FORBIDDEN": "forbidden",
    "FEATURE_NOT_ACCESSIBLE": "feature not accessible",
    "GRAPHQL_VALIDATION_FAILED": "graphql error",
    "GRAPHQL_PARSE_FAILED": "graphql error",
    "INPUT_ERROR": "invalid input",
    "BAD_USER_INPUT": "invalid input",
    "INTERNAL_SERVER_ERROR": "internal error",
    "RATELIMITED": "ratelimited",
}


@dataclass
class Bucket:
    """A leaky bucket: `limit` units in an hour, refilled at a constant rate by the sandbox's clock."""

    limit: float
    left: float
    at: datetime

    def refill(self, now: datetime) -> None:
        passed = (now - self.at) / HOUR
        self.left, self.at = max(min(self.limit, self.left + passed * self.limit), 0.0), now

    def resets_at(self, now: datetime) -> datetime:
        """Return when the bucket is full again."""
        return now + HOUR * ((self.limit - self.left) / self.limit)


@dataclass
class Budgets:
    """What one account may spend, over all its keys."""

    requests: Bucket
    points: Bucket


class LinearWire:
    """Answers `POST /graphql` and `POST /oauth/token`.

    `request_limit` and `point_limit` are per hour and account. `validation_status` is what an unknown field gets:
    Linear has been seen to use 400 and 500.
    """

    name = "linear"
    paths: tuple[str, ...] = ("/graphql", "/oauth/token")

    def __init__(
        self, world: World, *, request_limit: int = 2_500, point_limit: int = 3_000_000, validation_status: int = 400
    ) -> None:
        self.world = world
        self.answers = Answers(world)
        self.faults = Script()
        self.log: list[Seen] = []
        self.request_limit, self.point_limit = request_limit, point_limit
        self.validation_status = validation_status
        self.keys: dict[str, str | None] = {KEY: None}  # personal key → e-mail of its owner, None: the first admin
        self.tokens: dict[str, str | None] = {TOKEN: None}
        self.refresh_tokens: dict[str, str] = {}  # refresh token → access token
        self.app_token = ""  # of client credentials: only one lives at a time
        self._issued = 0
        self._budgets: dict[str, Budgets] = {}

    # --- switches

    def revoke(self, secret: str) -> None:
        """Make a key or token invalid from now on."""
        self.keys.pop(secret, None)
        self.tokens.pop(secret, None)

    def budgets(self, viewer_id: str) -> Budgets:
        """Return what an account has left, refilled up to now."""
        now = self.world.clock.now()
        if viewer_id not in self._budgets:
            self._budgets[viewer_id] = Budgets(
                Bucket(self.request_limit, self.request_limit, now), Bucket(self.point_limit, self.point_limit, now)
            )
        budgets = self._budgets[viewer_id]
        budgets.requests.refill(now)
        budgets.points.refill(now)
        return budgets

    def change(self, name: str, given: Row) -> Any:
        """Do to the world what a person may do."""
        if name not in CHANGES:
            raise NotThere(name)
        return getattr(self.world, name)(**given)

    def truth(self) -> Mapping[str, Any]:
        return self.world.truth()

    def counts(self) -> Mapping[str, int]:
        return {kind: len(table.rows) for kind, table in self.world.tables.items()}

    # --- answering

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a query, or the token endpoint."""
        if method != "POST" or path not in self.paths:
            return Reply(404, b"", {})
        return self.graphql(headers, body) if path == "/graphql" else self.token(body)

    def graphql(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request. `headers` are in lower case."""
        try:
            asked = json.loads(body)
            source, variables = str(asked["query"]), asked.get("variables") or {}
            operation = str(asked.get("operationName") or "")
        except (ValueError, KeyError, TypeError):
            return self._refusal("BAD_USER_INPUT", "The body is no GraphQL request.", 400)
        fault = self.faults.next_for(operation)
        reply, points = self._answer(headers, source, operation, variables, fault)
        if fault is not None and fault.action not in DATA:
            reply.fault = fault
        name = fault.action if fault else ""
        remember(self.log, Seen(text(self.world.clock.now()), operation, variables, reply.status, points, name))
        return reply

    def token(self, body: bytes) -> Reply:
        """Answer the OAuth token endpoint: a refresh replaces the pair, new client credentials kill the old token."""
        form = {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}
        self._issued += 1
        access, refresh = f"oauth_access_{self._issued}", f"oauth_refresh_{self._issued}"
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token") in self.refresh_tokens:
            old = self.refresh_tokens.pop(form["refresh_token"])
            self.tokens[access] = self.tokens.pop(old, None)
            self.refresh_tokens[refresh] = access
            return as_json(200, {"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
                               "expires_in": 86_399, "scope": "read"})  # fmt: skip
        if form.get("grant_type") == "client_credentials" and form.get("client_id"):
            self.tokens.pop(self.app_token, None)
            self.app_token = access
            self.tokens[access] = None
            return as_json(200, {"access_token": access, "token_type": "Bearer", "expires_in": 2_591_999,
                               "scope": "read"})  # fmt: skip
        return as_json(400, {"error": "invalid_grant", "error_description": "The grant is unknown or used up."})

    def _answer(
        self, headers: Mapping[str, str], source: str, operation: str, variables: Row, fault: Fault | None
    ) -> tuple[Reply, int]:
        viewer = self._viewer(headers.get("authorization", ""))
        if viewer is None:
            return self._refusal("AUTHENTICATION_ERROR", "Authentication required, not authenticated", 401), 0
        budgets = self.budgets(viewer)
        planned = self._planned(fault, budgets) if fault else None
        if planned is not None:
            return planned, 0
        points = 0
        try:
            document = self.answers.document(source, operation or None)
            points = document.cost(variables)
            if points > MOST_POINTS:
                raise Refused("INPUT_ERROR", f"Query too complex: {points} points, {MOST_POINTS} at most")
            if budgets.requests.left < 1 or budgets.points.left < points:
                return self._limited(budgets, points), points
            budgets.requests.left -= 1
            budgets.points.left -= points
            asked = Asked(variables, viewer, self._rate_limit(viewer, budgets))
            payload = {"data": document.root({}, asked)}
        except Refused as refused:
            return self._refused(refused, budgets), points
        self._spoil(payload, operation, variables, fault)
        return as_json(200, payload, self._headers(budgets, points)), points

    def _spoil(self, payload: Row, operation: str, variables: Row, fault: Fault | None) -> None:
        """Do to good data what the script asks for."""
        data = self.faults.repeat_held(operation, payload["data"])
        if fault is None or fault.action not in DATA:
            return
        self.faults.spoil(fault, operation, data, variables.get("after"))
        page = page_of(data)
        if fault.action == "partial":
            if page is not None and page["nodes"]:
                page["nodes"][-1] = None
            payload["errors"] = [_error("INTERNAL_SERVER_ERROR", "A part could not be read")]
        if fault.action == "edit_during_paging":
            self._edit_next(page)

    def _edit_next(self, page: Row | None) -> None:
        """Edit an issue that the reader has not met yet, if there is one."""
        if page is None or not page["nodes"] or not page["pageInfo"]["hasNextPage"]:
            return
        last = page["nodes"][-1]
        order = self.world.tables["Issue"].order("updatedAt")
        earlier = [key for at, key in order if (at, key) < (last["updatedAt"], last["id"])]
        if earlier:
            self.world.edit_issue(earlier[-1], title="Edited while it was being read")

    def _viewer(self, authorization: str) -> str | None:
        """Return whose credential it is: a key goes bare, a token behind Bearer, and never the other way round."""
        kind, _space, token = authorization.partition(" ")
        known = self.tokens if kind == "Bearer" and token else self.keys
        secret = token if known is self.tokens else authorization
        if secret not in known:
            return None
        email = known[secret]
        users = self.world.rows("User").values()
        for user in users:
            if user["active"] and (user["email"] == email if email else user["admin"]):
                return str(user["id"])
        return None

    # --- refusing

    def _planned(self, fault: Fault, budgets: Budgets) -> Reply | None:
        """Return the refusal that a fault asks for, None if it strikes later."""
        status = int(fault.params.get("status", 0))
        codes = {
            "unauthorized": ("AUTHENTICATION_ERROR", "The key was revoked", 401),
            "forbidden": ("FORBIDDEN", "You do not have access to this", 403),
            "feature": ("FEATURE_NOT_ACCESSIBLE", "Feature not accessible on your plan", 400),
            "internal": ("INTERNAL_SERVER_ERROR", "Internal server error", status or 200),
            "rejected": ("GRAPHQL_VALIDATION_FAILED", 'Cannot query field "gone".', status or self.validation_status),
            "cursor_expired": ("INPUT_ERROR", "The cursor is not valid any more", 400),
        }
        if fault.action in codes:
            code, message, with_status = codes[fault.action]
            return self._refusal(code, message, with_status, budgets)
        if fault.action == "limited":
            budgets.requests.left = 0.0
            reply = self._limited(budgets, 0)
            reply.headers |= waiting(fault)
            return reply
        return at_the_edge(fault)

    def _refused(self, refused: Refused, budgets: Budgets) -> Reply:
        status = self.validation_status if refused.code == "GRAPHQL_VALIDATION_FAILED" else 400
        return self._refusal(refused.code, str(refused), status, budgets)

    def _refusal(self, code: str, message: str, status: int, budgets: Budgets | None = None) -> Reply:
        return as_json(status, {"errors": [_error(code, message)]}, self._headers(budgets, 0))

    def _limited(self, budgets: Budgets, points: int) -> Reply:
        error = _error("RATELIMITED", "Rate limit exceeded")
        error["extensions"] |= {
            "statusCode": 429,
            "meta": {
                "rateLimitResult": {
                    "duration": 3_600_000,
                    "limit": self.request_limit,
                    "remaining": int(budgets.requests.left),
                    "requested": 1,
                }
            },
        }
        return as_json(400, {"errors": [error]}, self._headers(budgets, points))

    # --- what stands beside every answer

    def _headers(self, budgets: Budgets | None, points: int) -> dict[str, str]:
        if budgets is None:
            return {}
        now = self.world.clock.now()
        return {
            "X-RateLimit-Requests-Limit": str(self.request_limit),
            "X-RateLimit-Requests-Remaining": str(int(budgets.requests.left)),
            "X-RateLimit-Requests-Reset": str(_milliseconds(budgets.requests.resets_at(now))),
            "X-Complexity": str(points),
            "X-RateLimit-Complexity-Limit": str(self.point_limit),
            "X-RateLimit-Complexity-Remaining": str(int(budgets.points.left)),
            "X-RateLimit-Complexity-Reset": str(_milliseconds(budgets.points.resets_at(now))),
        }

    def _rate_limit(self, viewer: str, budgets: Budgets) -> Row:
        now = self.world.clock.now()
        limits = [
            {
                "type": name,
                "allowedAmount": bucket.limit,
                "requestedAmount": 0,
                "remainingAmount": bucket.left,
                "period": 3_600_000,
                "reset": _milliseconds(bucket.resets_at(now)),
            }
            for name, bucket in (("requests", budgets.requests), ("complexity", budgets.points))
        ]
        return {"identifier": viewer, "kind": "apiKey", "limits": limits}


def _milliseconds(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)


def _error(code: str, message: str) -> Row:
    extensions = {"type": TYPES[code], "code": code, "userError": code != "INTERNAL_SERVER_ERROR"}
    return {"message": message, "extensions": extensions}
