"""How long a first sync of a large company would take by the vendors' budgets: the real engine on a simulated clock.

200,000 issues, 50,000 notes, 20,000 entities and 30,000 pages are read by the real engine from the sandbox, whose
budgets are the published ones. The clock of this process stands still but for what really costs time: the engine's own
waits, and the time that a vendor takes to answer. A company of a tenth (`--scale 0.1`) has a tenth of every budget and
waits ten times as long for an answer: so it takes as many hours as the whole one.

Runs in a process of its own (`python -m tests.bench.scale SCALE`).
"""

import json
import os
import sys
import tempfile
import time as real_time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .report import Report, free_port, say
from .sync import run_apart

ISSUES, NOTES, ENTITIES, PAGES = 200_000, 50_000, 20_000, 30_000
ANSWER = timedelta(milliseconds=80)  # what a vendor takes for an answer, at best
NIGHT_HOURS = 12
ROUNDS = 20_000


def measure(report: Report, database_url: str, scale: float) -> None:
    """Run this module in a fresh process, for it needs a database and a clock of its own."""
    run_apart(report, "tests.bench.scale", database_url, scale)


def world_of(scale: float):
    """Return the wires of a company of that size, on the clock of this process."""
    from connectors.sandbox.clock import Clock
    from connectors.sandbox.history import history_world
    from connectors.sandbox.notion.wire import NotionWire
    from connectors.sandbox.notion.workspace import Workspace, prop
    from connectors.sandbox.productboard.board import Board
    from connectors.sandbox.productboard.wire import ProductboardWire

    from .world import write_history

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.csv"
        write_history(path, max(int(ISSUES * scale), 100))
        world = history_world(path, Clock())
    begun = datetime.now(UTC) - timedelta(days=360)

    def spread(place: int, count: int) -> datetime:
        return begun + timedelta(days=355) * (place / count)

    board = Board(world)
    product = board.add("product", "Shop", at=begun)
    count = int(ENTITIES * scale)
    for place in range(count - 1):
        kind = ("subfeature", "objective", "initiative")[place % 3] if place % 5 == 0 else "feature"
        board.add(kind, f"Thing {place}", at=spread(place, count), parent=product["id"], status="Candidate")
    count = int(NOTES * scale)
    for place in range(count):
        board.add_note(f"Note {place}", at=spread(place, count))
    space = Workspace(world)
    source = space.add_source("Documents", [prop("title", "Name", "title"), prop("a%3Ad", "Date", "date")], at=begun)
    count = int(PAGES * scale)
    for place in range(count):
        space.add_page(source["id"], {"title": f"Page {place}"}, at=spread(place, count))
    of_notion = {"connection_limit": int(180 * scale), "workspace_limit": int(1_800 * scale), "fewer_every": 0}
    return world, ProductboardWire(board, requests_per_second=int(50 * scale)), NotionWire(space, **of_notion)


def connect(service: str, secret: str, url: str):
    from connectors import registry
    from connectors.models import Connection
    from connectors.secrets import seal

    made = Connection(service=service, label=service.capitalize(), base_url=url,
                      mapped_with=registry.connector(service).map_version)  # fmt: skip
    made.save()
    seal(made, secret)
    made.save()
    return made


def simulated(clock, scale: float):
    """Return the engine's pace on a simulated clock: the same budgets and strategies, counted in this process."""
    from limits import RateLimitItemPerSecond
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

    from connectors import budget

    class Simulated(budget.Pace):
        def _limiter(self, _held, given):
            amount = max(1, int(given.amount * scale * budget.SHARE))
            few = amount <= budget.COUNTED_ONE_BY_ONE
            kind = MovingWindowRateLimiter if few else SlidingWindowCounterRateLimiter
            item = RateLimitItemPerSecond(amount, int(given.window.total_seconds()), namespace=given.unit)
            return given.unit, kind(MemoryStorage()), item

        def wait(self, points=1):
            super().wait(points)
            clock.shift(ANSWER / scale)

        def _rest(self, seconds):
            if seconds > 0:
                self.waited += seconds
                clock.shift(timedelta(seconds=seconds))

    return Simulated


def read_whole(connection, slot: str, clock) -> tuple[object, int]:
    """Do a whole run, however often it is put off. Return it, and how often it was."""
    from connectors import actions, registry
    from connectors.engine import Engine
    from hub.jobs.work import TryLater

    run, put_off = actions.start_run(connection, "first", slot=slot), 0
    for _round in range(ROUNDS):
        try:
            Engine(run, registry.connector_for(connection), ahead=False).go()
            break
        except TryLater as later:
            put_off += bool(later.after)
            clock.shift(later.after)
    run.refresh_from_db()
    return run, put_off


def refusals(wire) -> int:
    """Return how often the wire had to say that it was too much."""
    return sum(line.status == 429 or (wire.name == "linear" and line.status == 400) for line in wire.log)


def main(scale: float) -> None:
    """Measure, and print the lines as JSON."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.bench.settings", "SANDBOX_URL": url}
    import django

    django.setup()
    import time_machine
    from django.core.management import call_command

    from connectors import engine, models
    from connectors.sandbox import linear, notion, productboard  # noqa: F401, their wires
    from connectors.sandbox.linear import KEY
    from connectors.sandbox.notion.wire import TOKEN as NOTION
    from connectors.sandbox.productboard.wire import TOKEN as BOARD
    from connectors.sandbox.server import serve

    call_command("migrate", verbosity=0)
    report = Report()
    say(f"building a company at {scale:g} of its size")
    world, board, space = world_of(scale)
    engine.is_sandbox = lambda _url: False  # the budgets are on
    limits = {"request_limit": int(2_500 * scale), "point_limit": int(3_000_000 * scale)}
    with (
        serve(world, port, wires=[board, space], **limits) as sandbox,
        time_machine.travel(datetime.now(UTC), tick=False) as clock,
    ):
        engine.Pace = simulated(clock, scale)
        wires = {"linear": (sandbox.linear, KEY), "productboard": (board, BOARD), "notion": (space, NOTION)}
        for service, (wire, secret) in wires.items():
            connection = connect(service, secret, url)
            if service == "notion":
                source = next(iter(space.workspace.sources))
                models.SourceMapping.objects.create(
                    connection=connection, source_ref=source, meaning="documents", fields={}, names={}, held=[],
                    asked_at=datetime.now(UTC),
                )  # fmt: skip
            measure_one(report, connection, wire, clock, scale)
    print(json.dumps({"lines": report.lines, "notes": report.notes}), flush=True)


def measure_one(report: Report, connection, wire, clock, scale: float) -> None:
    from connectors import registry
    from connectors.budget import SHARE
    from connectors.models import SourceRecord

    begun, really = datetime.now(UTC), real_time.perf_counter()
    run, put_off = read_whole(connection, "first", clock)
    took = datetime.now(UTC) - begun
    worked = real_time.perf_counter() - really
    hours = took / timedelta(hours=1)
    held = SourceRecord.objects.filter(connection=connection).count()
    refused = refusals(wire)
    report.add(
        f"{connection.label}: first sync of {held:,} records", f"≤ {NIGHT_HOURS} h, never refused",
        f"{hours:.2f} h, {refused} refused, {run.state}",
        hours <= NIGHT_HOURS and not refused and run.state == "done",
    )  # fmt: skip
    budgets = registry.connector(connection.service).budgets
    spent = {"request": run.requests, "point": run.points}
    bounds = {
        f"{one.amount * SHARE:,.0f} {one.unit}s in {one.window}": spent[one.unit] / (one.amount * scale * SHARE)
        * (one.window / timedelta(hours=1)) for one in budgets
    }  # fmt: skip
    narrowest = max(bounds, key=bounds.get)
    report.note(
        f"{connection.label}: {run.requests / scale:,.0f} requests and {run.points / scale:,.0f} points at full size; "
        f"{run.waited_seconds / 3600:.2f} h of waiting within tasks, put off {put_off} times, "
        f"{ANSWER / scale * run.requests / timedelta(hours=1):.2f} h for answers. The narrowest budget: {narrowest} "
        f"({bounds[narrowest]:.2f} h without the first window's store). The hub itself worked {worked:.0f} s."
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
