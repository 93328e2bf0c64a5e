"""Pages: time in the server, queries, weight of the first view."""

import gzip
import os
import re
import statistics
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse

from connectors.models import Connection
from hub.people.models import Team, User
from tests.pages import PageCase, known_names, page_cases
from tooling.models import Capability, Tool

from .people import client_of
from .report import Report, say, timed

REPEATS = 31
P50_MS, QUERIES, HTML_KB, ASSETS_KB = 25, 10, 15, 60


def heavy_arguments() -> dict[str, dict]:
    """Return the arguments that lead to a page with many rows behind it."""
    tool = Tool.objects.filter(slug="tool-1").first() or Tool.objects.first()
    team = Team.objects.filter(slug="team-20").first() or Team.objects.first()
    wire = Connection.objects.order_by("pk").first()
    person = User.objects.filter(email__startswith="person").first() or User.objects.first()
    job = Capability.objects.jobs().first()
    found: dict[str, dict] = {}
    if tool:
        found |= {name: {"slug": tool.slug} for name in known_names() if name.startswith("tooling:tool_")}
    if job:
        found["tooling:capability_detail"] = {"slug": job.slug}
    if team:
        pages = ("people:team_detail", "people:team_edit", "kpis:team_dashboard")
        found |= {name: {"slug": team.slug} for name in pages}
    found |= {
        name: {"key": "cycle-time"} for name in known_names() if name.startswith(("kpis:metric_", "kpis:target_"))
    }
    if person:
        found["people:person_detail"] = {"pk": person.pk}
    if wire:
        found["connectors:connection_detail"] = {"pk": wire.pk}
    return found


def addresses() -> list[tuple[PageCase, str]]:
    """Return every page with its address; rows that only a rule can make are made by the rule."""
    known = heavy_arguments()
    found = []
    for case in page_cases():
        try:
            found.append((case, reverse(case.name, kwargs=known.get(case.name, {}))))
        except NoReverseMatch:
            try:
                with transaction.atomic():
                    found.append((case, case.address()))
            except Exception as error:  # a page left out is said, never hidden
                say(f"left out: {case.name}: {error!r:.200}")
    return found


def whole_pages() -> list[tuple[PageCase, str]]:
    """Return the addresses that answer with a page: no fragment that another page fetches, no redirect."""
    found = []
    for case, address in addresses():
        answer = client_of(case.role).get(address)
        if answer.status_code == 200 and b"<html" in answer.content:
            found.append((case, address))
    return found


@contextmanager
def counted():
    """Give a list that fills with the statements run inside."""
    statements: list[str] = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def weight(html: bytes) -> tuple[float, float]:
    """Return the gzipped size of a page and of the styles and scripts it links, in kB."""
    linked = set(re.findall(rb'(?:href|src)="(/static/[^"?]+\.(?:css|js))', html))
    total = 0
    for address in linked:
        path = finders.find(address.decode().removeprefix(settings.STATIC_URL))
        with open(path, "rb") as file:  # noqa: PTH123 (finders give plain strings)
            total += len(gzip.compress(file.read(), 6))
    return len(gzip.compress(html, 6)) / 1000, total / 1000


def deeper(frames: int, act: Callable[[], object]) -> object:
    """Act some frames further down the stack.

    CPython takes its stack from the system in pieces of 16 kB and gives each back at once: a loop whose calls happen
    to cross an end of one takes thrice as long. Which pages that befalls is chance, and another one in each server.
    """
    return deeper(frames - 1, act) if frames else act()


def measure(report: Report) -> None:
    """Ask every page many times and report the worst."""
    rows = []
    for case, address in addresses():
        client = client_of(case.role)
        answer = client.get(address)
        if answer.status_code != 200:
            report.note(f"{case}: {address} answered {answer.status_code}, not measured")
            continue
        with counted() as statements:
            client.get(address)
        times = [timed(partial(deeper, 5 * turn, partial(client.get, address))) * 1000 for turn in range(REPEATS)]
        html, assets = weight(answer.content)
        rows.append((statistics.median(times), len(statements), html, assets, str(case), min(times)))
    if not rows:
        report.add("any page", f"p50 ≤ {P50_MS} ms", "no page has a rule", False)
        return
    for row in sorted(rows, reverse=True):
        say(
            f"  {row[0]:6.1f} ms (best {row[5]:5.1f})  {row[1]:3d} queries  {row[2]:5.1f} kB html"
            f"  {row[3]:5.1f} kB css+js  {row[4]}"
        )
    slowest, busiest = max(rows), max(rows, key=lambda row: row[1])
    largest, heaviest = max(rows, key=lambda row: row[2]), max(rows, key=lambda row: row[3])
    over = [row for row in rows if row[0] > P50_MS]
    report.add(f"server p50, slowest of {len(rows)} pages", f"≤ {P50_MS} ms", f"{slowest[0]:.1f} ms, {slowest[4]}"
               + (f" ({len(over)} over)" if over else ""), slowest[0] <= P50_MS)  # fmt: skip
    report.add("queries, most of any page", f"≤ {QUERIES}", f"{busiest[1]}, {busiest[4]}", busiest[1] <= QUERIES)
    report.add("HTML, gzip", f"≤ {HTML_KB} kB", f"{largest[2]:.1f} kB, {largest[4]}", largest[2] <= HTML_KB)
    report.add("CSS + JS, gzip", f"≤ {ASSETS_KB} kB", f"{heaviest[3]:.1f} kB, {heaviest[4]}", heaviest[3] <= ASSETS_KB)
    best = max(rows, key=lambda row: row[5])
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    verdict = ": the p50 says more of the neighbours than of the hub." if load > 1.5 else "."
    report.note(
        f"Median page: {statistics.median(row[0] for row in rows):.1f} ms. Best of {REPEATS} times, slowest page: "
        f"{best[5]:.1f} ms, {best[4]}. Measured under a load of {load:.1f} for each processor{verdict}"
    )
