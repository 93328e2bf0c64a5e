"""The whole way: a world, Jira's wire, the engine, PostgreSQL. What the tables hold is compared with the world."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from connectors.base import FailureClass
from connectors.models import (
    PersonAccount,
    SourceRecord,
    State,
    StreamRun,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkState,
)
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.jira.shows import account_id, jira_id
from connectors.sandbox.life import demo_world
from hub.jobs.work import TryLater
from tests.connectors.replay import assert_every_fault_can_befall

from .truth import assert_same

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def some_issues(company, count=12):
    world, team = company.world, company.team
    bug = next(key for key, row in world.rows("IssueLabel").items() if row["name"] == "Regression")
    people = list(world.rows("User"))
    return [
        world.create_issue(team, f"Issue {n}", assigneeId=people[n % 3], estimate=float(n % 5) or None, priority=n % 5,
                           labelIds=[bug] if n % 3 == 0 else [])["id"]
        for n in range(count)
    ]  # fmt: skip


def test_a_first_sync_brings_everything_and_a_second_writes_nothing(company):
    keys = some_issues(company, 130)
    for key in keys[:40]:
        company.world.edit_issue(key, state="In progress", at=company.world.clock.advance(HOUR))
    for key in keys[:20]:
        company.world.edit_issue(key, state="Done", at=company.world.clock.advance(HOUR))

    first = company.sync()
    assert (first.state, first.refused) == (State.DONE, 0)
    assert_same(company.connection, company.world)

    again = company.sync()
    assert (again.state, again.new, again.changed, again.gone) == (State.DONE, 0, 0, 0)
    week_later = company.sync(7 * DAY)  # every record is read again
    assert (week_later.state, week_later.new, week_later.changed, week_later.gone) == (State.DONE, 0, 0, 0)


@pytest.mark.slow
def test_the_demo_company_arrives_whole_and_goes_on(open_company):
    world, life = demo_world(Clock(datetime(2026, 4, 22, 12, tzinfo=UTC)), scale=0.1)
    company = open_company(world)

    assert company.sync(timedelta(minutes=1)).state == State.DONE
    assert_same(company.connection, world)

    world.clock.advance(2 * DAY)
    life.advance()
    third = company.sync(timedelta(minutes=1))
    assert third.new > 0 and third.changed > 0
    assert_same(company.connection, world)


def test_changes_of_every_kind_arrive(company):
    world, keys = company.world, some_issues(company)
    sprint = world.add_cycle(company.team, world.clock.now() - DAY, world.clock.now() + 13 * DAY)
    company.sync()
    person = list(world.rows("User"))[1]
    world.edit_issue(keys[0], state="In progress", actor_id=person, at=world.clock.advance(HOUR))
    world.edit_issue(keys[0], cycleId=sprint["id"], estimate=8.0, at=world.clock.advance(HOUR))
    world.edit_issue(keys[1], state="Canceled")
    world.edit_issue(keys[2], state="Done")
    world.edit_issue(keys[2], state="In progress", at=world.clock.advance(HOUR))
    world.archive("Issue", keys[3])
    world.rename("WorkflowState", world.state(company.team, "Todo")["id"], "Ready")
    world.deactivate(person)

    company.sync()
    assert WorkItem.objects.live().filter(external_id=jira_id(keys[3])).exists()  # no window shows what is gone
    run = company.sync(7 * DAY)

    assert run.state == State.DONE
    assert_same(company.connection, world)
    moved = Transition.objects.live().filter(item_ref=jira_id(keys[0])).order_by("at")
    assert list(moved.values_list("field", "after")) == [
        ("state", jira_id(world.state(company.team, "In progress")["id"])), ("cycle", jira_id(sprint["id"])),
        ("estimate", "8"),
    ] or set(moved.values_list("field", flat=True)) == {"state", "cycle", "estimate"}  # fmt: skip
    assert moved.first().actor_ref == account_id(person)
    assert WorkItem.objects.get(external_id=jira_id(keys[0])).cycle_entered_at is not None
    assert WorkState.objects.filter(name="Ready", type="unstarted").exists()
    assert WorkCycle.objects.get().number == int(jira_id(sprint["id"]))


def test_a_bug_is_a_type_there_and_counts_as_a_label_here(company):
    keys = some_issues(company, 2)

    company.sync()

    bug, story = (WorkItem.objects.get(external_id=jira_id(key)) for key in keys)
    named = dict(WorkLabel.objects.values_list("external_id", "name"))
    assert [named[ref] for ref in bug.label_refs] == ["Bug", "Regression"]
    assert [named[ref] for ref in story.label_refs] == ["Story"]


def test_more_than_forty_changes_are_asked_for_and_none_is_lost(company):
    world, [key] = company.world, some_issues(company, 1)
    for place in range(130):
        world.edit_issue(key, state=("In progress", "Todo")[place % 2], at=world.clock.advance(HOUR))

    company.sync()

    assert_same(company.connection, world)
    assert [line.operation for line in company.wire.log].count("changelog") == 2


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "Europe/Paris"])
def test_the_zone_of_the_token_s_owner_moves_nothing(open_company, zone):
    company = open_company(zone=zone)
    keys = some_issues(company)
    company.sync()
    company.world.clock.advance(HOUR)
    company.world.edit_issue(keys[0], state="In progress")

    run = company.sync(timedelta(seconds=40))
    assert run.changed == 1
    assert_same(company.connection, company.world)
    again = company.sync(200 * DAY)  # past the end of summer time: the same moments are written differently

    assert (again.new, again.changed, again.gone) == (0, 0, 0)


def test_an_edit_that_the_index_shows_late_is_found_by_the_overlap(open_company):
    company = open_company(index_lag=timedelta(minutes=20))
    keys = some_issues(company)
    company.sync()
    company.world.edit_issue(keys[0], state="In progress", at=company.world.clock.advance(HOUR))

    assert company.sync(timedelta(minutes=5), only=["issues"]).changed == 0
    assert company.sync(timedelta(minutes=20), only=["issues"]).changed == 1
    assert_same(company.connection, company.world)


def test_a_hidden_e_mail_leaves_an_account_unmatched_and_is_said(open_company):
    company = open_company(hidden=["ben@ardoise.example"])

    company.sync()

    ben = PersonAccount.objects.get(name="Ben Okri")
    assert (ben.email, ben.match) == ("", PersonAccount.Match.UNMATCHED)
    [notice] = StreamRun.objects.get(stream="users").notices
    assert notice["values"] == {"count": 1}
    assert notice["text"].startswith("Accounts that hide their e-mail")


def test_nothing_that_people_wrote_is_kept_but_titles(company):
    key = some_issues(company, 1)[0]
    company.world.edit_issue(key, state="Done", actor_id=next(iter(company.world.rows("User"))))

    company.sync()

    kept = str(SourceRecord.objects.filter(stream="issues").get().raw)
    assert "Issue 0" in kept
    assert "wrote" not in kept and "@" not in kept and "avatar" not in kept and "Ada" not in kept


@pytest.mark.parametrize(
    ("action", "operation", "params", "kind"),
    [
        ("unauthorized", "search", {}, FailureClass.AUTH_INVALID),
        ("forbidden", "search", {}, FailureClass.SCOPE_MISSING),
        ("rejected", "search", {"status": 410}, FailureClass.QUERY_REJECTED),
        ("rejected", "search", {}, FailureClass.QUERY_REJECTED),
        ("status", "search", {"status": 503}, FailureClass.SOURCE_DOWN),
        ("edge_html", "search", {"status": 404}, FailureClass.SOURCE_DOWN),
        ("truncated", "search", {}, FailureClass.BAD_PAYLOAD),
        ("cursor_loop", "search", {}, FailureClass.SOURCE_MISBEHAVES),
        ("field_missing", "search", {"path": "issues.fields.status"}, FailureClass.SCHEMA_DRIFT),
        ("type_changed", "search", {"path": "issues.fields.summary", "value": 7}, FailureClass.SCHEMA_DRIFT),
        ("not_an_object", "status", {}, FailureClass.BAD_PAYLOAD),
    ],
)
def test_a_lasting_fault_is_named_and_what_was_known_stays(company, action, operation, params, kind):
    keys = some_issues(company, 120)
    company.sync()
    for key in keys:
        company.world.edit_issue(key, title="New")
    company.fail(action, operation, count=None, **params)

    run = company.sync(only=["issues"])

    failed = run.streams.get(stream="issues")
    assert (failed.state, failed.failure) == (State.FAILED, kind)
    assert WorkItem.objects.live().count() == 120


def test_a_limit_is_waited_for_as_long_as_jira_says(company):
    company.fail("limited", "search", retry_after=600)

    with pytest.raises(TryLater):
        company.sync()

    company.connection.refresh_from_db()
    assert company.connection.pause_reason == FailureClass.RATE_LIMITED
    assert company.connection.pause_until > timezone.now() + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("status", {"status": 502}),
        ("internal", {}),
        ("truncated", {}),
        ("reset_inside", {}),
        ("limited", {"retry_after": 1}),
        ("duplicate_row", {}),
        ("edit_during_paging", {}),
        ("cursor_expired", {}),
        ("strange_text", {"path": "issues.fields.summary"}),
        ("new_enum", {"path": "issues.fields.status.statusCategory.key"}),
    ],
)
def test_a_passing_fault_loses_nothing(company, action, params):
    keys = some_issues(company, 120)
    company.fail(action, "search", skip=int(action == "cursor_expired"), **params)

    company.sync()
    for key in keys:  # what a spoiled field brought in is put right by the next change
        company.world.edit("Issue", key, at=company.world.clock.now() + HOUR)
    run = company.sync()

    assert run.state == State.DONE
    assert_same(company.connection, company.world)


def test_a_token_that_expired_is_no_empty_company(open_company):
    company = open_company(strangers_may_read=True)
    some_issues(company)
    company.sync()
    company.wire.secrets.clear()

    run = company.sync(7 * DAY)

    assert set(run.streams.values_list("failure", flat=True)) <= {FailureClass.AUTH_INVALID, ""}
    company.connection.refresh_from_db()
    assert company.connection.auth != company.connection.Auth.OK
    assert WorkItem.objects.live().count() == 12


def test_a_site_without_boards_has_no_sprints_and_everything_else(company):
    some_issues(company)
    company.fail("feature", "boards", count=None)

    run = company.sync()

    failed = dict(run.streams.filter(state=State.FAILED).values_list("stream", "failure"))
    assert failed == {"cycles": FailureClass.STREAM_UNAVAILABLE}
    assert WorkItem.objects.live().count() == 12


def test_a_small_world_that_has_no_issue_is_read_to_its_end(open_company):
    run = open_company(small_world()).sync()

    assert run.state == State.DONE
    assert WorkItem.objects.count() == 0


def test_every_fault_can_befall_every_request(company):
    some_issues(company)

    assert_every_fault_can_befall(company.wire, company.sync)
