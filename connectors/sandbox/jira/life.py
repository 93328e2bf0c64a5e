"""Jira in the company's life: what happens in Linear's world happens there, too, so nothing is planned."""

from datetime import date

from connectors.sandbox.life import Life

from .wire import JiraWire


class JiraDepartment:
    """The same work, seen on another wire."""

    def __init__(self, life: Life) -> None:
        self.wire = JiraWire(life.world)

    def plan_day(self, day: date) -> None:
        """Nothing of its own happens here."""
