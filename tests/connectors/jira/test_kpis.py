"""A company on Jira alone: the delivery figures come out of the same records and statements as with Linear."""

import csv
import statistics
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from connectors.models import WorkItem, WorkTeam
from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.history import history_world
from hub.people.models import Team
from kpis.management.commands.load_metrics import Command
from kpis.models import Observation
from kpis.sync.recompute import recompute

from .truth import expected

HISTORY = Path(__file__).resolve().parents[4] / "shared" / "data" / "delivery" / "jira.csv"
FIRST = date(2026, 3, 2)
DAY = 86_400


def week_of(at, zone):
    day = at.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def stored(key, **which):
    rows = Observation.objects.filter(metric__key=key, **which)
    return {row.week: row for row in rows}


def work(world, team, seed):
    """Have forty issues go their ways over seven weeks: started, sent back, finished, reopened, given up."""
    draw = Random(seed)
    issues = []
    for place in range(40):
        at = world.clock.now() + timedelta(hours=draw.randrange(7 * 24 * 5))
        key = world.create_issue(team, f"Issue {place}", at=at, state=draw.choice(("Backlog", "Todo", "In progress")))[
            "id"
        ]
        for state in draw.choice((
            ("In progress", "Done"), ("In progress", "In review", "Done"), ("Done",), ("In progress",),
            ("In progress", "Todo", "In progress", "Done"), ("In progress", "Done", "In progress", "Done"),
            ("In progress", "Canceled"), ("Done", "In progress"),
        )):  # fmt: skip
            at += timedelta(hours=draw.randrange(1, 60), minutes=draw.randrange(60))
            world.edit_issue(key, state=state, at=at)
        issues.append(key)
    world.clock.advance(timedelta(weeks=8))
    return [world.rows("Issue")[key] for key in issues]


@pytest.mark.parametrize("seed", [1, 2])
def test_cycle_time_and_throughput_are_those_of_the_tracker_s_truth(company, settings, seed):
    Command().handle()
    rows = work(company.world, company.team, seed)
    checkout = Team.objects.create(name="Checkout", slug="checkout")
    company.sync()
    WorkTeam.objects.update(team=checkout)

    recompute(first=FIRST)

    cycles, done = defaultdict(list), defaultdict(int)
    for row in rows:
        kind, start, end = expected(company.world, row)
        if kind == "completed":
            week = week_of(end, settings.COMPANY_TIME_ZONE)  # a project of Jira has no zone of its own
            done[week] += 1
            if start is not None and start < end:
                cycles[week].append((end - start).total_seconds() / DAY)
    assert len(cycles) > 3 and sum(done.values()) > sum(map(len, cycles.values()))
    for scope in ({"team": None}, {"team": checkout}):
        found = stored("cycle-time", **scope)
        assert {week: one.n for week, one in found.items()} == {week: len(days) for week, days in cycles.items()}
        for week, days in cycles.items():
            assert found[week].value == pytest.approx(statistics.median(days), abs=1e-6)
        made = stored("throughput", **scope)
        assert {week: one.value for week, one in made.items() if one.value} == done


def test_work_in_progress_is_what_stood_in_a_started_status(company, settings):
    Command().handle()
    rows = work(company.world, company.team, 3)
    company.sync()

    recompute(first=FIRST)

    zone = ZoneInfo(settings.COMPANY_TIME_ZONE)
    started = {key for key, row in company.world.rows("WorkflowState").items() if row["type"] == "started"}
    found = stored("wip", team=None)
    for week in [FIRST + timedelta(weeks=n) for n in range(7)]:
        over = datetime.combine(week + timedelta(days=7), datetime.min.time(), zone)
        held = [
            row for row in rows
            if any(span["stateId"] in started and moment(span["startedAt"]) <= over
                   and (not span.get("endedAt") or moment(span["endedAt"]) > over) for span in row["_stateHistory"])
        ]  # fmt: skip
        assert found[week].value == len(held), week


def test_what_jira_does_not_tell_of_seats_is_not_measured(company):
    Command().handle()
    company.sync()

    recompute(first=FIRST)

    assert not Observation.objects.filter(metric__key__in=["seats-active", "seats-dormant"]).exists()


@pytest.mark.slow
@pytest.mark.skipif(
    not HISTORY.exists(), reason="The real tasks (shared/data/delivery/jira.csv) are not beside the project."
)
def test_a_real_tracker_s_history_arrives_through_jira(open_company):
    with HISTORY.open(encoding="utf-8") as file:
        tasks = {row["id"]: row for row in csv.DictReader(file)}
    company = open_company(history_world(HISTORY, Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))))

    run = company.sync()

    assert run.refused == 0
    items = {item.title: item for item in WorkItem.objects.live()}
    assert set(items) == set(tasks)
    for name, task in tasks.items():
        item = items[name]
        assert (item.opened_at.date(), item.started_at) == (date.fromisoformat(task["created_date"]), item.opened_at)
        assert item.completed_at.date() == date.fromisoformat(task["finished_date"])
