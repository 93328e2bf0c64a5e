"""Makes a database of its own, fills it, measures, prints the table."""

import argparse
import os
import sys

from .database import own_database, some_servers

PARTS = ("pages", "view", "axe", "kpis", "sync")
LONG = ("scale",)  # only where it is asked for


def main() -> int:
    """Measure the parts asked for; the exit code is 1 where a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS + LONG, help="measure this part (may be repeated)")
    parser.add_argument("--scale", type=float, default=1.0, help="shrink the data: 0.01 for a quick try")
    parser.add_argument("--keep", action="store_true", help="use the database of the last run as it is")
    parser.add_argument(
        "--database", default="hub_bench", help="the database to empty and fill, %(default)s; two runs at once need two"
    )
    options = parser.parse_args()
    with some_servers() as server:
        return run(server, options)


def run(server: str, options: argparse.Namespace) -> int:
    wanted = options.only or list(PARTS)
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.bench.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}

    from .report import Report, say

    report = Report()
    if set(wanted) - {"sync", "scale"}:
        os.environ["DATABASE_URL"] = own_database(server, options.database, keep=options.keep)
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

        sync.measure(report, own_database(server, f"{options.database}_sync", keep=False), options.scale)
    if "scale" in wanted:
        say("— scale")
        from . import scale

        scale.measure(report, own_database(server, f"{options.database}_scale", keep=False), options.scale)
    print(report.table())
    return 0 if all(ok for *_, ok in report.lines) else 1


if __name__ == "__main__":
    sys.exit(main())
