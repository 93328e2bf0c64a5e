"""`manage.py load_tools`: the starter capabilities and tools."""

from typing import Any

from django.core.management.base import BaseCommand

from tooling.starter import load_tools


class Command(BaseCommand):
    help = "Add the starter capabilities and tools that are missing. Safe to run again; never overwrites an edit."

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = load_tools()
        self.stdout.write(f"Added {loaded.capabilities} capabilities and {loaded.tools} tools.")
