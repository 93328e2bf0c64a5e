"""The whole way: a board, its wire, the engine, PostgreSQL. What the tables hold is compared with the board itself."""

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.base import FailureClass
from connectors.models import (
    ActivityDay,
    DailySnapshot,
    Feedback,
    PersonAccount,
    ProductItem,
    ProductLink,
    State,
    StreamState,
)
from connectors.sandbox.clock import Clock
from connectors.sandbox.life import Life
from connectors.sandbox.productboard.life import ProductOffice
from connectors.sandbox.world import World
from connectors.services.productboard import TYPES

from .truth import assert_same, assert_same_items

DAY = timedelta(days=1)


def one(board, kind):
    return next(iter(board.rows(kind)))


def test_a_first_sync_brings_everything_and_a_second_writes_nothing(company):
    ada = one(company.board, "member")
    company.board.be_active(ada, company.board.clock.now().date(), boardsOpened=3)

    first = company.sync()
    assert first.state == State.DONE
    assert_same(company.connection, company.board)

    again = company.sync()
    assert (again.state, again.new, again.changed, again.gone, again.refused) == (State.DONE, 0, 0, 0, 0)
    assert_same(company.connection, company.board)


@pytest.mark.slow
def test_the_demo_company_arrives_whole_and_goes_on(open_company):
    world = World(Clock(datetime(2026, 4, 8, 12, tzinfo=UTC)))
    life = Life(world, first=date(2026, 3, 2), departments=[ProductOffice])
    life.advance()
    company = open_company(life.departments[0].board, as_array=True, ends_with_null=False)

    assert company.sync(timedelta(minutes=1)).state == State.DONE
    assert_same(company.connection, company.board)

    world.clock.advance(2 * DAY)
    life.advance()
    third = company.sync(timedelta(minutes=1))
    assert third.new > 0 and third.changed > 0
    assert_same(company.connection, company.board)


def test_changes_of_every_kind_arrive(company):
    board = company.board
    company.sync()
    feature, goal, note = one(board, "feature"), one(board, "objective"), one(board, "note")
    board.clock.advance(DAY)
    board.edit(feature, status="Delivered", timeframe={"endDate": "2026-06-30", "granularity": "quarter"})
    board.edit(feature, **{board.linear_field: "https://linear.app/ardoise/project/p1"})
    board.edit(goal, health={"status": "atRisk"}, archived=True)
    board.edit(note, processed=True)
    board.add("feature", "Pay later", status="New idea")
    board.add_note("Too slow")
    member = list(board.rows("member"))[1]
    board.edit(member, disabled=True)
    board.leave_team(member, one(board, "team"))

    run = company.sync()

    assert run.state == State.DONE
    assert_same(company.connection, board)
    assert ProductItem.objects.get(external_id=feature).outside_urls == ["https://linear.app/ardoise/project/p1"]


def test_a_tie_that_moves_no_date_is_found_by_the_nightly_sweep_and_by_nothing_before(company):
    board = company.board
    company.sync()
    feature, goal = one(board, "feature"), one(board, "objective")
    before = board.rows("feature")[feature]["updatedAt"]
    board.tie(feature, "link", goal)
    tied = ProductLink.objects.live().filter(item_ref=feature, target_ref=goal)

    company.sync(timedelta(hours=1), only=["features"])
    assert not tied.exists()
    run = company.sync(timedelta(hours=20), only=["features"])

    assert board.rows("feature")[feature]["updatedAt"] == before
    assert tied.exists() and run.changed == 1
    board.untie(feature, "link", goal)
    company.sync(only=["features"])
    assert not tied.exists()


def test_a_note_tied_without_a_date_is_found_within_a_week(company):
    board = company.board
    company.sync()
    note, feature = one(board, "note"), one(board, "feature")
    board.tie(note, "link", feature)

    for _night in range(7):
        company.sync(only=["notes"])

    assert_same(company.connection, board)


def test_what_was_deleted_is_gone_the_next_night_and_comes_back(company):
    board = company.board
    board.add("feature", "Pay later")
    company.sync()
    row = board.delete(one(board, "feature"))

    run = company.sync()
    assert run.gone == 1
    assert_same_items(company.connection, board)
    board.bring_back(row)
    company.sync(only=["features"])
    assert_same_items(company.connection, board)
    company.sync(timedelta(days=7))
    assert_same(company.connection, board)  # notes lost their tie to it, and none of their dates moved


def test_status_dates_and_health_are_kept_per_day(company):
    board, feature = company.board, one(company.board, "feature")
    company.sync(only=["features", "notes"])
    board.edit(feature, status="Delivered", health={"status": "offTrack"})
    company.sync(only=["features", "notes"])
    company.sync(only=["features", "notes"])

    kept = DailySnapshot.objects.filter(stream="features", external_id=feature).order_by("day")
    assert [row.values["fields.status.name"] for row in kept] == ["In progress", "Delivered"]
    assert [row.values["fields.health.status"] for row in kept] == [None, "offTrack"]
    note = one(board, "note")
    board.edit(note, processed=True)
    company.sync(only=["features", "notes"])
    seen = DailySnapshot.objects.filter(stream="notes", external_id=note).order_by("day")
    assert [row.values["fields.processed"] for row in seen] == [False, True]


def test_an_archived_note_reads_as_unprocessed_whatever_it_was(company):
    board, note = company.board, one(company.board, "note")
    board.edit(note, processed=True)
    company.sync(only=["notes"])
    board.edit(note, archived=True)
    company.sync(only=["notes"])

    held = Feedback.objects.get(external_id=note)
    assert (held.is_archived, held.is_processed) == (True, False)


def test_a_renamed_removed_or_new_field_is_named(company):
    board = company.board
    company.sync(only=["configurations"])
    old = board.add_field("feature", "Jira")
    company.sync(only=["configurations"])
    board.rename_field("feature", board.linear_field, "Delivery")
    board.remove_field("feature", old)
    board.add_field("objective", "Budget", "number")

    run = company.sync(only=["configurations"])

    told = run.streams.get(stream="configurations").told
    assert "feature: the field “Linear project” is now called “Delivery”" in told
    assert "feature: the field “Jira” is gone" in told
    assert "objective: a new field, “Budget”" in told


def test_ties_longer_than_their_page_arrive_whole(open_company):
    company = open_company(ties_a_page=2)
    board, feature = company.board, one(company.board, "feature")
    for number in range(5):
        board.tie(feature, "isBlocking", board.add("feature", f"Feature {number}")["id"])

    company.sync()

    assert_same(company.connection, board)
    assert company.asked().count("entities relationships") == 3


def test_one_type_a_search_and_the_last_three_days_of_activity_again(company):
    board, member = company.board, one(company.board, "member")
    company.sync()
    board.be_active(member, board.clock.now().date() - 2 * DAY, notesCreated=1)
    company.asked()

    company.sync()

    asked = company.asked()
    assert sorted(name for name in asked if name.startswith("search")) == sorted(f"search {t}" for t in TYPES.values())
    assert_same(company.connection, board)


@pytest.mark.parametrize("switches", [{"ends_with_null": False}, {"as_array": True}, {"search_types": "all"}])
def test_what_the_contract_says_twice_makes_no_difference(open_company, switches):
    company = open_company(**switches)
    for number in range(120):
        company.board.add("feature", f"Feature {number}")

    company.sync()
    again = company.sync()

    assert_same(company.connection, company.board)
    assert (again.changed, again.new) == (0, 0)


def test_an_active_day_counts_as_activity_and_a_quiet_one_does_not(company):
    board, (ada, ben, _chloe) = company.board, company.board.rows("member")
    day = board.clock.now().date()
    board.be_active(ada, day, boardsOpened=1)
    board.be_active(ben, day)

    company.sync()

    seen = ActivityDay.objects.values_list("account__external_id", "day", "signal")
    assert list(seen) == [(ada, day, "activity")]


def test_an_endpoint_outside_the_plan_stops_its_own_stream_alone(open_company):
    for status in (403, 404):
        company = open_company(not_in_plan={"member-activities", "search keyResult"}, plan_status=status)

        run = company.sync()

        failed = dict(run.streams.exclude(state=State.DONE).values_list("stream", "failure"))
        assert failed == dict.fromkeys(("member_activities", "key_results"), FailureClass.STREAM_UNAVAILABLE)
        assert run.state == State.PARTLY
        assert ProductItem.objects.filter(connection=company.connection, kind="objective").exists()


def test_a_missing_right_is_named_with_the_right(company):
    company.wire.grant("little", {"entities:read", "members:pii:read", "analytics:read"})
    company.wire.tokens["pb_sandbox_token"] = company.wire.tokens["little"]

    run = company.sync()

    failed = run.streams.exclude(state=State.DONE)
    assert {one.stream: one.failure for one in failed} == {
        "configurations": FailureClass.SCOPE_MISSING,  # the catalogue of notes is part of it
        "notes": FailureClass.SCOPE_MISSING,
    }
    assert "notes:read" in failed.get(stream="notes").detail


def test_hidden_people_are_said_in_words_and_wait_for_a_match_by_hand(company):
    company.wire.tokens["pb_sandbox_token"] = frozenset({"entities:read", "notes:read", "analytics:read"})

    run = company.sync()

    accounts = PersonAccount.objects.filter(connection=company.connection)
    assert accounts.count() == 3
    assert set(accounts.values_list("email", "name", "match")) == {("", "", PersonAccount.Match.UNMATCHED)}
    assert any("hidden from this token" in notice for notice in run.streams.get(stream="members").told)
    assert not ProductItem.objects.exclude(owner_email="").exists()
    assert ProductItem.objects.get(kind="product").owner_ref == one(company.board, "member")


def test_a_link_to_another_host_is_not_followed(company):
    for number in range(120):
        company.board.add("feature", f"Feature {number}")
    company.sync(only=["features"])
    for row in list(company.board.rows("feature").values()):
        company.board.edit(row["id"], name="New")
    company.fail("type_changed", "search feature", path="links.next", value="https://api.productboard.com/v2/entities")

    run = company.sync(only=["features"])

    failed = run.streams.get(stream="features")
    assert (failed.state, failed.failure) == (State.FAILED, FailureClass.SOURCE_MISBEHAVES)
    assert "another host" in failed.detail
    company.sync()
    assert_same(company.connection, company.board)


def test_a_page_kept_from_a_sandbox_of_yesterday_is_asked_for_at_todays_address(company):
    for number in range(120):
        company.board.add("feature", f"Feature {number}")
    company.fail("status", "search feature", skip=1, count=6, status=503)

    company.sync()

    token = StreamState.objects.get(connection=company.connection, stream="features").page_token
    assert token.startswith("/v2/entities/search?")
