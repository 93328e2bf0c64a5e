"""Makes a database of its own, fills it, measures, prints the table."""

import argparse
import os
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

PARTS = ("pages", "view", "axe", "kpis", "sync")


def own_database(url: str, name: str, *, keep: bool) -> str:
    """Return the address of a database called `name` beside the one of `url`, emptied unless it is kept."""
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as server:
        there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if there and not keep:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        if not (there and keep):
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def main() -> int:
    """Measure the parts asked for; the exit code is 1 where a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part (may be repeated)")
    parser.add_argument("--scale", type=float, default=1.0, help="shrink the data: 0.01 for a quick try")
    parser.add_argument("--keep", action="store_true", help="use the database of the last run as it is")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
        sys.exit("Set DATABASE_URL and REDIS_URL, or run `make bench`, which starts servers of its own.")
    wanted = options.only or list(PARTS)
    server = os.environ["DATABASE_URL"]
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.bench.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}

    from .report import Report, say

    report = Report()
    if set(wanted) - {"sync"}:
        os.environ["DATABASE_URL"] = own_database(server, "hub_bench", keep=options.keep)
        import django

        django.setup()
        from django.core.management import call_command

        from . import kpis, pages, people, seed, view

        call_command("migrate", verbosity=0)
        if not options.keep:
            seed.seed(seed.Size(options.scale))
        people.make_people()
        for part, act in (("kpis", kpis.measure), ("pages", pages.measure), ("view", view.measure), ("axe", view.axe)):
            if part in wanted:
                say(f"— {part}")
                act(report)
    if "sync" in wanted:
        say("— sync")
        from . import sync

        sync.measure(report, own_database(server, "hub_bench_sync", keep=False), options.scale)
    print(report.table())
    return 0 if all(ok for *_, ok in report.lines) else 1


if __name__ == "__main__":
    sys.exit(main())
