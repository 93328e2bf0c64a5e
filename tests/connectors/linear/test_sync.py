"""The whole way: a world, its wire, the engine, PostgreSQL. What the tables hold is compared with the world itself."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import FailureClass
from connectors.models import Connection, PersonAccount, State, WorkItem, WorkState
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.life import demo_world
from connectors.sandbox.linear import KEY
from tests.connectors.company import UNLIMITED, Company

from .truth import assert_same

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class LinearCompany(Company):
    service, label, secret = "linear", "Linear", KEY
    between_syncs = timedelta(minutes=1)  # a window ends before its own moment


@pytest.fixture
def connect(put_on):
    """Serve a world and return (sandbox, a function that runs one whole sync and returns the run)."""

    def make(world, **wire):
        company = put_on(LinearCompany, world, request_limit=UNLIMITED, point_limit=UNLIMITED, **wire)
        return company.sandbox, company.sync

    return make


@pytest.mark.slow
def test_the_demo_company_arrives_whole_and_a_second_run_writes_nothing(connect):
    world, life = demo_world(Clock(datetime(2026, 5, 6, 12, tzinfo=UTC)), scale=0.2)
    _sandbox, sync = connect(world)

    first = sync()
    assert first.state == State.DONE
    assert_same(Connection.objects.get(), world)

    again = sync()
    assert (again.state, again.new, again.changed) == (State.DONE, 0, 0)

    world.clock.advance(timedelta(days=2))
    life.advance()
    third = sync()
    assert third.new > 0 and third.changed > 0
    assert_same(Connection.objects.get(), world)


def test_changes_of_every_kind_arrive(connect):
    world = small_world()
    team = next(iter(world.rows("Team")))
    keys = [world.create_issue(team, f"Issue {number}")["id"] for number in range(8)]
    _sandbox, sync = connect(world)
    sync()
    world.clock.advance(HOUR)
    world.edit_issue(keys[0], state="In progress", actor_id=next(iter(world.rows("User"))))
    world.edit_issue(keys[1], state="Done")
    world.archive("Issue", keys[2])
    world.trash("Issue", keys[3])
    world.rename("WorkflowState", world.state(team, "Todo")["id"], "Ready")
    world.deactivate(list(world.rows("User"))[1])
    world.delete("TeamMembership", list(world.rows("TeamMembership"))[2])

    run = sync()

    assert run.state == State.DONE
    assert_same(Connection.objects.get(), world)
    assert PersonAccount.objects.filter(is_active=False).count() == 1
    assert WorkItem.objects.get(external_id=keys[3]).is_trashed
    assert WorkState.objects.filter(name="Ready").exists()


def test_a_history_longer_than_its_page_arrives_whole(connect):
    world = small_world()
    team = next(iter(world.rows("Team")))
    issue = world.create_issue(team, "To and fro")
    for number in range(130):
        world.clock.advance(HOUR)
        world.edit_issue(issue["id"], state=("In progress", "Todo")[number % 2])
    sandbox, sync = connect(world)

    sync()

    assert len(issue["_history"]) == 130
    assert_same(Connection.objects.get(), world)
    more = [line.operation for line in sandbox.linear.log if line.operation.endswith("More")]
    assert sorted(more) == ["IssueHistoryMore"] * 2 + ["IssueStatesMore"] * 2


@pytest.mark.parametrize(
    "fault",
    [
        ("status", {"status": 502}),
        ("internal", {}),
        ("truncated", {}),
        ("empty", {}),
        ("reset_before", {}),
        ("reset_inside", {}),
        ("gzip_garbage", {}),
        ("content_type", {}),
        ("partial", {}),
        ("edge_html", {"status": 520}),
        ("duplicate_row", {}),
        ("cursor_expired", {}),
        ("new_enum", {"path": "issues.nodes.state.type"}),
        ("strange_text", {"path": "issues.nodes.title"}),
    ],
    ids=lambda fault: fault[0],
)
def test_a_passing_fault_loses_nothing_and_counts_nothing_twice(connect, fault):
    world = small_world()
    team = next(iter(world.rows("Team")))
    for number in range(150):
        world.create_issue(team, f"Issue {number}")
    sandbox, sync = connect(world)
    action, params = fault
    sandbox.fail(action, "IssuesWindow", skip=1, **params)

    sync()
    for row in world.rows("Issue").values():  # what a spoiled field brought in is put right by the next change
        world.edit("Issue", row["id"], at=world.clock.now() + HOUR)
    world.clock.advance(HOUR)
    run = sync()

    assert run.state == State.DONE
    assert_same(Connection.objects.get(), world)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("unauthorized", FailureClass.AUTH_INVALID),
        ("forbidden", FailureClass.SCOPE_MISSING),
        ("feature", FailureClass.STREAM_UNAVAILABLE),
        ("rejected", FailureClass.QUERY_REJECTED),
        ("cursor_loop", FailureClass.SOURCE_MISBEHAVES),
    ],
)
def test_a_lasting_fault_is_named_and_what_was_known_stays(connect, action, kind):
    world = small_world()
    team = next(iter(world.rows("Team")))
    for number in range(150):
        world.create_issue(team, f"Issue {number}")
    sandbox, sync = connect(world)
    sync()
    for row in world.rows("Issue").values():
        world.edit_issue(row["id"], title="New")
    sandbox.fail(action, "IssuesWindow", count=None)

    run = sync()

    failed = run.streams.get(stream="issues")
    assert (failed.state, failed.failure) == (State.FAILED, kind)
    assert WorkItem.objects.live().count() == 150
