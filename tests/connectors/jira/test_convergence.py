"""Whatever people do and whatever goes wrong on the wire: after quiet nights the hub holds what Jira holds."""

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from connectors.models import Connection, State, Transition
from hub.jobs.work import TryLater

from .test_sync import some_issues
from .truth import assert_same

STATES = ("Backlog", "Todo", "In progress", "In review", "Done", "Canceled", "Duplicate")
FAULTS = (
    ("status", {"status": 503}), ("truncated", {}), ("reset_before", {}), ("duplicate_row", {}),
    ("limited_edge", {"retry_after": 1}),
    ("edit_during_paging", {}), ("cursor_expired", {}), ("empty", {}), ("unauthorized", {}), ("empty_page", {}),
    ("field_missing", {"path": "issues.fields.project"}), ("type_changed", {"path": "issues.changelog", "value": 3}),
    ("partial", {}),
)  # fmt: skip
OPERATIONS = ("search", "search", "search", "users", "projects", "status", "sprints", "changelog")


def change(company, draw, number):
    world = company.world
    key = draw.choice(list(world.rows("Issue")))
    match draw.choice(("move", "move", "move", "shuttle", "edit", "create", "delete", "sprint", "person")):
        case "move":
            world.edit_issue(key, state=draw.choice(STATES), actor_id=draw.choice(list(world.rows("User"))))
        case "shuttle":
            for place in range(45):
                world.edit_issue(key, state=STATES[place % 2], at=world.clock.advance(timedelta(minutes=5)))
        case "edit":
            world.edit_issue(key, title=f"Title {number}", estimate=float(number % 8), priority=number % 5)
        case "create":
            world.create_issue(company.team, f"New {number}", state=draw.choice(STATES))
        case "delete":
            world.delete("Issue", key)
        case "sprint":
            cycle = world.add_cycle(company.team, world.clock.now(), world.clock.now() + timedelta(days=14))
            world.edit_issue(key, cycleId=cycle["id"])
        case "person":
            world.rename("User", draw.choice(list(world.rows("User"))), f"Name {number}")


def night(company, after):
    """Run a night; what a person is asked for is done in the morning."""
    try:
        company.sync(after)
    except TryLater:
        company.connection.runs.open().update(state=State.FAILED, ended_at=timezone.now())
    Connection.objects.update(auth=Connection.Auth.OK, pause_until=None, pause_reason="")
    company.connection.streams.exclude(sweep_gone=0).update(sweep_confirmed_at=company.world.clock.now())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3])
def test_after_a_quiet_night_the_hub_holds_what_jira_holds(company, clean_redis, seed):
    draw = Random(seed)
    some_issues(company, 110)
    for _night in range(4):
        for number in range(8):
            company.world.clock.advance(timedelta(minutes=7))
            change(company, draw, number)
        action, params = draw.choice(FAULTS)
        operation = "search" if "path" in params else draw.choice(OPERATIONS)
        company.fail(action, operation, count=draw.choice((1, 2, None)), skip=draw.randrange(2), **params)
        night(company, timedelta(days=1))
        company.wire.faults.clear()
        clean_redis.flushdb()

    for _quiet in range(2):
        night(company, timedelta(days=8))

    assert_same(company.connection, company.world)
    states = Transition.objects.live().filter(field="state")
    moves = sum(len(row["_stateHistory"]) - 1 for row in company.world.rows("Issue").values())
    assert states.count() == moves
