"""What the front ends of the sandbox have in common: an answer, a line of the log, and the shape of a wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from .faults import Fault, Script
from .world import Row

LONGEST_LOG = 20_000
CUT = 60  # characters of HTML in an edge page


@dataclass
class Reply:
    """An answer, before the wire. `fault` is what the wire still has to spoil."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True)
class Seen:
    """A line of the request log. `operation` is what faults match on: a document's name, or a path's."""

    at: str
    operation: str
    variables: Mapping[str, Any]
    status: int
    points: int
    fault: str


class Wire(Protocol):
    """One service's front end. The server holds the world's lock and lets life go on before it asks for an answer."""

    name: str  # "linear": how faults, log and revoke are addressed
    paths: tuple[str, ...]  # what the paths it answers begin with; no two wires share one
    faults: Script
    log: list[Seen]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request. `path` holds the query, `headers` are in lower case."""

    def revoke(self, secret: str) -> None:
        """Make a key or token invalid from now on."""

    def change(self, name: str, given: Row) -> Any:
        """Do to the service's data what a person may do. Raises NotThere for what nobody may."""

    def truth(self) -> Mapping[str, Any]:
        """Return what a faithful reader must end up with, by kind and id."""

    def counts(self) -> Mapping[str, int]:
        """Return how many rows there are of each kind."""


class Department(Protocol):
    """A part of the company that lives beside Linear, by the same clock, and shows itself on a wire of its own."""

    @property
    def wire(self) -> Wire: ...

    def plan_day(self, day: date) -> None:
        """Lay down what happens on a day, by `life.later`. Drawn from the seed and the date alone."""


def remember(log: list[Seen], line: Seen) -> None:
    """Add a line to a log that doesn't grow for ever: a demo may run for months."""
    if len(log) >= LONGEST_LOG:
        del log[: LONGEST_LOG // 2]
    log.append(line)


def as_json(status: int, payload: Row | list[Row], headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def as_html(status: int, words: str) -> Reply:
    page = f"<!DOCTYPE html><html><head><title>{words[:CUT]}</title></head><body><h1>{words}</h1></body></html>"
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def waiting(fault: Fault) -> dict[str, str]:
    """Return the header that says how long to wait, where a fault names a time."""
    return {"Retry-After": str(fault.params["retry_after"])} if "retry_after" in fault.params else {}


def at_the_edge(fault: Fault, words: str = "Web server is returning an unknown error", code: int = 520) -> Reply | None:
    """Return what a service's edge answers in its place where a fault asks for that, None for any other fault."""
    status = int(fault.params.get("status", 0))
    if fault.action == "limited_edge":
        reply = as_html(429, "Too many requests")
    elif fault.action == "status":
        reply = Reply(status or 503, b"", {"Content-Type": "text/plain"})
    elif fault.action == "edge_html":
        reply = as_html(status or code, words)
    else:
        return None
    reply.headers |= waiting(fault)
    return reply
