"""Adoption, computed a second time in plain Python from the rows."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from connectors.hooks import tell_rooms
from connectors.models import ActivityDay, Connection, PersonAccount
from hub.jobs.models import Job
from hub.people.models import Membership, Team, User
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory
from tests.tooling.factories import ToolFactory, account, connected, days_ago
from tooling.models import AdoptionRollup, AdoptionWeek, Tool, Workspace
from tooling.sync.adoption import rebuild
from tooling.tasks import rebuild_adoption

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
BEST_FIRST = ["activity", "sign_in", "edit", "last_seen", "manual"]


def by_hand(tool, day):
    """Return {(team id or None, window): (eligible, holders, active, accounts, accounts active, unmatched)}, signal."""
    connections = [w.connection_id for w in Workspace.objects.filter(tool=tool)]
    seats = [
        a
        for a in PersonAccount.objects.all()
        if a.connection_id in connections
        and a.deleted_at is None
        and a.is_active
        and a.kind != "bot"
        and a.match != "ignored"
    ]
    last, signals = {}, set()
    for seat in seats:
        days = [d for d in ActivityDay.objects.filter(account=seat) if day - timedelta(days=90) < d.day <= day]
        signals |= {d.signal for d in days}
        seen = [d.day for d in days]
        if seat.last_seen_at:
            signals.add("last_seen")
            seen.append(seat.last_seen_at.astimezone(PARIS).date())
        last[seat.pk] = max(seen, default=None)
    teams, everybody = defaultdict(set), set()
    for membership in Membership.objects.select_related("person", "team"):
        holds = membership.starts_on <= day and (membership.ends_on is None or day < membership.ends_on)
        if holds and membership.person.is_active and membership.team.is_active:
            teams[membership.team_id].add(membership.person_id)
            everybody.add(membership.person_id)
    signal = next((s for s in BEST_FIRST if s in signals), "")
    expected = {}
    for window in (7, 30, 90):
        fresh = {pk for pk, seen in last.items() if seen and seen > day - timedelta(days=window)}
        for key, people in [(None, everybody), *teams.items()]:
            own = seats if key is None else [s for s in seats if s.person_id in people]
            holders = {s.person_id for s in seats if s.person_id in people}
            active = {s.person_id for s in seats if s.person_id in people and s.pk in fresh}
            expected[key, window] = (
                len(people),
                len(holders),
                len(active) if signal else None,
                len(own),
                len([s for s in own if s.pk in fresh]) if signal else None,
                len([s for s in own if s.person_id is None]) if key is None else 0,
            )
    return expected, signal


def stored(tool):
    rows = AdoptionRollup.objects.filter(tool=tool, is_current=True)
    return {
        (r.team_id, r.window): (r.eligible, r.holders, r.active, r.accounts, r.accounts_active, r.unmatched)
        for r in rows
    }


def world(seed):
    """A small company with every oddity: leavers, guests, bots, second accounts, moves between teams, dead teams."""
    chance = random.Random(seed)
    today = timezone.localdate()
    tool = ToolFactory()
    connections = [connected(tool, "linear"), connected(tool, "linear-two")]
    connected(ToolFactory(), "other")
    teams = [TeamFactory(is_active=number != 4) for number in range(5)]
    people = [UserFactory(is_active=chance.random() < 0.9) for _ in range(25)]
    for person in people:
        for team in chance.sample(teams, chance.choice([0, 1, 1, 1, 2])):
            starts = today - timedelta(days=chance.choice([0, 1, 40, 400, -3]))
            ends = chance.choice([None, None, None, today, today + timedelta(days=9)])
            if ends is None or ends > starts:
                is_main = not person.memberships.filter(is_primary=True, ends_on=None).exists()
                MembershipFactory(person=person, team=team, starts_on=starts, ends_on=ends, is_primary=is_main)
    everywhere = [*connections, Connection.objects.get(service="other")]
    for number in range(60):
        made = account(
            chance.choice(everywhere),
            chance.choice([None, *people, *people, *people]),
            key=f"x{number}",
            days={
                today - timedelta(days=chance.choice([-1, 0, 1, 6, 7, 8, 29, 30, 31, 89, 90, 91, 300]))
                for _ in range(3)
            }
            if chance.random() < 0.7
            else (),
            signal=chance.choice(["last_seen", "edit", "activity"]),
            kind=chance.choice(["member", "member", "admin", "guest", "bot"]),
            is_active=chance.random() < 0.9,
            deleted_at=chance.choice([None] * 9 + [timezone.now()]),
            last_seen_at=chance.choice([None, timezone.now() - timedelta(days=chance.randint(0, 100))]),
        )
        if chance.random() < 0.05:
            made.match = "ignored"
            made.save()
    return tool


@pytest.mark.parametrize("seed", range(6))
def test_rollups_equal_an_independent_count(seed):
    tool, today = world(seed), timezone.localdate()

    rebuild(tool=tool, as_of=today)

    expected, signal = by_hand(tool, today)
    assert stored(tool) == expected
    assert set(AdoptionRollup.objects.values_list("signal", flat=True)) == {signal}


def test_counting_twice_changes_nothing():
    tool, today = world(7), timezone.localdate()
    rebuild(tool=tool, as_of=today)
    first = stored(tool)

    rebuild(tool=tool, as_of=today)

    assert stored(tool) == first


def test_company_days_are_kept_and_teams_are_not():
    tool, today = world(8), timezone.localdate()

    for back in (2, 1, 0):
        rebuild(tool=tool, as_of=today - timedelta(days=back))

    assert AdoptionRollup.objects.filter(tool=tool, team=None, window=30).count() == 3
    assert set(AdoptionRollup.objects.exclude(team=None).values_list("as_of", flat=True)) == {today}


def test_a_person_with_two_accounts_counts_once():
    tool = ToolFactory()
    connection = connected(tool)
    person = MembershipFactory().person
    account(connection, person, days=[days_ago(1)])
    account(connection, person, days=[days_ago(2)])

    rebuild(tool=tool, as_of=timezone.localdate())

    row = AdoptionRollup.objects.get(tool=tool, team=None, window=30)
    assert (row.active, row.eligible, row.accounts, row.rate) == (1, 1, 2, 1.0)


def test_no_account_at_all_is_not_measured():
    tool = ToolFactory()
    connected(tool)
    MembershipFactory()

    rebuild(tool=tool, as_of=timezone.localdate())

    row = AdoptionRollup.objects.get(tool=tool, team=None, window=30)
    assert (row.active, row.accounts_active, row.dormant, row.rate, row.signal) == (None, None, None, None, "")


def test_last_seen_is_a_day_of_the_company():
    tool = ToolFactory()
    connection = connected(tool)
    person = MembershipFactory(starts_on=date(2020, 1, 1)).person
    late = datetime(2026, 3, 3, 23, 30, tzinfo=ZoneInfo("UTC"))  # the 4th in Paris
    account(connection, person, last_seen_at=late)

    rebuild(tool=tool, as_of=date(2026, 3, 10))

    assert AdoptionRollup.objects.get(team=None, window=7).active == 1


def test_weeks_count_people_once_and_end_today():
    tool = ToolFactory()
    connection = connected(tool)
    person = UserFactory()
    monday = date(2026, 3, 2)
    account(connection, person, days=[monday, monday + timedelta(days=1), monday + timedelta(days=7)])
    account(connection, person, days=[monday])
    account(connection, None, days=[monday, monday + timedelta(days=60)])

    rebuild(tool=tool, as_of=date(2026, 3, 20))

    assert dict(AdoptionWeek.objects.values_list("week", "active")) == {monday: 2, monday + timedelta(days=7): 1}


def test_a_sync_enqueues_one_count_and_makes_the_workspace():
    ToolFactory(slug="linear", name="Linear", starter=True)
    connection = Connection.objects.create(service="linear", label="Linear", workspace_name="Ardoise")

    tell_rooms(connection)

    job = Job.objects.get(kind="tooling.tasks.rebuild_adoption")
    rebuild_adoption(**job.payload)
    rebuild_adoption(**job.payload)
    workspace = Workspace.objects.get(connection=connection)
    assert (workspace.name, workspace.tool.slug, workspace.tool.is_starter) == ("Ardoise", "linear", False)
    assert AdoptionRollup.objects.filter(tool=workspace.tool, is_current=True).count() == 3


def test_a_service_nobody_knows_becomes_a_discovered_tool():
    connection = Connection.objects.create(service="brand_new", label="Brand new")

    rebuild_adoption(connection_id=connection.pk)

    tool = Tool.objects.get(slug="brand_new")
    assert (tool.lifecycle, tool.name) == ("discovered", "Brand New")


def test_a_connection_that_is_gone_is_no_error():
    rebuild_adoption(connection_id=4711)

    assert not AdoptionRollup.objects.exists()


def test_counting_takes_the_same_queries_for_any_number_of_people(django_assert_max_num_queries):
    tool = ToolFactory()
    connection = connected(tool)
    people = User.objects.bulk_create(User(email=f"p{n}@x.example", name=f"P {n}") for n in range(400))
    team = Team.objects.create(name="All", slug="all")
    Membership.objects.bulk_create(Membership(person=p, team=team, starts_on=date(2025, 1, 1)) for p in people)
    accounts = PersonAccount.objects.bulk_create(
        PersonAccount(connection=connection, external_id=p.email, person=p) for p in people
    )
    ActivityDay.objects.bulk_create(ActivityDay(account=a, day=days_ago(3), signal="activity") for a in accounts)

    with django_assert_max_num_queries(10):
        rebuild(tool=tool, as_of=timezone.localdate())

    assert AdoptionRollup.objects.get(team=team, window=7).active == 400
