"""Every way in which an answer can go wrong: what the hub calls it, that what was known stays, and that it passes."""

from copy import deepcopy

import pytest

from connectors.base import FailureClass
from connectors.models import ProductItem, RefusedRecord, State
from connectors.sandbox.faults import ACTIONS
from hub.jobs.work import TryLater
from tests.connectors.lasting import BRIEF, LASTING, PASSING, named, odd

SEARCH = "search feature"
PARAMS = BRIEF | {
    "field_missing": {"path": "data.createdAt"},
    "field_renamed": {"path": "data.fields", "to": "values"},
    "type_changed": {"path": "data.fields.status", "value": "open"},
    "new_enum": {"path": "data.fields.health.status"},
    "big_string": {"path": "data.fields.name"},
    "strange_text": {"path": "data.fields.name"},
}


@pytest.fixture
def busy(company):
    """A company with more features than a page holds, all of them known and all edited since."""
    for number in range(130):
        company.board.add("feature", f"Feature {number}", health={"status": "onTrack"})
    company.sync(only=["features"])
    for row in company.board.rows("feature").values():
        company.board.edit(row["id"], health={"status": "atRisk"})
    return company


def test_every_fault_of_the_sandbox_is_in_the_table():
    assert set(LASTING) == set(ACTIONS)


@pytest.mark.parametrize("action", named(LASTING))
def test_a_lasting_fault_is_named_and_what_was_known_stays(busy, action, monkeypatch):
    monkeypatch.setattr("connectors.budget.Pace.pause", lambda *_args: None)  # an hour's wait is not sat through
    busy.fail(action, SEARCH, count=None, **PARAMS.get(action, {}))

    run = busy.sync(only=["features"])

    failed = run.streams.get()
    assert (failed.state, failed.failure) == (State.FAILED, LASTING[action])
    assert ProductItem.objects.live().filter(kind="feature").count() == 131


@pytest.mark.parametrize("action", odd(LASTING))
def test_a_lasting_oddity_stops_nothing(busy, action):
    busy.fail(action, SEARCH, count=None, **PARAMS.get(action, {}))

    run = busy.sync(only=["features"])

    assert run.streams.get().failure == ""
    assert ProductItem.objects.live().filter(kind="feature").count() == 131
    if action == "new_enum":
        assert any("brandNew" in notice for notice in run.streams.get().told)


@pytest.mark.parametrize("action", PASSING)
def test_a_passing_fault_loses_nothing_and_counts_nothing_twice(busy, action):
    busy.fail(action, SEARCH, skip=1, **PARAMS.get(action, {}))

    busy.sync(only=["features"])
    run = busy.sync(only=["features"])

    assert run.state == State.DONE
    held = {item.external_id: item.health for item in ProductItem.objects.live().filter(kind="feature")}
    assert set(held) == set(busy.board.rows("feature")) and set(held.values()) == {"atRisk"}


def test_a_record_that_can_not_be_used_is_set_aside_and_comes_back(busy):
    first = next(iter(busy.board.rows("feature").values()))
    before = first["fields"]["status"]
    first["fields"]["status"] = "not a status"

    run = busy.sync(only=["features"])
    assert (run.streams.get().state, run.refused > 0) == (State.PARTLY, True)
    assert RefusedRecord.objects.get().path == "fields.status"

    first["fields"]["status"] = before
    busy.sync(only=["features"])
    assert not RefusedRecord.objects.exists()


def test_an_hour_of_waiting_is_put_off_and_not_sat_through(busy):
    busy.fail("limited", SEARCH, retry_after=1800)

    with pytest.raises(TryLater):
        busy.sync(only=["features"])

    busy.connection.refresh_from_db()
    assert busy.connection.pause_reason == FailureClass.RATE_LIMITED


def test_a_fault_spoils_answers_and_never_the_board(busy):
    before = deepcopy(busy.board.truth())
    busy.fail("new_enum", SEARCH, count=None, **PARAMS["new_enum"])

    busy.sync(only=["features"])

    assert busy.board.truth() == before
