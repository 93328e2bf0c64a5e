"""Worlds made from something else than the demo: a real history from a CSV, and the small one that tests begin with."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from .clock import Clock
from .world import World

COLUMNS = ("id", "project", "created_date", "finished_date")


class NotAHistory(ValueError):
    """The file has no such columns, or a row that is no task."""


def small_world(clock: Clock | None = None) -> World:
    """Return one team, "Checkout" (CHK), three people (ada@, an admin; ben@; chloe@) and the Bug label group.

    The clock stands still on Monday 2 March 2026, 09:00 UTC, unless another is given.
    """
    world = World(clock or Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)))
    team = world.add_team("CHK", "Checkout")
    for email, name, is_admin in (
        ("ada@ardoise.example", "Ada Lovell", True),
        ("ben@ardoise.example", "Ben Okri", False),
        ("chloe@ardoise.example", "Chloé Roy", False),
    ):
        user = world.add_user(email, name, admin=is_admin, owner=is_admin)
        world.add_member(team["id"], user["id"], owner=is_admin)
    group = world.add_label("Bug", is_group=True)
    world.add_label("Regression", parent_id=group["id"])
    world.add_label("Feature")
    return world


def history_world(path: Path | str, clock: Clock | None = None) -> World:
    """Return a world that holds a real history: one issue per row of the CSV, one team per project.

    Columns `id`, `project`, `created_date`, `finished_date` (days, the second may be empty); others are left alone.
    A day becomes its midnight in UTC. Work begins when it is created, for the file knows no other beginning; a
    finish before it, as real trackers have, is kept as it is. Raises NotAHistory.
    """
    world = World(clock, name="History", url_key="history")
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise NotAHistory(f"needs the columns {', '.join(COLUMNS)}")
    tasks = [(row["id"], row["project"], *_days(row, number)) for number, row in enumerate(rows, start=2)]
    at = _midnight(min(created for _key, _project, created, _finished in tasks)) - timedelta(days=1)
    world.add_user("history@ardoise.example", "History", at=at, admin=True, owner=True)
    teams = {
        project: world.add_team(
            f"P{project}", f"Project {project}", at=at, timezone="UTC", cyclesEnabled=False,
            issueEstimationType="notUsed",
        )
        for project in sorted({project for _key, project, _created, _finished in tasks})
    }  # fmt: skip
    for key, project, created, finished in sorted(tasks, key=lambda task: (task[2], task[0])):
        issue = world.create_issue(teams[project]["id"], key, state="In progress", at=_midnight(created))
        if finished is not None:
            world.edit_issue(issue["id"], state="Done", at=_midnight(finished))
            # The last change is the later of the two, whatever the file says
            world.edit("Issue", issue["id"], at=_midnight(max(created, finished)))
    return world


def _days(row: dict[str, str], number: int) -> tuple[date, date | None]:
    try:
        finished = row["finished_date"]
        return date.fromisoformat(row["created_date"]), date.fromisoformat(finished) if finished else None
    except (ValueError, TypeError) as error:
        raise NotAHistory(f"line {number}: {error}") from error


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
