"""The table that is printed: what, what is to be reached, what was measured."""

import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Report:
    """Lines in the order in which they were measured."""

    lines: list[tuple[str, str, str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, reach: str, measured: str, ok: bool) -> None:
        self.lines.append((what, reach, measured, ok))
        say(f"{what}: {measured} ({'ok' if ok else 'MISSED'}, reach {reach})")

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        say(sentence)

    def table(self) -> str:
        rows = [("What", "Reach", "Measured", "")]
        rows += [(what, reach, measured, "ok" if ok else "MISSED") for what, reach, measured, ok in self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, "", *self.notes])


def say(sentence: str) -> None:
    """Tell how far it is, apart from the table."""
    print(f"[{time.strftime('%H:%M:%S')}] {sentence}", file=sys.stderr, flush=True)


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds `act` took."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
