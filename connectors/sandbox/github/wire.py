"""GitHub's manners on the wire: who may ask, how much, how lists are cut, and what a refusal looks like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.sandbox.clock import text
from connectors.sandbox.faults import DATA, Fault, Script
from connectors.sandbox.wires import Reply, Seen, as_json, at_the_edge, remember, waiting
from connectors.sandbox.world import NotThere, Row

from .forge import Forge

TOKEN = "github_pat_sandbox"  # noqa: S105, the fine-grained token that every new sandbox knows
RIGHTS = frozenset({"metadata", "pull_requests", "contents", "deployments"})
NEEDS = {"pulls": "pull_requests", "releases": "contents", "deployments": "deployments", "statuses": "deployments",
         "repository": "metadata"}  # fmt: skip
KINDS = {"pulls": "Pull", "releases": "Release", "deployments": "Deployment"}
VERSIONS = {"", "2022-11-28"}
MOST, USUAL = 100, 30  # rows on a page
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DOCS = "https://docs.github.com/rest"
SECONDARY = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
CHANGES = frozenset({
    "add_repository", "open_pull", "edit_pull", "merge", "close", "reopen", "publish", "edit_release", "deploy",
    "tell", "delete", "rename", "hide", "show",
})  # fmt: skip


class Refused(Exception):
    """The request gets an error body."""

    def __init__(self, status: int, message: str, docs: str = DOCS, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.docs, self.headers = status, docs, dict(headers or {})


@dataclass
class Asked:
    """A request, taken apart. `operation` is what faults match on."""

    steps: Sequence[str]
    query: Mapping[str, str]
    host: str
    operation: str = ""
    repository: Row = field(default_factory=dict)


class NumberedPaging:
    """GitHub's way: a bare list, and the next page's number in the Link header. Held as an object until it is sent."""

    rows = "items"

    def page_of(self, data: Row) -> Row | None:
        return data if "items" in data else None

    def cursor_of(self, page: Row) -> str | None:
        cursor: str | None = page["next"]
        return cursor

    def lead_on(self, page: Row, cursor: str | None) -> None:
        page["next"] = cursor


@dataclass
class Window:
    """So many requests in so much time, counted from the first one."""

    amount: int
    length: timedelta
    ends: datetime | None = None
    spent: int = 0

    def renew(self, now: datetime) -> datetime:
        """Begin a new window where the last one is over; return when this one is."""
        if self.ends is None or now >= self.ends:
            self.ends, self.spent = now + self.length, 0
        return self.ends

    @property
    def left(self) -> int:
        return max(0, self.amount - self.spent)


class GitHubWire:
    """Answers `/user`, `/repos/…` and `/repositories/…`.

    `requests_per_hour` is each token's; `requests_per_minute` the secondary limit, which GitHub calls points and tells
    nobody of beforehand. A conditional request that finds nothing new costs none of the hour's.
    """

    name = "github"
    paths: tuple[str, ...] = ("/repos/", "/repositories/", "/user")

    def __init__(self, forge: Forge, *, requests_per_hour: int = 5_000, requests_per_minute: int = 900) -> None:
        self.forge = forge
        self.faults = Script(NumberedPaging())
        self.log: list[Seen] = []
        self.tokens: dict[str, frozenset[str]] = {TOKEN: RIGHTS}
        self.requests_per_hour, self.requests_per_minute = requests_per_hour, requests_per_minute
        self._hours: dict[str, Window] = {}
        self._minutes: dict[str, Window] = {}

    # --- switches

    def grant(self, token: str, rights: frozenset[str]) -> None:
        """Make a token known, with these rights alone."""
        self.tokens[token] = rights

    def revoke(self, secret: str) -> None:
        self.tokens.pop(secret, None)

    def change(self, name: str, given: Row) -> Any:
        """Do to the forge what a person may do, by its methods' names."""
        if name not in CHANGES:
            raise NotThere(name)
        return getattr(self.forge, name)(**given)

    def truth(self) -> Mapping[str, Any]:
        return self.forge.truth()

    def counts(self) -> Mapping[str, int]:
        return {kind: len(rows) for kind, rows in self.forge.truth().items()}

    # --- answering

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        asked = _asked(path, headers)
        fault = self.faults.next_for(asked.operation)
        limits: dict[str, str] = {}
        try:
            reply = self._answer(method, asked, headers, fault, limits)
        except Refused as refused:
            told = {"message": str(refused), "documentation_url": refused.docs, "status": str(refused.status)}
            reply = as_json(refused.status, told, limits | refused.headers)
        if fault is not None and fault.action not in DATA:
            reply.fault = fault
        now = text(self.forge.clock.now())
        told = {"path": urlsplit(path).path, **asked.query}
        remember(self.log, Seen(now, asked.operation, told, reply.status, 1, fault.action if fault else ""))
        return reply

    def _answer(
        self, method: str, asked: Asked, headers: Mapping[str, str], fault: Fault | None, limits: dict[str, str]
    ) -> Reply:  # fmt: skip
        if not headers.get("user-agent"):
            raise Refused(403, "Request forbidden by administrative rules: a User-Agent header is needed.")
        token = headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")
        if token not in self.tokens:
            raise Refused(401, "Bad credentials")
        if headers.get("x-github-api-version", "") not in VERSIONS:
            raise Refused(400, "The API version is not supported.")
        hour = self._spend(token, limits)
        planned = self._planned(fault, limits) if fault else None
        if planned is not None:
            return planned
        if method != "GET":
            raise Refused(404, "Not Found")
        payload = self._payload(asked, self.tokens[token])
        self._spoil(payload, asked, fault)
        return self._sent(payload, asked, headers, limits, hour)

    def _sent(
        self, payload: Row, asked: Asked, headers: Mapping[str, str], limits: dict[str, str], hour: Window
    ) -> Reply:  # fmt: skip
        """Dress an answer: a bare list with its Link header, an ETag, and nothing at all where that is known."""
        following = payload["next"] if "items" in payload else None
        reply = as_json(200, payload.get("items", payload), limits)
        if following is not None:
            query = urlencode({**asked.query, "page": following})
            rest = "/".join(asked.steps[3:])
            address = f"http://{asked.host}/repositories/{asked.repository['id']}/{rest}?{query}"
            reply.headers["Link"] = f'<{address}>; rel="next", <{address}>; rel="last"'
        tag = f'W/"{blake2b(reply.body + reply.headers.get("Link", "").encode(), digest_size=16).hexdigest()}"'
        if headers.get("if-none-match") == tag:
            hour.spent -= 1
            reply = Reply(304, b"", limits | {"x-ratelimit-remaining": str(hour.left)})
        reply.headers["ETag"] = tag
        return reply

    def _payload(self, asked: Asked, rights: frozenset[str]) -> Row:
        if asked.operation == "user":
            owner = self.forge.owner
            return {"login": f"{owner}-hub", "id": 1, "type": "User", "company": owner.capitalize(),
                    "html_url": f"https://github.com/{owner}-hub"}  # fmt: skip
        if asked.operation not in NEEDS:
            raise Refused(404, "Not Found")
        asked.repository = self._repository(asked)
        if NEEDS[asked.operation] not in rights:
            raise Refused(403, "Resource not accessible by personal access token")
        home = asked.repository
        if asked.operation == "repository":
            return {"id": home["id"], "full_name": home["full_name"], "private": True}
        if asked.operation == "statuses":
            return self._statuses(asked)
        kind = KINDS[asked.operation]
        rows = self.forge.rows(kind, home["full_name"])
        by, is_descending = "created_at", True
        if kind == "Pull":
            by = "updated_at" if asked.query.get("sort") == "updated" else by
            is_descending = asked.query.get("direction", "desc" if "sort" not in asked.query else "asc") == "desc"
            state = asked.query.get("state", "open")
            rows = [row for row in rows if state in ("all", row["state"])]
        if kind == "Release":
            rows = [row for row in rows if not row["draft"]]  # drafts are for those who may write
        rows.sort(key=lambda row: (row[by], row["id"]), reverse=is_descending)
        page = self._cut(rows, asked.query)
        page["items"] = [self._shown(kind, row, home) for row in page["items"]]
        return page

    def _repository(self, asked: Asked) -> Row:
        """Return the repository that is asked of. Raises Refused: a former name leads on, another's is not there."""
        if asked.steps[0] == "repositories":
            found = next((row for row in self.forge.repositories.values() if str(row["id"]) == asked.steps[1]), None)
        else:
            name = f"{asked.steps[1]}/{asked.steps[2]}"
            if name in self.forge.moved:
                address = f"http://{asked.host}/repositories/{self.forge.moved[name]}"
                raise Refused(301, "Moved Permanently", headers={"Location": address})
            try:
                found = self.forge.repository(name)
            except NotThere:
                found = None
        if found is None or not found["is_open"]:
            raise Refused(404, "Not Found")
        return found

    def _statuses(self, asked: Asked) -> Row:
        try:
            row = self.forge.get("Deployment", int(asked.steps[4]))
        except (NotThere, ValueError):
            raise Refused(404, "Not Found") from None
        creator = self._account(row["creator"])
        page = self._cut(row["statuses"][::-1], asked.query)
        page["items"] = [{**one, "creator": creator, "description": "", "environment": row["environment"]}
                         for one in page["items"]]  # fmt: skip
        return page

    def _cut(self, rows: Sequence[Row], query: Mapping[str, str]) -> Row:
        try:
            size, number = min(MOST, int(query.get("per_page", USUAL))), int(query.get("page", 1))
        except ValueError:
            raise Refused(422, "Validation Failed") from None
        if size < 1 or number < 1:
            raise Refused(422, "Validation Failed")
        end = size * number
        return {"items": list(rows[end - size : end]), "next": str(number + 1) if end < len(rows) else None}

    def _shown(self, kind: str, row: Row, home: Row) -> Row:
        """Return a row as GitHub shows it: people and branches nested, and a good deal that the hub doesn't want."""
        shown = {name: value for name, value in row.items() if name not in {"home", "statuses"}}
        for name in ("user", "author", "creator"):
            if name in row:
                shown[name] = self._account(row[name])
        for name in ("head", "base"):
            if name in row:
                shown[name] = {"ref": row[name], "label": f"{self.forge.owner}:{row[name]}", "repo": {"id": home["id"]}}
        path = {"Pull": f"pull/{row.get('number')}", "Release": f"releases/tag/{row.get('tag_name')}"}.get(kind, "")
        if path:
            shown |= {"html_url": f"https://github.com/{home['full_name']}/{path}", "body": "What somebody wrote."}
        return shown

    def _account(self, login: str | None) -> Row | None:
        return None if login is None else {**self.forge.accounts[login], "avatar_url": "", "site_admin": False}

    # --- refusing

    def _spend(self, token: str, limits: dict[str, str]) -> Window:
        """Count a request against the minute and the hour. Raises Refused where one of them is used up."""
        now = self.forge.clock.now()
        minute = self._minutes.setdefault(token, Window(self.requests_per_minute, MINUTE))
        hour = self._hours.setdefault(token, Window(self.requests_per_hour, HOUR))
        free, reset = minute.renew(now), hour.renew(now)
        is_late, is_fast = hour.left == 0, minute.left == 0
        if not (is_late or is_fast):
            minute.spent, hour.spent = minute.spent + 1, hour.spent + 1
        limits |= {
            "x-ratelimit-limit": str(hour.amount), "x-ratelimit-remaining": str(hour.left),
            "x-ratelimit-reset": str(int(reset.timestamp())), "x-ratelimit-used": str(hour.spent),
        }  # fmt: skip
        if is_late:
            raise Refused(403, "API rate limit exceeded for user ID 1.")
        if is_fast:
            raise _too_fast({"Retry-After": str(max(1, int((free - now).total_seconds())))})
        return hour

    def _planned(self, fault: Fault, limits: dict[str, str]) -> Reply | None:
        """Return the refusal that a fault asks for, None if it strikes later. `secondary` limits name no time."""
        given = fault.params
        extra = waiting(fault)
        status = int(given.get("status", 0))
        refused = {
            "unauthorized": Refused(401, "Bad credentials"),
            "forbidden": Refused(403, "Resource not accessible by personal access token"),
            "feature": Refused(451, "Repository access blocked"),
            "internal": Refused(status or 500, "Server Error"),
            "rejected": Refused(status or 422, "Validation Failed"),
            "cursor_expired": Refused(422, "Validation Failed"),
        }
        if fault.action in refused:
            raise refused[fault.action]
        if fault.action == "limited":
            if given.get("secondary"):
                raise _too_fast(extra)
            raise Refused(
                403, "API rate limit exceeded for user ID 1.", headers={"x-ratelimit-remaining": "0", **extra}
            )
        return at_the_edge(fault, "Unicorn! · GitHub", 502)

    def _spoil(self, payload: Row, asked: Asked, fault: Fault | None) -> None:
        """Do to good data what the script asks for. Its paths begin at the answer: `items.user.login`."""
        self.faults.repeat_held(asked.operation, payload)
        if fault is None or fault.action not in DATA:
            return
        if fault.action == "partial":
            if payload.get("items"):
                payload["items"][-1] = None
        elif fault.action == "edit_during_paging":
            self._edit_next(asked, payload)
        else:
            self.faults.spoil(fault, asked.operation, payload, asked.query.get("page"))

    def _edit_next(self, asked: Asked, payload: Row) -> None:
        """Edit the pull request that the reader would meet last, if one is still to come."""
        if asked.operation == "pulls" and payload["next"]:
            rows = self.forge.rows("Pull", asked.repository["full_name"])
            last = min(rows, key=lambda row: (row["updated_at"], row["id"]))
            self.forge.edit_pull(last["id"])


def _too_fast(headers: Mapping[str, str]) -> Refused:
    return Refused(403, "You have exceeded a secondary rate limit.", SECONDARY, headers)


def _asked(path: str, headers: Mapping[str, str]) -> Asked:
    parts = urlsplit(path)
    steps = [step for step in parts.path.split("/") if step]
    query = dict(parse_qsl(parts.query))
    asked = Asked(steps, query, headers.get("host", ""))
    if steps[:1] == ["repositories"] and len(steps) > 1:
        steps.insert(2, "")  # an id instead of owner and name
    match steps:
        case ["user"]:
            asked.operation = "user"
        case ["repos" | "repositories", _, _]:
            asked.operation = "repository"
        case ["repos" | "repositories", _, _, "pulls" | "releases" | "deployments" as kind]:
            asked.operation = kind
        case ["repos" | "repositories", _, _, "deployments", _, "statuses"]:
            asked.operation = "statuses"
        case _:
            asked.operation = "unknown"
    return asked
