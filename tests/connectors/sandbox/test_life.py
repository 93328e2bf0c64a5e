"""The demo company: the same for everybody who has the seed, alive, and much like a real one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest

from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.company import COMPANY
from connectors.sandbox.life import demo_world, first_day

THURSDAY = datetime(2026, 10, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world():
    return demo_world(Clock(THURSDAY))[0]


def finished(world, team_key):
    team = next(row["id"] for row in world.rows("Team").values() if row["key"] == team_key)
    return [row for row in world.rows("Issue").values() if row["teamId"] == team and row.get("completedAt")]


def test_the_same_seed_is_the_same_world(world):
    assert demo_world(Clock(THURSDAY))[0].truth() == world.truth()


def test_another_seed_is_another_world(world):
    assert demo_world(Clock(THURSDAY), seed=2)[0].truth()["Issue"] != world.truth()["Issue"]


def test_a_world_that_ran_all_along_equals_one_started_today(world):
    running, life = demo_world(Clock(THURSDAY - 9 * DAY))
    for hours in (1, 5, 30, 80, 100):
        running.clock.advance(timedelta(hours=hours))
        life.advance()

    assert running.clock.now() == THURSDAY
    assert running.truth() == world.truth()


def test_a_new_day_brings_new_work():
    world, life = demo_world(Clock(THURSDAY))
    before = world.truth()
    world.clock.advance(DAY)
    life.advance()
    after = world.truth()

    assert len(after["Issue"]) > len(before["Issue"])
    edited = [key for key, row in before["Issue"].items() if after["Issue"][key]["updatedAt"] != row["updatedAt"]]
    assert edited
    assert any(after["User"][key].get("lastSeen") != row.get("lastSeen") for key, row in before["User"].items())


def test_nothing_is_of_the_future(world):
    moments = [
        value
        for table in world.truth().values()
        for row in table.values()
        for name, value in row.items()
        if name.endswith("At") and isinstance(value, str) and name not in {"startsAt", "endsAt"}
    ]

    assert max(map(moment, moments)) <= THURSDAY


@pytest.mark.parametrize("team", [team.key for team in COMPANY.product_teams])
def test_figures_are_those_of_a_team_one_could_meet(world, team):
    done = finished(world, team)
    days = [
        (moment(row["completedAt"]) - moment(row["startedAt"])) / DAY for row in done if row.get("startedAt")
    ]  # fmt: skip
    children = {key for key, row in world.rows("IssueLabel").items() if row.get("parentId")}
    bugs = sum(bool(children & set(row["labelIds"])) for row in done) / len(done)

    assert len(done) > 150
    assert 1.5 <= median(days) <= 6
    assert 0.06 <= bugs <= 0.25
    assert 0 < sum(not row.get("startedAt") for row in done) / len(done) < 0.1


def test_teams_keep_most_promises_and_not_all(world):
    kept = []
    for cycle in world.rows("Cycle").values():
        if cycle.get("completedAt"):
            left = len(cycle["_uncompletedIssuesUponClose"])
            total = cycle["issueCountHistory"][-1]
            kept.append(1 - left / total)

    assert 0.6 <= median(kept) <= 0.9
    assert min(kept) < median(kept) < max(kept)


def test_spans_follow_each_other_without_a_gap(world):
    for row in world.rows("Issue").values():
        spans = row["_stateHistory"]
        assert spans[0]["startedAt"] == row["createdAt"]
        for one, two in pairwise(spans):
            assert one["endedAt"] == two["startedAt"]
        assert "endedAt" not in spans[-1]
        assert spans[-1]["stateId"] == row["stateId"]


def test_some_seats_match_nobody_and_some_are_asleep(world):
    users = list(world.rows("User").values())
    known = {person.email for person in COMPANY.people}

    strangers = {row["email"] for row in users if row["email"] not in known}
    assert strangers == {seat.email for seat in COMPANY.seats} | {person.email for person in COMPANY.leavers}
    asleep = [row for row in users if row["active"] and row.get("lastSeen", "") < "2026-09-08"]
    assert 4 <= len(asleep) <= 12
    # One who left still has a seat, the other has not
    seats = {row["email"]: row["active"] for row in users}
    assert sorted(seats[person.email] for person in COMPANY.leavers) == [False, True]


def test_the_company_is_seventy_people_in_six_teams():
    emails = [person.email for person in COMPANY.people]
    keys = {team.key for team in COMPANY.teams}

    assert len(emails) == len(set(emails)) == 70
    assert all(email.isascii() and email == email.lower() for email in emails)
    assert sum(person.craft == "product" for person in COMPANY.people) == 14
    assert len(COMPANY.product_teams) == 6
    assert {person.team for person in COMPANY.people} <= keys
    assert {team.lead for team in COMPANY.teams} <= set(emails)
    assert {team.parent for team in COMPANY.teams} <= keys | {""}


def test_scale_multiplies_the_issues_and_nothing_else(world):
    large = demo_world(Clock(THURSDAY), scale=2)[0]

    assert 1.8 < len(large.rows("Issue")) / len(world.rows("Issue")) < 2.2
    assert len(large.rows("User")) == len(world.rows("User"))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 23, tzinfo=UTC), "2026-03-02"),
        (datetime(2028, 1, 1, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 10, tzinfo=UTC), "2025-03-03"),
    ],
)
def test_the_past_begins_on_a_monday_long_ago(now, day):
    assert str(first_day(now)) == day
    assert first_day(now).weekday() == 0
