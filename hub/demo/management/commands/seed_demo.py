"""`manage.py seed_demo`: the demo company, alive."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.demo.kpis import seed_kpis
from hub.demo.people import seed_people
from hub.demo.tools import seed_tools
from hub.demo.wires import follow_sandbox


class Command(BaseCommand):
    help = "Fill an empty hub with the demo company. Safe to run twice; refuses where DEMO is off."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing and say what was made."""
        if not settings.DEMO:
            raise CommandError("DEMO is off: this hub belongs to a company, demo people don't come in.")
        made = seed_people()
        tools = seed_tools()
        metrics = seed_kpis()
        follow_sandbox()
        self.stdout.write(
            f"Made {made.people} people, {made.teams} teams, {made.memberships} memberships, {tools} tools;"
            f" {metrics} KPIs have an owner."
        )
