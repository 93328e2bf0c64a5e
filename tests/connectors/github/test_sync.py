"""The whole way: a forge, its wire, the engine, PostgreSQL. What the tables hold is compared with the forge itself."""

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.base import FailureClass
from connectors.models import ChangeRequest, Connection, Deployment, Release, SourceRecord, State, StreamState
from connectors.sandbox.clock import Clock
from connectors.sandbox.github.life import ALL_HOMES, Engineering
from connectors.sandbox.life import Life
from connectors.sandbox.world import World
from hub.jobs.work import TryLater

from .truth import assert_same

pytestmark = pytest.mark.django_db
DAY, WEEK = timedelta(days=1), timedelta(days=8)
SHOP, APP = BOTH = ("ardoise/shop", "ardoise/app")


def stream(run, name="pulls"):
    return run.streams.get(stream=name)


def pulls(company, repository=SHOP):
    return company.forge.rows("Pull", repository)


def test_nothing_is_read_where_no_repository_is_named(open_company):
    company = open_company()

    run = company.sync()

    assert run.state == State.DONE
    assert set(company.asked()) == {"user"}
    assert stream(run).told == ["No repository is named yet: nothing is read."]
    assert not ChangeRequest.objects.exists()


def test_a_first_sync_brings_everything_and_a_second_writes_nothing(company):
    first = company.sync()
    assert first.state == State.DONE
    assert_same(company, BOTH)

    again = company.sync()

    assert (again.state, again.new, again.changed, again.gone, again.refused) == (State.DONE, 0, 0, 0, 0)
    assert_same(company, BOTH)


def test_a_quiet_night_costs_one_request_for_each_list(company):
    company.sync()
    company.asked()
    company.sync()
    assert company.asked().count("statuses") == 4  # deployments are looked at again for three days
    company.sync(after=timedelta(days=4))
    company.asked()

    company.sync()

    assert company.asked() == ["pulls", "pulls", "releases", "releases", "deployments", "deployments"]


def test_nothing_of_a_repository_that_is_not_named_and_no_text_is_stored(company):
    company.sync()

    raw = str(list(SourceRecord.objects.values_list("raw", flat=True)))
    assert "ardoise/secret" not in raw and "somebody wrote" not in raw


def test_changes_of_every_kind_arrive_with_the_next_night(company):
    company.sync()
    forge, (_, _, third, fourth, _) = company.forge, pulls(company)
    forge.merge(third["id"])
    forge.edit_pull(fourth["id"], title="SHP-99: told anew", draft=True)
    forge.publish(SHOP, "v1.1.0")
    failed = forge.deploy(SHOP, "production")
    forge.tell(failed["id"], "in_progress")
    forge.tell(failed["id"], "error")

    run = company.sync()

    assert (stream(run).changed, stream(run, "releases").new, stream(run, "deployments").new) == (2, 1, 1)
    assert Deployment.objects.get(external_id=failed["id"]).outcome == "failure"
    assert ChangeRequest.objects.get(external_id=fourth["id"]).item_keys == ["SHP-4", "SHP-99"]
    assert_same(company, BOTH)


def test_a_deployment_that_ends_a_day_later_is_seen_to_end(company):
    made = company.forge.deploy(SHOP, "production")
    company.sync()
    assert Deployment.objects.get(external_id=made["id"]).outcome == "pending"
    company.clock.advance(DAY)
    company.forge.tell(made["id"], "success")

    company.sync()

    assert Deployment.objects.get(external_id=made["id"]).outcome == "success"
    assert_same(company, BOTH)


def test_a_repository_named_later_is_read_from_its_beginning_and_the_others_are_not(open_company):
    company = open_company()
    company.name(SHOP)
    company.sync()
    company.sync(after=timedelta(days=30))
    company.name(SHOP, APP)

    run = company.sync(timedelta(hours=1))

    assert (stream(run).seen, stream(run).new, stream(run, "deployments").new) == (5, 5, 2)
    company.sync()
    company.asked()
    company.sync()
    assert company.asked().count("pulls") == 2
    assert_same(company, BOTH)


def test_a_change_while_pages_are_read_is_not_missed(company):
    for place in range(250):
        company.forge.open_pull(SHOP, f"Many {place}", branch="many")
        company.clock.advance(timedelta(seconds=1))
    company.fail("edit_during_paging", "pulls", count=2)
    company.sync()

    company.sync()

    assert_same(company, BOTH)


def test_what_is_deleted_is_found_gone(company):
    company.sync()
    forge = company.forge
    forge.delete("Release", forge.rows("Release", SHOP)[0]["id"])
    forge.delete("Deployment", forge.rows("Deployment", APP)[0]["id"])

    run = company.sync()
    assert (stream(run, "releases").gone, Release.objects.live().count()) == (1, 1)

    run = company.sync(after=WEEK)
    assert stream(run, "deployments").gone == 1
    assert_same(company, BOTH)


@pytest.mark.parametrize("what", ["hide", "rename"])
def test_a_repository_that_is_gone_is_told_and_does_not_keep_the_others_from_being_read(company, what):
    company.sync()
    if what == "hide":
        company.forge.hide(SHOP)
    else:
        company.forge.rename(SHOP, "store")
    company.forge.merge(pulls(company, APP)[2]["id"])

    run = company.sync()

    assert (stream(run).state, stream(run).changed) == (State.DONE, 1)
    assert stream(run).told == [f"{SHOP} was renamed, is not there, or is not among the token’s repositories."]
    assert stream(run, "releases").failure == FailureClass.SCOPE_MISSING
    assert ChangeRequest.objects.live().count() == 10 and Release.objects.live().count() == 2


def test_a_repository_that_comes_back_is_caught_up_with(company):
    company.sync()
    company.forge.hide(SHOP)
    company.sync()
    company.forge.merge(pulls_of(company, SHOP)[3]["id"])
    company.forge.deploy(SHOP, "production")
    company.sync(after=timedelta(days=4))
    company.forge.show(SHOP)

    company.sync(after=WEEK)
    company.sync()

    assert_same(company, BOTH)


def pulls_of(company, repository):
    """Return the pull requests of a repository that may be hidden."""
    home = company.forge.repository(repository)["id"]
    return [row for row in company.forge.tables["Pull"].values() if row["home"] == home]


def test_the_hours_budget_puts_the_run_off_until_it_is_full_again(open_company):
    company = open_company(requests_per_hour=3)
    company.name(*BOTH)
    company.clock.set(datetime.now(UTC))

    with pytest.raises(TryLater):
        company.sync(timedelta())

    company.connection.refresh_from_db()
    assert company.connection.pause_reason == FailureClass.RATE_LIMITED
    assert timedelta(minutes=50) < company.connection.pause_until - datetime.now(UTC) <= timedelta(hours=1)


def test_a_secondary_limit_that_names_no_time_is_waited_for_a_minute(company, monkeypatch):
    rests = []
    monkeypatch.setattr("connectors.budget.time.sleep", rests.append)
    monkeypatch.setattr("connectors.budget.Pace.pause", lambda self, until: rests.append(until))
    company.fail("limited", "pulls", secondary=True)

    run = company.sync()

    assert run.state == State.DONE
    assert timedelta(seconds=50) < rests[0] - datetime.now(UTC) <= timedelta(minutes=1)


def test_a_token_without_a_right_stops_that_stream_alone(company):
    company.wire.grant("github_pat_sandbox", frozenset({"metadata", "pull_requests", "contents"}))

    run = company.sync()

    assert stream(run, "deployments").failure == FailureClass.SCOPE_MISSING
    assert (stream(run).state, stream(run, "releases").state) == (State.DONE, State.DONE)


def test_a_revoked_token_is_told_and_a_new_one_goes_on(company):
    company.sync()
    company.wire.revoke("github_pat_sandbox")

    run = company.sync()

    assert run.state == State.FAILED
    assert Connection.objects.get().auth == Connection.Auth.NEEDS_REAUTH
    assert ChangeRequest.objects.live().count() == 10


def test_a_first_reading_that_was_cut_off_goes_on_where_it_was(company):
    for place in range(250):
        company.forge.open_pull(SHOP, f"Many {place}", branch="many")
    company.fail("status", "pulls", skip=1, count=None)
    assert company.sync(only=["pulls"]).state == State.FAILED
    assert StreamState.objects.get(stream="pulls").page_token
    company.wire.faults.clear()
    company.asked()

    company.sync(only=["pulls"])

    assert company.asked()[:3] == ["pulls", "pulls", "pulls"]
    assert ChangeRequest.objects.live().count() == 260


@pytest.mark.slow
def test_the_demo_company_arrives_whole_and_goes_on(open_company):
    world = World(Clock(datetime(2026, 4, 8, 12, tzinfo=UTC)))
    life = Life(world, first=date(2026, 3, 2), departments=[Engineering])
    life.advance()
    company = open_company(life.departments[0].forge)
    homes = [f"ardoise/{home}" for home in ALL_HOMES]
    company.name(*homes)

    assert company.sync(timedelta(minutes=1)).state == State.DONE
    assert_same(company, homes)
    with_key = ChangeRequest.objects.filter(is_by_bot=False)
    identifiers = {row["identifier"] for row in world.rows("Issue").values()}
    tied = [one for one in with_key if set(one.item_keys) & identifiers]
    assert len(tied) > 0.75 * with_key.count()

    world.clock.advance(2 * DAY)
    life.advance()
    third = company.sync(timedelta(minutes=1))
    assert third.new > 0 and third.changed > 0
    assert_same(company, homes)
