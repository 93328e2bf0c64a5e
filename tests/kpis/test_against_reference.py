"""The product's SQL against plain Python: on 4,123 real tasks, and on small worlds made to be awkward."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.models import (
    Connection,
    PersonAccount,
    StateSpan,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkState,
    WorkTeam,
)
from hub.people.models import Membership, Team, User
from kpis.management.commands.load_metrics import Command
from kpis.models import Metric, Observation, ObservationHistory
from kpis.starter import metrics
from kpis.sync.recompute import recompute
from tests.kpis.reference import World, company_predictability, predictability, scope_change, seats, week_of

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
            parent_ref=i["parent"], label_refs=i["labels"], is_trashed=i["is_trashed"], deleted_at=i["deleted_at"],
        )
        for i in world.items
    )  # fmt: skip
    WorkState.objects.bulk_create(
        WorkState(connection=wire, external_id=ref, name=ref, type="started", deleted_at=world.removed_states.get(ref))
        for ref in world.started_states
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
        "parent": "", "labels": [], "is_trashed": False,
        "deleted_at": None, **fields,
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
                deleted_at=draw(st.none() | st.none() | moments),
            )
        )  # fmt: skip
        for _ in range(draw(st.integers(0, 2))):
            a, b = sorted((draw(moments), draw(moments)))
            state = draw(st.sampled_from(["doing", "review", "todo"]))
            spans.append((f"i{n}", state, a, draw(st.sampled_from([b, None]))))
    return zones, items, spans, draw(st.none() | moments)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_small_awkward_worlds(wire, drawn):
    zones, items, spans, removed_at = drawn
    for model in (WorkTeam, WorkItem, WorkState, StateSpan, WorkLabel, Observation):
        model.objects.all().delete()
    a, _ = Team.objects.get_or_create(slug="a", defaults={"name": "A"})
    b, _ = Team.objects.get_or_create(slug="b", defaults={"name": "B"})
    teams = {"A": (a.pk, zones[0]), "B": (b.pk, zones[1]), "C": (None, zones[2])}
    removed = {"review": removed_at} if removed_at else {}
    started = {"doing", "review"}
    world = World(teams, items, spans, started_states=started, bug_refs={"crash"}, removed_states=removed)
    store(wire, world)

    recompute(first=date(2026, 9, 28), now=NOW)

    expected = world.flow() | world.bugs()
    found = stored("cycle-time", "cycle-time-p85", "lead-time", "throughput", "bug-ratio", "bug-ratio-done")
    found = {key: row for key, row in found.items() if key in expected or key[0] != "throughput" or row.value != 0}
    agree(found, expected)
    found = stored("wip", "wip-age-p85", "ageing-share")
    expected = {
        (key, scope, week): figures
        for week in {week for _key, _scope, week in found}
        for (key, scope), figures in world.stock(week, NOW).items()
    }
    found = {key: row for key, row in found.items() if key in expected or key[0] != "wip" or row.value != 0}
    agree(found, expected)


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
    mean, deviation = predictability(cycles, NOW)
    assert rows["predictability", team.pk, last].value == pytest.approx(mean)
    assert rows["predictability", team.pk, last].spread == pytest.approx(deviation)


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
    assert Metric.objects.count() == len(metrics())


def finished(ref, length):
    done = datetime(2026, 11, 12, tzinfo=UTC)
    return item(
        ref, state_type="completed", opened_at=done - timedelta(days=9), started_at=done - timedelta(days=length),
        completed_at=done,
    )  # fmt: skip


@st.composite
def cycle_worlds(draw):
    """Trackers' teams A and B with up to nine cycles each, of two weeks or of one, and items that come and go."""
    teams = {}
    for name in "AB":
        length = timedelta(weeks=draw(st.sampled_from([1, 2])))
        start = datetime(2026, 6, 29, draw(st.integers(0, 23)), tzinfo=UTC)
        cycles = []
        for number in range(draw(st.integers(0, 9))):
            starts = start + number * length
            members = []
            for _ in range(draw(st.integers(0, 4))):
                hours = sorted(draw(st.lists(st.integers(-48, 160), min_size=1, max_size=3, unique=True)))
                history = [(starts + timedelta(hours=hour), n % 2 == 0) for n, hour in enumerate(hours)]
                done = draw(st.none() | st.integers(1, 500))
                members.append((history, starts + timedelta(hours=done) if done else None))
            points = draw(st.lists(st.integers(-2, 40), max_size=5))
            items = draw(st.lists(st.integers(0, 9), max_size=5))
            cycles.append(
                {"starts": starts, "ends": starts + length, "items": members, "points": points, "count": items}
            )
        teams[name] = cycles
    estimation = {name: draw(st.sampled_from(["", "notUsed", "linear"])) for name in "AB"}
    return teams, estimation, draw(st.sampled_from(["apart", "together", "one of them tied"]))


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cycle_worlds())
def test_predictability_and_scope_of_generated_cycles(wire, drawn):
    world, estimation, tie = drawn
    for model in (WorkTeam, WorkItem, WorkCycle, Transition, Observation):
        model.objects.all().delete()
    a, _ = Team.objects.get_or_create(slug="a", defaults={"name": "A"})
    b, _ = Team.objects.get_or_create(slug="b", defaults={"name": "B"})
    tied = {"A": a, "B": {"apart": b, "together": a, "one of them tied": None}[tie]}
    for name, cycles in world.items():
        store_cycles(wire, name, tied[name], estimation[name], cycles)

    recompute(first=date(2026, 6, 29), now=NOW)

    told = {name: [(c["starts"], c["ends"], c["items"]) for c in cycles] for name, cycles in world.items()}
    closed = {(name, week_of(c["ends"], "UTC")): c for name in world for c in world[name] if c["ends"] <= NOW}
    expected = {}
    for week in {week for _name, week in closed}:
        here = [name for name in "AB" if (name, week) in closed]
        until = {name: closed[name, week]["ends"] for name in here}
        # A week says something only where a cycle with a commitment ended in it
        said = [name for name in here if predictability([told_of(closed[name, week])], NOW)]
        value = company_predictability([[c for c in told[name] if c[1] <= until[name]] for name in said], NOW)
        if value is not None:
            expected["predictability", None, week] = value
        for name in said:
            if tie != "together" and tied[name]:
                expected["predictability", tied[name].pk, week] = predictability(
                    [c for c in told[name] if c[1] <= until[name]], NOW
                )[0]
        change = scope_change([closed[name, week]["count"] for name in here])
        if change is not None:
            expected["scope-change", None, week] = change
        for team in {tied[name] for name in here if tied[name]}:
            measure = "points" if all(estimation[n] == "linear" for n in "AB" if tied[n] == team) else "count"
            change = scope_change([closed[name, week][measure] for name in here if tied[name] == team])
            if change is not None:
                expected["scope-change", team.pk, week] = change
    found = stored("predictability", "scope-change")
    if tie == "together":  # two trackers' teams in one: the mean over both, checked by the company's sum
        found = {key: row for key, row in found.items() if key[:2] != ("predictability", a.pk)}
    assert {key: row.value for key, row in found.items()} == {
        key: pytest.approx(value, abs=1e-9) for key, value in expected.items()
    }


def told_of(cycle):
    return cycle["starts"], cycle["ends"], cycle["items"]


def store_cycles(wire, name, team, estimation, cycles):
    """Write one tracker team's cycles, their items, and the changes of each item's cycle."""
    WorkTeam.objects.create(
        connection=wire, external_id=name, team=team, time_zone="UTC", has_cycles=True, estimation=estimation
    )
    for number, cycle in enumerate(cycles):
        ref = f"{name}{number}"
        WorkCycle.objects.create(
            connection=wire, external_id=ref, team_ref=name, number=number, starts_at=cycle["starts"],
            ends_at=cycle["ends"], scope_history=cycle["points"], item_count_history=cycle["count"],
        )  # fmt: skip
        for place, (history, done_at) in enumerate(cycle["items"]):
            item_ref = f"{ref}-{place}"
            WorkItem.objects.create(
                connection=wire, external_id=item_ref, identifier=item_ref, team_ref=name,
                opened_at=cycle["starts"] - timedelta(days=9), completed_at=done_at,
                state_type="completed" if done_at else "started", cycle_ref=ref if history[-1][1] else "",
            )  # fmt: skip
            Transition.objects.bulk_create(
                Transition(
                    connection=wire, external_id=f"{item_ref}:{at:%d%H}", item_ref=item_ref, field="cycle", at=at,
                    before="" if comes_in else ref, after=ref if comes_in else "",
                )
                for at, comes_in in history
            )  # fmt: skip


accounts = st.fixed_dictionaries(
    {
        "is_active": st.sampled_from([True, True, True, False]),
        "kind": st.sampled_from(["person", "person", "bot"]),
        "seen": st.none() | st.integers(-100, 0).map(lambda day: NOW + timedelta(days=day)),
        "joined": st.none() | st.integers(-100, 0).map(lambda day: NOW + timedelta(days=day)),
        "deleted_at": st.sampled_from([None, None, None, NOW]),
        "is_in_team": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(accounts, min_size=1, max_size=12))
def test_seats_are_counted_as_of_the_night_they_were_read(wire, drawn):
    PersonAccount.objects.all().delete()
    Observation.objects.all().delete()
    team, _ = Team.objects.get_or_create(slug="a", defaults={"name": "A"})
    for number, one in enumerate(drawn):
        person = None
        if one["is_in_team"]:
            person, is_new = User.objects.get_or_create(email=f"p{number}@x.example", defaults={"name": f"P {number}"})
            if is_new:
                Membership.objects.create(person=person, team=team, is_primary=True, starts_on=date(2026, 1, 5))
        PersonAccount.objects.create(
            connection=wire, external_id=f"u{number}", kind=one["kind"], is_active=one["is_active"],
            last_seen_at=one["seen"], joined_at=one["joined"], deleted_at=one["deleted_at"], person=person,
        )  # fmt: skip

    recompute(now=NOW)

    found = {key: row.value for key, row in stored("seats-active", "seats-dormant").items()}
    expected = {}
    for scope, rows in ((None, drawn), (team.pk, [one for one in drawn if one["is_in_team"]])):
        active, dormant = seats(rows, NOW)
        if active + dormant:
            week = week_of(NOW, "UTC")
            expected |= {("seats-active", scope, week): active, ("seats-dormant", scope, week): dormant}
    assert found == expected


def test_what_the_tracker_took_back_counts_no_more(wire):
    team = Team.objects.create(name="A", slug="a")
    opened, week = datetime(2026, 11, 10, tzinfo=UTC), date(2026, 11, 9)
    rows = [item(f"i{n}", opened_at=opened, labels=[label]) for n, label in enumerate(["old", "child", "crash"])]
    spans = [(f"i{n}", "doing", opened, None) for n in range(3)]
    store(wire, World({"A": (team.pk, "UTC")}, rows, spans, started_states={"doing"}, bug_refs={"crash"}))
    WorkLabel.objects.create(connection=wire, external_id="old", name="Bug", deleted_at=NOW)
    WorkLabel.objects.create(connection=wire, external_id="gone", name="Bug", is_group=True, deleted_at=NOW)
    WorkLabel.objects.create(connection=wire, external_id="child", name="Child", parent_ref="gone")
    StateSpan.objects.filter(item_ref="i0").update(deleted_at=NOW)

    recompute(first=week, now=NOW)

    assert stored("bug-ratio")["bug-ratio", team.pk, week].value == pytest.approx(1 / 3)
    assert stored("wip")["wip", team.pk, week].value == 2


def test_a_change_of_cycle_that_was_taken_back_commits_nothing(wire):
    team = Team.objects.create(name="A", slug="a")
    starts = datetime(2026, 11, 2, tzinfo=UTC)
    came = [(starts - timedelta(hours=5), True)]
    members = [(came, starts + timedelta(days=2)), (came, None)]
    store_cycles(wire, "A", team, "", [{"starts": starts, "ends": starts + timedelta(weeks=1), "items": members,
                                        "points": [], "count": []}])  # fmt: skip
    Transition.objects.filter(item_ref="A0-1").update(deleted_at=NOW)
    WorkItem.objects.filter(external_id="A0-1").update(cycle_ref="")

    recompute(first=date(2026, 10, 26), now=NOW)

    assert stored("predictability")["predictability", team.pk, date(2026, 11, 9)].value == 1


def test_an_item_deleted_after_its_cycle_stays_in_what_was_committed(wire):
    team = Team.objects.create(name="A", slug="a")
    starts = datetime(2026, 11, 2, tzinfo=UTC)
    came = [(starts - timedelta(hours=5), True)]
    members = [(came, starts + timedelta(days=2)), (came, None)]
    store_cycles(wire, "A", team, "", [{"starts": starts, "ends": starts + timedelta(weeks=1), "items": members,
                                        "points": [], "count": []}])  # fmt: skip
    WorkItem.objects.filter(external_id="A0-1").update(deleted_at=NOW)

    recompute(first=date(2026, 10, 26), now=NOW)

    assert stored("predictability")["predictability", team.pk, date(2026, 11, 9)].value == 0.5
