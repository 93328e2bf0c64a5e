"""`manage.py run_tick`: start what is due, now."""

from typing import Any

from django.core.management.base import BaseCommand

from connectors import actions


class Command(BaseCommand):
    """What the clock does each minute; safe to call at any time."""

    help = "Start every sync that is due (the clock does it each minute)."

    def handle(self, *args: Any, **options: Any) -> None:
        done = actions.tick()
        self.stdout.write(f"{done.night} nightly runs, {done.retries} retries, {done.remaps} mappings started.")
