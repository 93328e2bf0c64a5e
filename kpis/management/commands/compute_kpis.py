"""Compute the KPIs anew, as far back as asked."""

import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kpis.sync.recompute import first_week, recompute


class Command(BaseCommand):
    help = "Compute every KPI anew: nine weeks back, or from --since, or all of it with --all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, help="first day, as 2026-01-31")
        parser.add_argument("--all", action="store_true", help="from the first item on")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        done = recompute(first=first_week() if options["all"] else options["since"])
        self.stdout.write(
            f"{done.written} values written, {done.restated} restated, {done.gone} gone"
            f" in {time.monotonic() - started:.1f} s"
        )
