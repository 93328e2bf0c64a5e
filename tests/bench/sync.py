"""Reading 100,000 issues through a real worker: memory, rate, and what a second reading costs.

Runs in a process of its own (`python -m tests.bench.sync SCALE`), for it needs a database of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

import psutil

from .report import Report, free_port, say

ISSUES, MEMORY_MB, RATE, AGAIN = 100_000, 200, 0.6, 0.05
ANSWER_MS = 10  # no vendor is as quick, not even in the next room
BOOKS = ("connectors_syncrun", "connectors_streamrun", "connectors_streamstate", "connectors_seenpage", "jobs_job")


@dataclass
class Watch:
    """Samples the memory of a process and its children, each apart, four times a second."""

    pid: int
    peaks: list[float] = field(default_factory=list)  # MB, the largest process at each moment
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.25):
            try:
                parent = psutil.Process(self.pid)
                family = [parent, *parent.children(recursive=True)]
                self.peaks.append(max(member.memory_info().rss for member in family) / 1e6)
            except psutil.NoSuchProcess:
                continue

    def growth(self) -> float:
        """Return by how many MB the last quarter stands above the second."""
        quarter = max(len(self.peaks) // 4, 1)
        return statistics.mean(self.peaks[-quarter:]) - statistics.mean(self.peaks[quarter : 2 * quarter])


def measure(report: Report, database_url: str, scale: float) -> None:
    """Run this module in a fresh process and take its lines over."""
    run_apart(report, "tests.bench.sync", database_url, scale)


def run_apart(report: Report, module: str, database_url: str, scale: float) -> None:
    """Run a module in a fresh process, which prints its lines as JSON, and take them over."""
    child = subprocess.run(
        [sys.executable, "-m", module, str(scale)],
        env=os.environ | {"DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    for line in child.stdout.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if "lines" in told:  # what else stands there are logs
            report.lines += [tuple(one) for one in told["lines"]]
            report.notes += told["notes"]
    if child.returncode:
        report.add(module, "a figure", f"the measurement ended with {child.returncode}", False)


def bare_loop(url: str, key: str, *, depth: str) -> tuple[float, int]:
    """Fetch every page of every stream and do nothing else with it. Return seconds and records.

    `depth`: "json" only decodes; "parse" also puts each record into its shape, as anyone must who wants to know
    what they hold; "map" also makes the normalised rows, kept by nobody.
    """
    from datetime import UTC, datetime

    import httpx2

    from connectors import registry
    from connectors.base import Mode, Slice

    connector = registry.connector("linear")
    part_of = {Mode.WINDOW: Slice(datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC))}
    count, start = 0, time.perf_counter()
    with httpx2.Client(headers=dict(connector.headers(key)), timeout=60) as client:

        def fetch(request):
            answer = client.request(
                request.method, urljoin(url, request.path), params=request.params, json=request.json
            )
            return answer.raise_for_status().json()

        for stream in connector.streams:
            part, token, is_last = part_of.get(stream.mode, Slice()), None, False
            while not is_last:
                page = connector.read(stream, part, fetch(connector.request(stream, part, token)))
                for more in page.more:
                    follow = more
                    while follow is not None:
                        follow = follow.merge(fetch(follow.request))
                count += len(page.records)
                if depth != "json":
                    for record in page.records:
                        stream.shape.model_validate(record)
                if depth == "map":
                    for record in page.records:
                        list(connector.map(stream, record))
                token, is_last = page.next_token, page.next_token is None
    return time.perf_counter() - start, count


def made_connection(label: str, url: str):
    from connectors import registry
    from connectors.models import Connection
    from connectors.sandbox.linear import KEY
    from connectors.secrets import seal

    made = Connection(service="linear", label=label, base_url=url, mapped_with=registry.connector("linear").map_version)
    made.save()
    seal(made, KEY)
    made.save()
    return made


def far_away(url: str) -> None:
    """Let each answer take as long as a vendor's does at best, for the bare loop and for the sync."""
    import httpx2

    slow = {"action": "slow", "count": None, "params": {"seconds": ANSWER_MS / 1000}}
    httpx2.post(f"{url}/_control/faults", json={"add": [slow]}).raise_for_status()


def run_once(connection, reason: str, slot: str, worker: int):
    """Start a run and wait for its end. Return the run and the watch on the worker's memory."""
    from connectors import actions
    from connectors.models import OPEN_STATES

    run = actions.start_run(connection, reason, slot=slot)
    with Watch(worker) as watch:
        while run.state in OPEN_STATES:
            time.sleep(0.5)
            run.refresh_from_db()
    return run, watch


def written_since(transaction: int) -> dict[str, int]:
    """Return rows written after a transaction, by table, the sync's own books left out."""
    from django.db import connection as database

    found = {}
    with database.cursor() as cursor:
        tables = [name for name in database.introspection.table_names(cursor) if name.startswith("connectors_")]
        for table in sorted(set(tables) - set(BOOKS)):
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE xmin::text::bigint >= %s', [transaction])
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def this_transaction() -> int:
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute("SELECT (pg_current_xact_id()::text::bigint) & 4294967295")
        return int(cursor.fetchone()[0])


def main(scale: float) -> None:
    """Measure, and print the lines as JSON."""
    port, count = free_port(), max(int(ISSUES * scale), 100)
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.bench.settings", "SANDBOX_URL": url}
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection as database

    from connectors.models import SourceRecord, WorkItem
    from connectors.sandbox.linear import KEY

    call_command("migrate", verbosity=0)
    environment = os.environ | {
        "SECRET_KEY": settings.SECRET_KEY, "SECRET_KEYS": ",".join(settings.SECRET_KEYS), "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "hub.settings", "DEMO": "0",
    }  # fmt: skip
    report, children = Report(), []

    def start(*arguments: str, **options) -> subprocess.Popen:
        children.append(subprocess.Popen([sys.executable, *arguments], env=environment, **options))
        return children[-1]

    try:
        say(f"building a world of {count} issues")
        world = start("-m", "tests.bench.world", str(port), str(count), stdout=subprocess.PIPE, text=True)
        world.stdout.readline()
        wire = made_connection("Linear", url)
        bare_loop(url, KEY, depth="json")  # the sandbox's own first time is not the loop's
        loops = {}
        for depth in ("json", "parse", "map"):
            loops[depth], records = bare_loop(url, KEY, depth=depth)
            say(f"bare loop, {depth}: {records} records in {loops[depth]:.1f} s")
        celery = start(
            "-m", "celery", "--app", "hub", "--quiet", "worker", "--queues", "default,sync", "--concurrency", "1",
            "--without-gossip", "--without-mingle", "--loglevel", "error",
        )  # fmt: skip
        start("manage.py", "dispatch")

        run, watch = run_once(wire, "first", "first", celery.pid)
        first = (run.ended_at - run.started_at).total_seconds()
        stored = WorkItem.objects.count()
        share = loops["parse"] / first
        peak, growth = max(watch.peaks, default=0), watch.growth()
        say(f"first run: {run.state}, {stored} items, {SourceRecord.objects.count()} records in {first:.1f} s")
        report.add(f"Linear sync of {count:,} issues", "all there", f"{stored:,} in {first:.0f} s",
                   stored == count and run.state in {"done", "succeeded", "ok"})  # fmt: skip
        report.add(
            "worker memory",
            f"≤ {MEMORY_MB} MB, flat",
            f"{peak:.0f} MB, {growth:+.1f} MB",
            peak <= MEMORY_MB and growth < 10,
        )
        others = f"decoding only: {loops['json'] / first:.0%}; parsing and mapping: {loops['map'] / first:.0%}"
        report.note(f"Where answers take no time: {share:.0%} of a bare loop (bare {loops['parse']:.1f} s, sync "
                    f"{first:.1f} s); {others}.")  # fmt: skip

        time.sleep(3)  # what follows a sync may still be at work
        before = this_transaction()
        run, _ = run_once(wire, "night", "night:again", celery.pid)
        again = (run.ended_at - run.started_at).total_seconds()
        written = written_since(before + 1)
        report.add("the same again: rows written", "0", f"{sum(written.values())} {written or ''}".strip(), not written)
        report.add(
            "the same again: time", f"≤ {AGAIN:.0%}", f"{again / first:.1%} ({again:.1f} s)", again / first <= AGAIN
        )

        far_away(url)
        bare, _ = bare_loop(url, KEY, depth="parse")
        other = made_connection("Linear far away", url)
        run, _ = run_once(other, "first", "far", celery.pid)
        slow = (run.ended_at - run.started_at).total_seconds()
        report.add(
            f"rate against a bare loop, {ANSWER_MS} ms an answer", f"≥ {RATE:.0%}",
            f"{bare / slow:.0%} (bare {bare:.1f} s, sync {slow:.1f} s)", bare / slow >= RATE,
        )  # fmt: skip
        database.close()
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
    print(json.dumps({"lines": report.lines, "notes": report.notes}), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
