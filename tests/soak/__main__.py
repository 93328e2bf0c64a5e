"""Plays the nights on servers of its own, prints what happened, and ends with 1 where a promise was not kept."""

import argparse
import os
import statistics
import sys
import time
import traceback

from tests.bench.report import Report, free_port, say

from .servers import own_servers

# By so much the worker's last quarter may stand above its second
FLAT_MB = 12
LONGEST_MINUTES = 15
ENOUGH_NIGHTS = 30  # for every kind of fault to have its turn


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="another seed is another war (%(default)s)")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    with own_servers() as servers:
        return play(servers, options)


def play(servers, options: argparse.Namespace) -> int:
    import django

    django.setup()
    import redis
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from hub.people.models import Role
    from tests.connectors.firm import served_company
    from tests.jobs.processes import Pool, Worker
    from tests.people.factories import UserFactory

    from .war import Soak

    call_command("migrate", verbosity=0)
    ops = UserFactory(email="ops@ardoise.example", name="Nora Haddad", role=Role.OPS)
    client = Client()
    client.force_login(ops, backend="django.contrib.auth.backends.ModelBackend")
    port, begun = free_port(), time.monotonic()
    settings.SANDBOX_URL = f"http://127.0.0.1:{port}"
    given = {"sandbox_url": settings.SANDBOX_URL, "concurrency": 1}
    with (
        Worker(**given, recycles=False) as steady,
        Pool(**given) as pool,
        served_company(port) as sandbox,
        redis.Redis.from_url(settings.REDIS_URL) as held,
    ):
        pool.worker()
        soak = Soak(
            sandbox, servers=servers, steady=steady, by=ops, seed=options.seed, held=held, pool=pool,
            page=lambda address: client.get(address).content.decode(),
        )  # fmt: skip
        for night in range(1, options.nights + 1):
            soak.live()
            if night % 5 == 0 or night == options.nights:
                kept = "every promise kept" if not soak.misses else f"{len(soak.misses)} promises not kept"
                say(f"night {night}: {time.monotonic() - begun:.0f} s, {soak.memory[-1]:.0f} MB, {kept}")
        soak.make_peace()
        report = judged(soak, options.nights, time.monotonic() - begun)
    print(told(soak, options))
    print(report.table())
    return 0 if all(ok for *_, ok in report.lines) else 1


def judged(soak, nights: int, seconds: float) -> Report:
    """Hold what is stored against the world, and the nights against what was promised."""
    from connectors.models import SyncRun
    from hub.jobs.models import Job

    from .war import KINDS, longest_sync

    report = Report()
    for side in soak.sides:
        try:
            side.assert_same()
            new, held = side.counted()
            report.add(
                f"{side.label}: the hub holds what it holds", "all, once", f"{held} records, {new} new", new == held
            )
        except AssertionError as missed:
            report.add(f"{side.label}: the hub holds what it holds", "all, once", where(missed), False)
    last = [(run.state, run.new, run.changed, run.gone) for run in soak.last_runs()]
    report.add("the last quiet night", "changes nothing", f"{last}", last == [("done", 0, 0, 0)] * len(last))
    report.add("failures and waits under their class, on the page", "all", f"{len(soak.misses)} not", not soak.misses)
    broken = soak.sandbox.mistakes
    report.add("requests that a stand-in broke down over", "none", f"{len(broken)}", not broken)
    left = soak.end_jobs().count()
    given_up = Job.objects.filter(state=Job.State.DEAD).count()
    is_open = SyncRun.objects.open().count()
    report.add("jobs that did not end, were given up, runs open", "0, 0, 0", f"{left}, {given_up}, {is_open}",
               not (left or given_up or is_open))  # fmt: skip
    longest = longest_sync().total_seconds()
    report.add("the longest sync, in real seconds", "≤ 120", f"{longest:.0f}", longest <= 120)
    unmet = sorted(KINDS - set(soak.struck) - set(soak.harmed))
    if nights >= ENOUGH_NIGHTS:
        met = f"{len(KINDS) - len(unmet)} {' '.join(unmet)}".strip()
        report.add("kinds of fault that struck", f"{len(KINDS)}", met, not unmet)
        quarter = len(soak.memory) // 4
        growth = statistics.mean(soak.memory[-quarter:]) - statistics.mean(soak.memory[quarter : 2 * quarter])
        report.add("memory of the worker that lived through it", f"flat (< {FLAT_MB} MB)",
                   f"{soak.memory[0]:.0f} → {soak.memory[-1]:.0f} MB, {growth:+.1f} MB",
                   growth < FLAT_MB and len(soak.processes) == 1)  # fmt: skip
    report.add("minutes in all", f"< {LONGEST_MINUTES}", f"{seconds / 60:.1f}", seconds < LONGEST_MINUTES * 60)
    report.notes += soak.misses[:20] + broken[:3]
    return report


def where(missed: AssertionError) -> str:
    """Return the line that did not hold, with what it compared."""
    told = traceback.TracebackException.from_exception(missed, capture_locals=True, limit=-1)
    frame = told.stack[-1]
    seen = "; ".join(f"{name} = {value[:300]}" for name, value in (frame.locals or {}).items() if name in frame.line)
    return f"{missed} {frame.line} ({seen})"


def told(soak, options: argparse.Namespace) -> str:
    """Return what happened, tool by tool and harm by harm."""
    from django.db.models import Sum

    lines = [f"{options.nights} nights and 3 quiet ones, seed {options.seed}", ""]
    lines.append(
        f"{'Tool':14}{'runs':>6}{'requests':>10}{'a run':>8}{'waits':>7}{'refused':>9}{'resumed':>9}{'rows':>7}"
    )
    for side in soak.sides:
        tally, runs = soak.tallies[side], side.connection.runs.all()
        sums = runs.aggregate(refused=Sum("refused"), resumed=Sum("resumed"))
        count = runs.count()
        lines.append(
            f"{side.label:14}{count:>6}{tally.requests:>10}{tally.requests / count:>8.1f}{tally.waits:>7}"
            f"{sums['refused']:>9}{sums['resumed']:>9}{side.counted()[1]:>7}"
        )
    lines.append("")
    for side in soak.sides:
        said = ", ".join(f"{kind} {count}" for kind, count in sorted(soak.tallies[side].said.items()))
        lines.append(f"{side.label} said: {said or 'nothing'}")
    lines.append("Harm: " + ", ".join(f"{what} {count}" for what, count in soak.harmed.most_common()))
    lines.append("Faults: " + ", ".join(f"{what} {count}" for what, count in sorted(soak.struck.items())))
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
