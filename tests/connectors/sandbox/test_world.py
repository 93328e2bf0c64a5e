"""The world keeps spans, moments and history as Linear does."""

from datetime import timedelta

import pytest

from connectors.sandbox.clock import text
from connectors.sandbox.world import NotThere

HOUR = timedelta(hours=1)


@pytest.fixture
def later(world):
    """Move the clock on an hour and return the new moment as text."""

    def move(by=HOUR):
        return text(world.clock.advance(by))

    return move


@pytest.fixture
def issue(world, team):
    return world.create_issue(team["id"], "Pay by card")


def spans(world, issue):
    states = world.rows("WorkflowState")
    return [
        (states[span["stateId"]]["name"], span["startedAt"], span.get("endedAt")) for span in issue["_stateHistory"]
    ]


def test_an_issue_that_is_done_has_its_spans_and_moments(world, issue, later):
    begun, started = issue["createdAt"], later()
    world.edit_issue(issue["id"], state="In progress")
    ended = later()
    world.edit_issue(issue["id"], state="Done")

    assert spans(world, issue) == [
        ("Backlog", begun, started),
        ("In progress", started, ended),
        ("Done", ended, None),
    ]
    assert (issue["startedAt"], issue["completedAt"], issue["updatedAt"]) == (started, ended, ended)


def test_a_jump_to_done_leaves_the_start_empty(world, issue, later):
    later()
    world.edit_issue(issue["id"], state="Done")

    assert "startedAt" not in issue and issue["completedAt"]


def test_the_first_start_stays_and_going_back_takes_it_away(world, issue, later):
    started = later()
    world.edit_issue(issue["id"], state="In progress")
    later()
    world.edit_issue(issue["id"], state="In review")
    assert issue["startedAt"] == started

    world.edit_issue(issue["id"], state="Todo")
    assert "startedAt" not in issue


def test_reopening_takes_the_end_away(world, issue, later):
    world.edit_issue(issue["id"], state="In progress")
    world.edit_issue(issue["id"], state="Done")
    later()
    world.edit_issue(issue["id"], state="In progress")

    assert "completedAt" not in issue and issue["startedAt"]


def test_triage_has_a_beginning_and_an_end(world, team, later):
    issue = world.create_issue(team["id"], "It crashes", state="Triage")
    left = later()
    world.edit_issue(issue["id"], state="Backlog")

    assert (issue["startedTriageAt"], issue["triagedAt"]) == (issue["createdAt"], left)


def test_what_one_person_does_at_once_is_one_entry_of_the_history(world, issue, later):
    first = world.state(issue["teamId"], "Backlog")["id"]
    last = world.state(issue["teamId"], "In progress")["id"]
    later()
    world.edit_issue(issue["id"], actor_id="ada", state="Todo")
    later(timedelta(seconds=90))
    world.edit_issue(issue["id"], actor_id="ada", state="In progress", estimate=3)

    (entry,) = issue["_history"]
    assert (entry["fromStateId"], entry["toStateId"], entry["toEstimate"]) == (first, last, 3)


@pytest.mark.parametrize(("by", "actor"), [(timedelta(minutes=3), "ada"), (timedelta(seconds=5), "ben")])
def test_later_or_by_somebody_else_is_another_entry(world, issue, later, by, actor):
    world.edit_issue(issue["id"], actor_id="ada", state="Todo")
    later(by)
    world.edit_issue(issue["id"], actor_id=actor, state="In progress")

    assert len(issue["_history"]) == 2
    assert len({entry["id"] for entry in issue["_history"]}) == 2


def test_labels_that_come_and_go_are_in_the_history(world, issue):
    one, two = list(world.rows("IssueLabel"))[1:]
    world.edit_issue(issue["id"], labelIds=[one])
    world.clock.advance(HOUR)
    world.edit_issue(issue["id"], labelIds=[two])

    assert issue["_history"][1]["addedLabelIds"] == [two]
    assert issue["_history"][1]["removedLabelIds"] == [one]


def test_an_edit_that_changes_nothing_writes_no_history(world, issue):
    world.edit_issue(issue["id"], title=issue["title"], state="Backlog")

    assert issue["_history"] == [] and len(issue["_stateHistory"]) == 1


def test_a_quiet_edit_does_not_move_updated_at(world, issue, later):
    before = issue["updatedAt"]
    later()
    world.edit_issue(issue["id"], quiet=True, priority=1)

    assert issue["priority"] == 1 and issue["updatedAt"] == before


def test_an_archived_a_trashed_and_a_deleted_issue_differ(world, team):
    one, two, three = (world.create_issue(team["id"], f"Issue {n}") for n in range(3))
    world.archive("Issue", one["id"])
    world.trash("Issue", two["id"])
    gone = world.delete("Issue", three["id"])

    assert one["archivedAt"] and not one.get("trashed")
    assert two["archivedAt"] and two["trashed"]
    assert set(world.truth()["Issue"]) == {one["id"], two["id"]}
    with pytest.raises(NotThere):
        world.get("Issue", three["id"])
    world.bring_back("Issue", gone)
    world.restore("Issue", two["id"])
    assert three["id"] in world.rows("Issue") and not two["trashed"] and not two["archivedAt"]


def test_a_closed_cycle_notes_what_was_open_and_hands_it_on(world, team, later):
    now = world.clock.now()
    one = world.add_cycle(team["id"], now, now + 14 * 24 * HOUR)
    two = world.add_cycle(team["id"], now + 14 * 24 * HOUR, now + 28 * 24 * HOUR)
    done = world.create_issue(team["id"], "Done in time", state="Done", cycleId=one["id"])
    left = world.create_issue(team["id"], "Not done", cycleId=one["id"])
    at = later(14 * 24 * HOUR)
    world.close_cycle(one["id"], next_id=two["id"])

    assert (one["number"], two["number"]) == (1, 2)
    assert one["_uncompletedIssuesUponClose"] == [left["id"]] and one["completedAt"] == at
    assert (done["cycleId"], left["cycleId"]) == (one["id"], two["id"])
    assert left["_history"][0]["fromCycleId"] == one["id"]


def test_the_order_of_a_list_follows_every_change(world, team):
    keys = [world.create_issue(team["id"], f"Issue {n}")["id"] for n in range(5)]
    order = world.tables["Issue"].order("updatedAt")
    world.clock.advance(HOUR)
    world.edit_issue(keys[1], title="Edited")
    world.delete("Issue", keys[3])
    keys.append(world.create_issue(team["id"], "New")["id"])

    assert [key for _at, key in order] == [keys[0], keys[2], keys[4], keys[1], keys[5]]
    assert order == sorted((row["updatedAt"], key) for key, row in world.rows("Issue").items())
