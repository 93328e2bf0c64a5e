"""One request to Notion, taken apart: which operation, what it asks for, whose token, and how much is left for it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.sandbox.clock import moment
from connectors.sandbox.world import Row

from .answers import Answers
from .workspace import minute

TIMES = {"created_time": "created", "last_edited_time": "edited"}


class Refused(Exception):
    """An answer that is no."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


@dataclass(frozen=True)
class Token:
    """What a secret may do."""

    kind: str = "internal"  # internal or personal
    reads_users: bool = True
    reads_emails: bool = True


@dataclass
class Window:
    """A budget: so many requests in a window that begins with the first of them."""

    limit: int
    length: timedelta
    begins: datetime | None = None
    used: int = 0

    def take(self, now: datetime) -> int:
        """Take one request, and return 0, or how many whole seconds are left until the next window."""
        if self.begins is None or now >= self.begins + self.length:
            self.begins, self.used = now, 0
        if self.used >= self.limit:
            return max(1, int((self.begins + self.length - now).total_seconds()))
        self.used += 1
        return 0


@dataclass
class Asked:
    """One request, taken apart. `operation` is what faults match on."""

    operation: str
    key: str = ""
    property_id: str = ""
    params: Row = field(default_factory=dict)  # of the query or of the body
    body_error: str = ""
    token: Token = field(default_factory=Token)
    dressed: Answers | None = None

    @property
    def answers(self) -> Answers:
        assert self.dressed is not None
        return self.dressed

    def allow(self, names: set[str]) -> None:
        """Refuse a body that holds anything else."""
        for name in self.params:
            if name not in names:
                raise Refused(400, "validation_error", f"body.{name} should be not present.")


def asked_for(method: str, path: str, body: bytes) -> Asked:
    """Take a request apart. An address that Notion does not have is the operation `Unknown`."""
    parts = urlsplit(path)
    steps = parts.path.removeprefix("/v1/").split("/")
    params: Row = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    error = ""
    if method == "POST":
        try:
            found = json.loads(body or b"{}")
        except ValueError:
            found = None
        error = "" if isinstance(found, dict) else "Error parsing JSON body."
        params = found if isinstance(found, dict) else {}
    match method, steps:
        case "GET", ["users"]:
            asked = Asked("Users")
        case "GET", ["users", "me"]:
            asked = Asked("Me")
        case "POST", ["search"]:
            asked = Asked("Search")
        case "GET", ["data_sources", key]:
            asked = Asked("DataSource", key)
        case "POST", ["data_sources" | "databases", key, "query"]:
            asked = Asked("Query", key)
        case "GET", ["databases", key]:
            asked = Asked("Database", key)
        case "GET", ["pages", key]:
            asked = Asked("Page", key)
        case "GET", ["pages", key, "properties", property_id]:
            asked = Asked("PropertyItem", key, property_id)
        case _:
            asked = Asked("Unknown")
    asked.params, asked.body_error = params, error
    return asked


def limited(seconds: int, reason: str) -> Refused:
    """Return the refusal of a budget that is used up. Its headers never tell what is left."""
    return Refused(
        429, "rate_limited", "You have been rate limited. Please try again in a few minutes.",
        additional_data={"rate_limit_reason": reason}, headers={"Retry-After": str(seconds)},
    )  # fmt: skip


def not_found(key: str) -> Refused:
    words = f"Could not find object with ID: {key}. Make sure it is shared with your connection."
    return Refused(404, "object_not_found", words)


def sorted_by(sorts: list[Row]) -> tuple[str, bool]:
    """Return which time a query is ordered by, and whether latest first. Latest created first, if nothing is said."""
    if not sorts:
        return "created", True
    one = sorts[0]
    if len(sorts) > 1 or one.get("timestamp") not in TIMES:
        raise Refused(400, "validation_error", "The sandbox sorts by one timestamp.")
    return TIMES[one["timestamp"]], one.get("direction") == "descending"


def bounds(asked: Any, by: str) -> tuple[str, str]:
    """Return the minutes between which a filter lets rows through: from the first on, before the second.

    A row's time is its minute. So a lower bound inside a minute leaves that minute out, an upper one takes it in.
    """
    low, high = "", ""
    for one in [] if asked is None else asked.get("and", [asked]):
        kind = one.get("timestamp")
        if TIMES.get(kind) != by or not isinstance(one.get(kind), dict):
            raise Refused(400, "validation_error", "The sandbox filters by the timestamp that it sorts by.")
        for name, value in one[kind].items():
            at = moment(str(value))
            cut = minute(at)
            after = minute(at + timedelta(minutes=1))
            is_whole = at.second == at.microsecond == 0
            if name == "on_or_after":
                low = max(low, cut if is_whole else after)
            elif name == "before":
                high = min(high or "9", cut if is_whole else after)
            else:
                raise Refused(400, "validation_error", f"The sandbox does not know {name}.")
    return low, high


def write_cursor(served: int, at: tuple[str, str] = ("", "")) -> str:
    """Return a cursor that marks a place in the order; it stays good when its row is edited or gone."""
    return urlsafe_b64encode(json.dumps([served, *at]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, tuple[str, str]]:
    try:
        served, time, key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise Refused(400, "validation_error", "The start_cursor provided is invalid.") from error
    return int(served), (str(time), str(key))


def listed(rows: list[Row], end: int, total: int, kind: str) -> Row:
    """Return a list as Notion writes it; `end` is where it stopped."""
    has_more = end < total
    return {"object": "list", "results": rows, "next_cursor": write_cursor(end) if has_more else None,
            "has_more": has_more, "type": kind, kind: {}}  # fmt: skip
