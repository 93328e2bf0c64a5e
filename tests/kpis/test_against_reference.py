"""The product's SQL against plain Python: on 4,123 real tasks, and on small worlds made to be awkward."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.models import (
    Connection,
    StateSpan,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkState,
    WorkTeam,
)
from hub.people.models import Team
from kpis.management.commands.load_metrics import Command
from kpis.models import Metric, Observation, ObservationHistory
from kpis.sync.recompute import recompute
from tests.kpis.reference import World, predictability

pytestmark = pytest.mark.django_db
JIRA = Path(__file__).resolve().parents[3] / "shared" / "data" / "delivery" / "jira.csv"
NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)  # a Sunday


@pytest.fixture
def wire(db):
    Command().handle()
    return Connection.objects.create(service="linear", label="Linear")


def store(wire, world):
    """Write a reference world as the rows that a sync would have left."""
    for ref, (team, zone) in world.teams.items():
        WorkTeam.objects.create(connection=wire, external_id=ref, name=ref, team_id=team, time_zone=zone)
    WorkItem.objects.bulk_create(
        WorkItem(
            connection=wire, external_id=i["ref"], identifier=i["ref"], team_ref=i["team"], state_type=i["state_type"],
            opened_at=i["opened_at"], started_at=i["started_at"], completed_at=i["completed_at"],
            parent_ref=i["parent"], label_refs=i["labels"], is_trashed=i["is_trashed"],
        )
        for i in world.items
    )  # fmt: skip
    WorkState.objects.bulk_create(
        WorkState(connection=wire, external_id=ref, name=ref, type="started") for ref in world.started_states
    )
    StateSpan.objects.bulk_create(
        StateSpan(
            connection=wire, external_id=f"s{n}", item_ref=item, state_ref=state, started_at=starts, ended_at=ends
        )
        for n, (item, state, starts, ends) in enumerate(world.spans)
    )
    WorkLabel.objects.create(connection=wire, external_id="group", name="Bug", is_group=True)
    WorkLabel.objects.bulk_create(
        WorkLabel(connection=wire, external_id=ref, name=ref, parent_ref="group") for ref in world.bug_refs
    )


def stored(*keys, since=None):
    rows = Observation.objects.filter(metric__key__in=keys).select_related("metric")
    return {(row.metric.key, row.team_id, row.week): row for row in rows if since is None or row.week >= since}


def agree(found, expected):
    assert set(found) == set(expected)
    for key, (value, n, coverage) in expected.items():
        assert found[key].value == pytest.approx(value, abs=1e-9), key
        assert found[key].n == n, key
        assert found[key].coverage == (None if coverage is None else pytest.approx(coverage)), key


def item(ref, team="A", **fields):
    return {
        "ref": ref, "team": team, "state_type": "backlog", "opened_at": NOW, "started_at": None, "completed_at": None,
        "parent": "", "labels": [], "is_trashed": False, **fields,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(
    not JIRA.exists(), reason="The real tasks (shared/data/delivery/jira.csv) are not beside the project."
)
def test_real_tasks_with_their_impossible_dates(wire):
    teams = [Team.objects.create(name=f"Project {n}", slug=f"project-{n}") for n in (0, 1)]
    at = {"tzinfo": UTC, "hour": 12}
    items = []
    with JIRA.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            opened = datetime.fromisoformat(row["created_date"]).replace(**at)
            done = datetime.fromisoformat(row["finished_date"]).replace(**at)
            items.append(
                item(row["id"], f"p{row['project']}", state_type="completed", opened_at=opened, started_at=opened,
                     completed_at=done)
            )  # fmt: skip
    world = World({"p0": (teams[0].pk, "Europe/Paris"), "p1": (teams[1].pk, "America/Los_Angeles")}, items)
    store(wire, world)

    recompute(first=date(2010, 1, 4), now=NOW)

    assert len(items) == 4123
    assert any(i["completed_at"] < i["opened_at"] for i in items)
    expected = world.flow() | world.bugs()
    found = stored("cycle-time", "cycle-time-p85", "lead-time", "throughput", "bug-ratio", "bug-ratio-done")
    measured_zeros = {key for key in found if key[0] == "throughput" and key not in expected}
    assert all(found.pop(key).value == 0 for key in measured_zeros)
    agree(found, expected)


moments = st.integers(0, 40 * 24 * 60).map(lambda m: datetime(2026, 10, 12, tzinfo=UTC) + timedelta(minutes=m))


@st.composite
def worlds(draw):
    """Two trackers' teams and one that stands for none, over the end of summer time; every oddity a tracker has."""
    zones = [draw(st.sampled_from(["Europe/Paris", "America/Los_Angeles", "Asia/Kathmandu", "UTC"])) for _ in range(3)]
    items, spans = [], []
    for n in range(draw(st.integers(1, 14))):
        opened, started, done = draw(moments), draw(st.none() | moments), draw(st.none() | moments)
        kind = draw(st.sampled_from(["completed", "completed", "started", "canceled", "duplicate"]))
        items.append(
            item(
                f"i{n}", draw(st.sampled_from("ABC")), state_type=kind, opened_at=opened, started_at=started,
                completed_at=done if kind == "completed" else None,
                parent=draw(st.sampled_from(["", "", "i0"])) if n else "",
                labels=draw(st.sampled_from([[], ["crash"], ["other"], ["other", "crash"]])),
                is_trashed=draw(st.sampled_from([False, False, False, True])),
            )
        )  # fmt: skip
        for _ in range(draw(st.integers(0, 2))):
            a, b = sorted((draw(moments), draw(moments)))
            spans.append((f"i{n}", draw(st.sampled_from(["doing", "todo"])), a, draw(st.sampled_from([b, None]))))
    return zones, items, spans


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_small_awkward_worlds(wire, drawn):
    zones, items, spans = drawn
    for model in (WorkTeam, WorkItem, WorkState, StateSpan, WorkLabel, Observation):
        model.objects.all().delete()
    a, _ = Team.objects.get_or_create(slug="a", defaults={"name": "A"})
    b, _ = Team.objects.get_or_create(slug="b", defaults={"name": "B"})
    teams = {"A": (a.pk, zones[0]), "B": (b.pk, zones[1]), "C": (None, zones[2])}
    world = World(teams, items, spans, started_states={"doing"}, bug_refs={"crash"})
    store(wire, world)

    recompute(first=date(2026, 9, 28), now=NOW)

    expected = world.flow() | world.bugs()
    found = stored("cycle-time", "cycle-time-p85", "lead-time", "throughput", "bug-ratio", "bug-ratio-done")
    found = {key: row for key, row in found.items() if key in expected or key[0] != "throughput" or row.value != 0}
    agree(found, expected)
    for row in Observation.objects.filter(metric__key="wip"):
        assert row.value == world.wip(row.week, NOW).get(row.team_id, 0), (row.week, row.team_id)


def test_predictability_is_rebuilt_from_the_changes_of_cycle(wire):
    team = Team.objects.create(name="A", slug="a")
    WorkTeam.objects.create(connection=wire, external_id="A", team=team, time_zone="Europe/Paris", has_cycles=True)
    start, cycles, n = datetime(2026, 8, 24, tzinfo=UTC), [], 0
    for number in range(5):
        starts, ends = start + timedelta(weeks=2 * number), start + timedelta(weeks=2 * number + 2)
        WorkCycle.objects.create(
            connection=wire, external_id=f"c{number}", team_ref="A", number=number, starts_at=starts, ends_at=ends
        )
        members = []
        for comes, leaves, done in (
            (-24, None, 100), (-2, None, 400), (12, None, 50), (30, None, 60), (-10, 20, 90), (-10, 48, None),
            (-5, None, None),
        ):  # fmt: skip
            history = [(starts + timedelta(hours=comes), True)]
            history += [(starts + timedelta(hours=leaves), False)] if leaves else []
            done_at = starts + timedelta(hours=done + number) if done else None
            n += 1
            WorkItem.objects.create(
                connection=wire, external_id=f"i{n}", identifier=f"i{n}", team_ref="A",
                opened_at=starts - timedelta(days=9),
                state_type="completed" if done_at else "started", completed_at=done_at,
                cycle_ref="" if leaves else f"c{number}",
            )  # fmt: skip
            for at, comes_in in history:
                Transition.objects.create(
                    connection=wire, external_id=f"h{n}:{comes_in}", item_ref=f"i{n}", field="cycle", at=at,
                    before="" if comes_in else f"c{number}", after=f"c{number}" if comes_in else "",
                )  # fmt: skip
            members.append((history, done_at))
        cycles.append((starts, ends, members))

    recompute(first=date(2026, 8, 17), now=NOW)

    rows = stored("predictability")
    last = max(key[2] for key in rows)
    assert rows["predictability", team.pk, last].value == pytest.approx(predictability(cycles, NOW))


def test_nothing_changed_writes_nothing(wire):
    team = Team.objects.create(name="A", slug="a")
    store(wire, World({"A": (team.pk, "UTC")}, [finished("i1", 4)]))
    recompute(now=NOW)

    again = recompute(now=NOW)

    assert (again.written, again.restated, again.gone) == (0, 0, 0)


def test_a_restated_value_keeps_the_old_one_with_its_reason(wire):
    team = Team.objects.create(name="A", slug="a")
    store(wire, World({"A": (team.pk, "UTC")}, [finished("i1", 4)]))
    recompute(first=date(2026, 10, 5), now=NOW)
    WorkItem.objects.update(started_at=datetime(2026, 11, 10, tzinfo=UTC))

    recompute(first=date(2026, 10, 5), now=NOW)

    kept = ObservationHistory.objects.get(metric__key="cycle-time", team=team)
    assert kept.value == pytest.approx(4)
    assert kept.reason == ObservationHistory.Reason.SOURCE
    assert Observation.objects.get(metric__key="cycle-time", team=team).value == pytest.approx(2)


def test_history_can_neither_be_changed_nor_erased(wire):
    from django.db import DatabaseError, transaction

    test_a_restated_value_keeps_the_old_one_with_its_reason(wire)

    for act in (lambda: ObservationHistory.objects.update(value=1), lambda: ObservationHistory.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_source_never_read_is_not_measured(wire):
    team = Team.objects.create(name="A", slug="a")
    store(wire, World({"A": (team.pk, "UTC")}, [finished("i1", 4)]))

    recompute()

    assert not Observation.objects.exists()


def test_loading_the_metrics_again_keeps_edits(wire):
    Metric.objects.filter(key="wip").update(name="Our WIP")

    Command().handle()

    assert Metric.objects.get(key="wip").name == "Our WIP"
    assert Metric.objects.count() == 13


def finished(ref, length):
    done = datetime(2026, 11, 12, tzinfo=UTC)
    return item(
        ref, state_type="completed", opened_at=done - timedelta(days=9), started_at=done - timedelta(days=length),
        completed_at=done,
    )  # fmt: skip
