"""`python -m tests.bench.world PORT COUNT`: a sandbox of many issues, in a process of its own, without budgets."""

import csv
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.sandbox.history import history_world
from connectors.sandbox.server import serve

TEAMS, DAYS = 20, 360


def write_history(path: Path, count: int) -> None:
    """Write a history of `count` tasks, spread over a year; one in nine is not finished."""
    today = datetime.now(UTC).date()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "project", "created_date", "finished_date"])
        for number in range(count):
            created = today - timedelta(days=2 + (number * 7919) % DAYS)
            finished = created + timedelta(days=number % 23)
            is_open = number % 9 == 0 or finished >= today
            rows.writerow([f"T{number}", number % TEAMS, created, "" if is_open else finished])


def main() -> None:
    """Serve until the process is ended; the line "ready" says when."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.csv"
        write_history(path, count)
        world = history_world(path)
    with serve(world, port, request_limit=10**9, point_limit=10**12):
        print("ready", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
