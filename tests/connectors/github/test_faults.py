"""Every way in which an answer can go wrong: what the hub calls it, that what was known stays, and that it passes."""

import pytest

from connectors.base import FailureClass
from connectors.models import ChangeRequest, RefusedRecord, State
from connectors.sandbox.faults import ACTIONS
from hub.jobs.work import TryLater
from tests.connectors.lasting import BRIEF, PASSING, named, odd
from tests.connectors.lasting import LASTING as EVERYWHERE
from tests.connectors.replay import assert_every_fault_can_befall

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
# What GitHub does otherwise
LASTING = EVERYWHERE | {
    "feature": None,  # a blocked repository is told, and the others are read
    "partial": FailureClass.BAD_PAYLOAD,
}
PARAMS = BRIEF | {
    "field_missing": {"path": "items.created_at"},
    "field_renamed": {"path": "items.head", "to": "source"},
    "type_changed": {"path": "items.base", "value": "main"},
    "new_enum": {"path": "items.state"},
    "big_string": {"path": "items.title"},
    "strange_text": {"path": "items.title"},
}


@pytest.fixture
def busy(open_company):
    """A repository with more pull requests than a page holds, all of them known and all edited since."""
    company = open_company()
    company.name("ardoise/shop")
    for place in range(130):
        company.forge.open_pull("ardoise/shop", f"Many {place}", branch="many", by="ana")
    company.sync(only=["pulls"])
    for row in company.forge.rows("Pull", "ardoise/shop"):
        company.forge.edit_pull(row["id"], base="next")
    return company


def test_every_fault_of_the_sandbox_is_in_the_table():
    assert set(LASTING) == set(ACTIONS)


@pytest.mark.parametrize("action", named(LASTING))
def test_a_lasting_fault_is_named_and_what_was_known_stays(busy, action, monkeypatch):
    monkeypatch.setattr("connectors.budget.Pace.pause", lambda *_args: None)  # an hour's wait is not sat through
    busy.fail(action, "pulls", count=None, **PARAMS.get(action, {}))

    run = busy.sync(only=["pulls"])

    failed = run.streams.get()
    assert (failed.state, failed.failure) == (State.FAILED, LASTING[action])
    assert ChangeRequest.objects.live().count() == 135


@pytest.mark.parametrize("action", odd(LASTING))
def test_a_lasting_oddity_stops_nothing(busy, action):
    busy.fail(action, "pulls", count=None, **PARAMS.get(action, {}))

    run = busy.sync(only=["pulls"])

    assert run.streams.get().failure == ""
    assert ChangeRequest.objects.live().count() == 135
    if action == "new_enum":
        assert run.streams.get().told == ["state: unknown value “brandNew”, kept as “other”"]
        assert set(ChangeRequest.objects.filter(merged_at=None).values_list("state", flat=True)) == {"other"}


@pytest.mark.parametrize("action", PASSING)
def test_a_passing_fault_loses_nothing_and_counts_nothing_twice(busy, action):
    busy.fail(action, "pulls", skip=1, **PARAMS.get(action, {}))

    busy.sync(only=["pulls"])
    run = busy.sync(only=["pulls"])

    assert run.state == State.DONE
    assert list(ChangeRequest.objects.live().values_list("base", flat=True)) == ["next"] * 135


def test_a_record_that_can_not_be_used_is_set_aside_and_comes_back(busy):
    first = busy.forge.rows("Pull", "ardoise/shop")[0]
    first["title"] = None

    run = busy.sync(only=["pulls"])
    assert (run.streams.get().state, run.refused) == (State.PARTLY, 1)
    assert RefusedRecord.objects.get().path == "title"

    busy.forge.edit_pull(first["id"], title="Told again")
    busy.sync(only=["pulls"])
    assert not RefusedRecord.objects.exists()


def test_an_hour_of_waiting_is_put_off_and_not_sat_through(busy):
    busy.fail("limited", "pulls", retry_after=1800)

    with pytest.raises(TryLater):
        busy.sync(only=["pulls"])

    busy.connection.refresh_from_db()
    assert busy.connection.pause_reason == FailureClass.RATE_LIMITED


def test_statuses_that_can_not_be_read_leave_their_deployments_for_the_next_night(company):
    company.fail("status", "statuses", skip=1, count=None)

    run = company.sync(only=["deployments"])

    assert run.streams.get().failure == FailureClass.SOURCE_DOWN
    company.wire.faults.clear()
    assert company.sync(only=["deployments"]).new == 4


def test_every_fault_can_befall_every_request(company):
    assert_every_fault_can_befall(company.wire, company.sync)
