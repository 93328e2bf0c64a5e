"""`manage.py load_starter`: what a new hub comes with."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

PARTS = ("load_tools", "load_metrics")


class Command(BaseCommand):
    help = "Load the starter content: capabilities, common tools, metrics. Safe to run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load each part in turn; what a company changed since stays as it is."""
        for part in PARTS:
            call_command(part, stdout=self.stdout)
