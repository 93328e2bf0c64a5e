"""A sync on a real socket and a real database: what is stored, what is not written, what is gone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors import registry, store
from connectors import sync as rules
from connectors.base import FailureClass as Why
from connectors.engine import Engine, NobodyElse
from connectors.hooks import _after_sync
from connectors.models import (
    ActivityDay,
    Connection,
    DailySnapshot,
    PersonAccount,
    RefusedRecord,
    SeenPage,
    SourceRecord,
    State,
    StateSpan,
    StreamState,
    SyncRun,
    WorkItem,
)
from tests.connectors.factories import make_run
from tests.connectors.stand_in import NOW, issue, person, stamp
from tests.people.factories import UserFactory

pytestmark = pytest.mark.django_db


def live(model):
    return set(model.objects.filter(deleted_at=None).values_list("external_id", flat=True))


def versions(model):
    """Return what tells that a row was written: its physical place and transaction."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT external_id, ctid::text, xmin::text FROM {model._meta.db_table}")
        return sorted(cursor.fetchall())


def test_a_first_sync_brings_everything(sync, world):
    run = sync()

    assert run.state == State.DONE
    assert live(WorkItem) == set(world.issues)
    assert live(PersonAccount) == set(world.people)
    assert StateSpan.objects.count() == 2 * len(world.issues)
    assert (run.seen, run.new, run.changed, run.refused) == (28, 28, 0, 0)


def test_the_same_again_writes_no_row(sync, world):
    sync()
    before = {model: versions(model) for model in (WorkItem, PersonAccount, StateSpan, SourceRecord)}
    StreamState.objects.update(watermark=None)  # so that every issue is read again

    run = sync()

    assert (run.new, run.changed, run.unchanged) == (0, 0, 28)
    assert {model: versions(model) for model in before} == before
    assert not SeenPage.objects.exists()


def test_a_second_run_asks_only_for_what_changed(sync, world):
    sync()
    world.requests.clear()
    world.issues["i3"] |= {"title": "Other", "updatedAt": stamp(timezone.now())}

    sync()

    assert WorkItem.objects.get(external_id="i3").title == "Other"
    assert [path for path, _ in world.requests].count("/issues") == 1


def test_the_watermark_stops_before_the_start_of_the_run(sync):
    run = sync()

    state = StreamState.objects.get(stream="issues")
    assert state.watermark <= run.started_at - timedelta(minutes=10) + timedelta(seconds=5)
    assert state.run is None
    assert state.page_token == ""


def test_a_span_that_is_no_longer_there_is_marked_in_the_same_page(sync, world):
    sync()
    world.issues["i3"] |= {"spans": world.issues["i3"]["spans"][:1], "updatedAt": stamp(timezone.now())}

    sync()

    gone = StateSpan.objects.exclude(deleted_at=None)
    assert [span.external_id for span in gone] == ["i3-s1"]


def test_someone_who_left_the_listing_is_marked_as_gone_and_comes_back(sync, world):
    sync()
    left = world.people.pop("p1")

    run = sync()
    assert run.gone == 1
    assert live(PersonAccount) == {"p0", "p2"}
    world.people["p1"] = left
    sync()

    assert live(PersonAccount) == {"p0", "p1", "p2"}


def test_a_deleted_issue_is_found_by_the_sweep(sync, world):
    sync()
    del world.issues["i5"]

    sync()
    assert "i5" in live(WorkItem)
    StreamState.objects.update(last_sweep_at=NOW - timedelta(days=8))
    sync()

    assert "i5" not in live(WorkItem)
    assert not StateSpan.objects.filter(item_ref="i5", deleted_at=None).exists()


def test_an_old_issue_that_appears_is_read_after_the_sweep_met_it(sync, world):
    sync()
    world.issues["old"] = issue(77, id="old", updated=NOW - timedelta(days=300))
    StreamState.objects.update(last_sweep_at=NOW - timedelta(days=8))

    sync()
    sync()

    assert "old" in live(WorkItem)


def test_a_sweep_that_would_take_a_fifth_waits_for_a_person(sync, world, connection, ops):
    world.people = {f"p{n}": person(n) for n in range(20)}
    sync()
    kept = dict(world.people)
    world.people = {key: world.people[key] for key in list(world.people)[:10]}

    run = sync()
    state = StreamState.objects.get(stream="people")
    assert (run.state, state.failure) == (State.FAILED, Why.SWEEP_IMPLAUSIBLE)
    assert (state.sweep_gone, state.sweep_alive) == (10, 20)
    assert live(PersonAccount) == set(kept)
    StreamState.objects.filter(stream="people").update(sweep_confirmed_at=timezone.now(), sweep_confirmed_by=ops)
    sync(only=("people",))

    assert live(PersonAccount) == set(world.people)


def test_an_empty_listing_takes_nothing_away(sync, world):
    sync()
    world.people = {}

    sync()

    assert len(live(PersonAccount)) == 3


def test_a_record_of_the_wrong_shape_is_set_aside_and_the_last_good_one_stays(sync, world):
    sync()
    world.issues["i1"] |= {"title": None, "updatedAt": stamp(timezone.now())}
    world.issues["i2"] |= {"title": "Fine", "updatedAt": stamp(timezone.now())}

    run = sync()

    refused = RefusedRecord.objects.get()
    assert (refused.external_id, refused.path) == ("i1", "title")
    assert WorkItem.objects.get(external_id="i1").title == "Issue 1"
    assert WorkItem.objects.get(external_id="i2").title == "Fine"
    assert run.state == State.PARTLY


def test_a_better_record_takes_the_refused_one_away(sync, world):
    sync()
    world.issues["i1"] |= {"title": None, "updatedAt": stamp(timezone.now())}
    sync()
    world.issues["i1"] |= {"title": "Good again", "updatedAt": stamp(timezone.now())}

    sync()

    assert not RefusedRecord.objects.exists()


def test_a_renamed_field_stops_the_stream_and_keeps_its_watermark(sync, world):
    sync()
    before = StreamState.objects.get(stream="issues").watermark
    for row in world.issues.values():
        row["heading"] = row.pop("title")
        row["updatedAt"] = stamp(timezone.now())

    run = sync()

    state = StreamState.objects.get(stream="issues")
    assert (state.failure, state.watermark) == (Why.SCHEMA_DRIFT, before)
    assert run.state == State.PARTLY
    assert WorkItem.objects.filter(title__startswith="Issue").count() == len(world.issues)


def test_an_older_version_never_undoes_a_newer_one(sync, world):
    world.issues["i1"]["updatedAt"] = stamp(NOW)
    sync()
    world.issues["i1"] |= {"title": "Old", "updatedAt": stamp(NOW - timedelta(days=5))}
    StreamState.objects.update(watermark=None)

    run = sync()

    assert WorkItem.objects.get(external_id="i1").title == "Issue 1"
    assert run.streams.get(stream="issues").stale == 1


@pytest.mark.parametrize(
    "title", ["é 中 👩‍🚀 \u202eRTL", "nul \x00 inside", "half \ud800 pair", "x" * 1_000_000, "'; DROP TABLE x; --"]
)
def test_odd_text_is_stored(sync, world, title):
    world.issues = {"i1": issue(1, title=title)}

    run = sync()

    assert run.state == State.DONE
    assert WorkItem.objects.count() == 1


def test_a_value_that_no_column_holds_sets_only_its_record_aside(sync, world):
    world.issues["i1"]["priority"] = 10**9

    run = sync()

    assert live(WorkItem) == set(world.issues) - {"i1"}
    assert run.streams.get(stream="issues").refused == 1


def test_the_same_record_on_two_pages_is_one_row(sync, world):
    def twice(handler, path, number):
        if path != "/people":
            return False
        import json

        token = "second" if "token" not in handler.path else None
        handler.reply(200, json.dumps({"rows": [person(1), person(1)], "next": token}).encode())
        return True

    world.fault = twice

    sync()

    assert live(PersonAccount) == {"p1"}


def test_a_long_window_is_halved_until_it_fits(sync, world, monkeypatch):
    sync()
    monkeypatch.setattr(rules, "PAGES_PER_WINDOW", 3)
    start = NOW - timedelta(days=25)
    world.issues = {f"n{n}": issue(n, id=f"n{n}", updated=start + timedelta(hours=n)) for n in range(100)}
    StreamState.objects.filter(stream="issues").update(watermark=start - timedelta(hours=1))

    sync()

    assert set(world.issues) <= live(WorkItem)
    windows = {(query["from"], query["to"]) for path, query in world.requests if path == "/issues"}
    assert len(windows) > 5


def test_a_refused_page_token_has_the_window_read_again(sync, world):
    def change_salt(handler, path, number):
        if path == "/issues" and "token" in handler.path and not world.token_salt:
            world.token_salt = "new"
        return False

    world.fault = change_salt

    run = sync()

    assert run.state == State.DONE
    assert live(WorkItem) == set(world.issues)


def test_accounts_meet_people_by_equal_e_mail_only(sync, world):
    ana = UserFactory(email="person1@ardoise.example", name="Ana")
    by_hand = UserFactory(email="other@ardoise.example", name="Hand")
    world.people["p1"]["email"] = "PERSON1@Ardoise.example"
    sync()
    account = PersonAccount.objects.get(external_id="p1")
    assert (account.person, account.match) == (ana, "email")
    PersonAccount.objects.filter(external_id="p0").update(person=by_hand, match="manual")
    UserFactory(email="person0@ardoise.example", name="Zoé")

    sync()

    assert PersonAccount.objects.get(external_id="p0").person == by_hand
    assert PersonAccount.objects.get(external_id="p2").match == "unmatched"


def test_a_changed_e_mail_unties_what_only_the_e_mail_tied(sync, world):
    UserFactory(email="person1@ardoise.example")
    sync()
    world.people["p1"]["email"] = "new@ardoise.example"

    sync()

    account = PersonAccount.objects.get(external_id="p1")
    assert (account.person, account.match) == (None, "unmatched")


def test_last_seen_becomes_a_day_and_a_snapshot(sync, world):
    world.people["p1"]["lastSeen"] = "2026-03-02T23:30:00+00:00"  # the third in Paris
    sync()
    world.people["p1"]["lastSeen"] = "2026-03-05T08:00:00+00:00"

    sync()

    days = ActivityDay.objects.filter(account__external_id="p1").order_by("day")
    assert [(str(day.day), day.signal) for day in days] == [("2026-03-03", "last_seen"), ("2026-03-05", "last_seen")]
    snapshot = DailySnapshot.objects.get(external_id="p1")  # one a day: the last one counts
    assert snapshot.values == {"lastSeen": "2026-03-05T08:00:00+00:00"}


def test_a_new_field_is_noted_once_and_kept(sync, world):
    sync()
    world.issues["i1"] |= {"colour": "red", "updatedAt": stamp(timezone.now())}

    run = sync()

    assert run.streams.get(stream="issues").told == ["A new field: colour (string)"]
    assert SourceRecord.objects.get(external_id="i1").raw["colour"] == "red"


def test_rooms_hear_of_a_run_that_confirmed_data(sync, world):
    heard = []
    _after_sync.append(heard.append)
    try:
        sync()
    finally:
        _after_sync.remove(heard.append) if heard.append in _after_sync else _after_sync.pop()

    assert [one.service for one in heard] == ["toy"]


def test_a_page_costs_a_fixed_number_of_queries(sync, world):
    world.issues = {f"i{n}": issue(n) for n in range(30)}
    with CaptureQueriesContext(database) as few:
        sync()
    for number in range(200, 400):
        world.issues[f"i{number}"] = issue(number, updated=timezone.now())
    with CaptureQueriesContext(database) as many:
        sync()

    pages_more = 20 - 3
    assert len(many) - len(few) <= pages_more * 25


def test_a_new_mapping_is_applied_without_a_request(sync, world, connection, monkeypatch):
    from connectors import remap

    sync()
    service = registry.connector("toy")
    map_before = service.map
    monkeypatch.setattr(service, "map_version", 2, raising=False)

    def mapped(stream, record):
        from msgspec.structs import replace

        return [
            replace(row, title="Mapped anew") if type(row).__name__ == "WorkItem" else row
            for row in map_before(stream, record)
        ]

    monkeypatch.setattr(service, "map", mapped)
    world.requests.clear()

    remap.remap(connection)

    assert world.requests == []
    assert WorkItem.objects.filter(title="Mapped anew").count() == len(world.issues)
    assert Connection.objects.get().mapped_with == 2
    assert datetime.now(UTC) and SyncRun.objects.count() == 1


def test_what_a_person_answers_while_a_page_is_written_is_kept(connection, world):
    class Answered(NobodyElse):
        def confirm(self):
            StreamState.objects.filter(stream="issues", window_pages=1).update(sweep_confirmed_at=NOW)

    Engine(make_run(connection, slot="test:answered"), registry.connector("toy"), lease=Answered()).go()

    assert StreamState.objects.get(stream="issues").sweep_confirmed_at == NOW


def test_only_what_is_not_held_as_living_is_unknown(sync, connection):
    sync()
    SourceRecord.objects.filter(external_id="i3").update(deleted_at=NOW)
    issues = next(stream for stream in registry.connector("toy").streams if stream.name == "issues")

    assert store.unknown_to_us(connection, issues, ["i2", "i3", "nobody"]) == ["i3", "nobody"]
