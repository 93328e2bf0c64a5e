"""A real history, served as issues: days stay days, and nonsense stays as it is."""

import csv
from pathlib import Path

import pytest

from connectors.sandbox.clock import moment
from connectors.sandbox.history import NotAHistory, history_world
from connectors.sandbox.server import serve

from .conftest import Client

JIRA = Path(__file__).parents[4] / "shared" / "data" / "delivery" / "jira.csv"
HEAD = "id,project,task,created_date,finished_date,cycle_time_days\n"


@pytest.fixture
def write(tmp_path):
    def make(rows, head=HEAD):
        path = tmp_path / "tasks.csv"
        path.write_text(head + rows, encoding="utf-8-sig")
        return path

    return make


def by_title(world):
    return {row["title"]: row for row in world.rows("Issue").values()}


def test_a_day_is_its_midnight_and_work_begins_when_it_is_written(write):
    world = history_world(write("A-1,0,1,2015-02-05,2015-02-09,4\n"))

    issue = by_title(world)["A-1"]
    assert issue["createdAt"] == issue["startedAt"] == "2015-02-05T00:00:00.000Z"
    assert issue["completedAt"] == issue["updatedAt"] == "2015-02-09T00:00:00.000Z"


def test_a_finish_before_the_beginning_is_kept(write):
    world = history_world(write("A-1,0,1,2015-02-05,2015-02-04,-1\n"))

    issue = by_title(world)["A-1"]
    assert issue["completedAt"] < issue["startedAt"]
    assert issue["updatedAt"] == issue["createdAt"]
    assert issue["_stateHistory"][0]["endedAt"] < issue["_stateHistory"][0]["startedAt"]


def test_an_open_task_is_in_progress(write):
    world = history_world(write("A-1,0,1,2015-02-05,,\nB-1,1,1,2015-02-06,2015-02-06,0\n"))

    issues = by_title(world)
    assert "completedAt" not in issues["A-1"] and issues["A-1"]["startedAt"]
    assert [row["key"] for row in world.rows("Team").values()] == ["P0", "P1"]


@pytest.mark.parametrize(
    ("rows", "head"),
    [("", HEAD), ("A-1,0,1,yesterday,2015-02-04,1\n", HEAD), ("A-1,2015-02-04\n", "id,created_date\n")],
)
def test_a_file_that_is_no_history_is_refused(write, rows, head):
    with pytest.raises(NotAHistory):
        history_world(write(rows, head))


@pytest.mark.skipif(not JIRA.exists(), reason="the real tasks are not beside the project (../shared/data)")
def test_the_real_tasks_are_served_with_their_own_durations():
    with JIRA.open(newline="") as file:
        expected = {row["id"]: int(row["cycle_time_days"]) for row in csv.DictReader(file)}
    found = {}
    with serve(history_world(JIRA)) as sandbox:
        client, after = Client(sandbox.url), None
        while True:
            data = client.data(
                """query A($after: String) { issues(first: 250, after: $after) {
                  pageInfo { hasNextPage endCursor } nodes { title startedAt completedAt } } }""",
                after=after,
            )["issues"]
            for node in data["nodes"]:
                found[node["title"]] = (moment(node["completedAt"]) - moment(node["startedAt"])).days
            after = data["pageInfo"]["endCursor"]
            if not data["pageInfo"]["hasNextPage"]:
                break

    assert len(found) == 4123
    assert found == expected
    assert min(found.values()) == -1
