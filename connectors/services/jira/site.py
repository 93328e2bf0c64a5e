"""What one must know of a company's site before its issues can be read: its own fields, and what its statuses mean.

A connector keeps nothing between two requests, so this travels in the page token.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors.base import Json

SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
POINTS = "com.pyxis.greenhopper.jira:jsw-story-points"
POINT_NAMES = frozenset({"story points", "story point estimate"})  # a plain number field in older projects
CATEGORIES: Mapping[str, str] = {"new": "unstarted", "indeterminate": "started", "done": "completed"}
# Jira's category “done” holds what was given up, too. Only names tell them apart; these are the usual ones.
GIVEN_UP: Mapping[str, str] = {
    **dict.fromkeys(
        ("canceled", "cancelled", "won't do", "won’t do", "wont do", "won't fix", "rejected", "declined", "abandoned",
         "annulé", "annulée", "abandonné", "rejeté", "refusé"),
        "canceled",
    ),
    **dict.fromkeys(("duplicate", "doublon"), "duplicate"),
}  # fmt: skip


def kind_of(category: str, name: str) -> str:
    """Return what a status means to the hub, by its category, and by its name where work is over."""
    kind = CATEGORIES.get(category, "other")
    return GIVEN_UP.get(name.strip().lower(), kind) if kind == "completed" else kind


@dataclass(frozen=True)
class Site:
    """The ids of the sprint field and of the fields for points, and the kind of each status; None: not asked yet."""

    sprint: str = ""
    points: tuple[str, ...] = ()
    kinds: Mapping[str, str] | None = None
    after: str = field(default="")  # Jira's own token for the next page

    @classmethod
    def read(cls, token: str) -> "Site":
        """Return what a page token holds. Raises ValueError."""
        sprint, points, kinds, after = json.loads(token)
        return cls(sprint, tuple(points), kinds, after)

    def __str__(self) -> str:
        return json.dumps([self.sprint, self.points, self.kinds, self.after], separators=(",", ":"))

    def at(self, after: str) -> "Site":
        return replace(self, after=after)

    def with_statuses(self, statuses: Iterable[Json]) -> "Site":
        """Return the site with the kinds of its statuses."""
        kinds = {}
        for one in statuses:
            category = one.get("statusCategory")
            key = str(category.get("key", "")) if isinstance(category, dict) else ""
            kinds[str(one.get("id", ""))] = kind_of(key, str(one.get("name", "")))
        return replace(self, kinds=kinds)


def site_with(fields: Iterable[Json]) -> Site:
    """Return the site that has these fields. Each site gives them ids of its own."""
    sprint, points = "", []
    for one in fields:
        schema = one.get("schema")
        custom = schema.get("custom", "") if isinstance(schema, dict) else ""
        name = str(one.get("untranslatedName") or one.get("name") or "").strip().lower()
        if custom == SPRINT:
            sprint = sprint or str(one.get("id", ""))
        elif custom == POINTS or (custom and name in POINT_NAMES):
            points.append(str(one.get("id", "")))
    return Site(sprint, tuple(sorted(points)))
