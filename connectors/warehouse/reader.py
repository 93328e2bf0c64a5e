"""Asking a database one question, from the hub's side: checks, a process of its own, a clock."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.base import FailureClass

from .addresses import NotAllowed, Place, check
from .statements import NotASelect, single_select, wrapped

CHILD = Path(__file__).with_name("child.py")
LONGEST_SECONDS = 30
MOST_ROWS = 10_000
START_SECONDS = 8  # for the process to start and to connect, before the query's own time
LARGEST_ANSWER = 32 * 1024 * 1024


class QueryFailed(Exception):
    """The database gave no answer. `kind` is a FailureClass; `code` says more where a wall of ours refused."""

    def __init__(self, kind: FailureClass, detail: str, code: str = "", word: str = "") -> None:
        super().__init__(detail)
        self.kind, self.detail, self.code, self.word = kind, detail, code, word


@dataclass(frozen=True)
class Table:
    """An answer: days and moments as text, numbers as numbers. `warnings` are codes: `may_write`."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[list[Any]]
    took: float
    warnings: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        names = [column.lower() for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def ask(address: str, query: str, *, seconds: int, most: int = MOST_ROWS) -> Table:
    """Return what the database answers. Raises QueryFailed; an answer of more than `most` rows is one, too.

    Never called in a web process: it may take as long as `seconds` and a few more.
    """
    try:
        place = check(address)
        text = single_select(query, place.kind.key)
    except NotAllowed as error:
        raise QueryFailed(FailureClass.SOURCE_DOWN, f"address not allowed: {error.code}", error.code) from error
    except NotASelect as error:
        raise QueryFailed(FailureClass.QUERY_REJECTED, str(error), error.code, error.word) from error
    if place.kind.missing:
        raise QueryFailed(
            FailureClass.STREAM_UNAVAILABLE, f"driver missing: {place.kind.missing}", "driver", place.kind.missing
        )
    found = in_a_process(job_of(place, address, wrapped(text, most + 1), seconds, most + 1), seconds)
    if found.get("failure"):
        raise QueryFailed(FailureClass(found["failure"]), found["detail"])
    if len(found["rows"]) > most:
        raise QueryFailed(FailureClass.BAD_PAYLOAD, f"more than {most} rows", "rows")
    return Table(
        tuple(found["columns"]), tuple(found["types"]), found["rows"], found["took"], tuple(found["warnings"])
    )  # fmt: skip


def job_of(place: Place, address: str, query: str, seconds: int, most: int) -> dict[str, Any]:
    parts = urlsplit(address)
    hidden = [parts.password or "", unquote(parts.password or ""), parts.query]
    return {
        "kind": place.kind.key,
        "address": place.address,
        "path": place.path,
        "numbers": place.numbers,
        "is_service": bool(place.kind.hosts),
        "query": query,
        "seconds": min(max(1, seconds), LONGEST_SECONDS),
        "most": most,
        "secrets": sorted({text for text in hidden if text}, key=len, reverse=True),
    }


def in_a_process(job: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Do the job in a process that is killed when its time is up, and that inherits nothing."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        close_fds=True,
    )
    try:
        out, _ = process.communicate(json.dumps(job).encode(), timeout=job["seconds"] + START_SECONDS)
    except subprocess.TimeoutExpired:
        raise QueryFailed(FailureClass.SOURCE_SLOW, f"no answer after {seconds} s", "killed") from None
    finally:
        process.kill()
        process.wait()
    if len(out) > LARGEST_ANSWER:
        raise QueryFailed(FailureClass.BAD_PAYLOAD, "the answer is too large", "rows")
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        raise QueryFailed(FailureClass.BAD_PAYLOAD, f"the reading process ended with {process.returncode}") from None
    return found
