"""Naming repositories: who may, what is refused, what is read then, and what leaves the figures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from connectors import actions, checks
from connectors.models import ChangeRequest, Check, Connection, Release, SourceRecord, State, StreamState, SyncRun
from connectors.queries import sources
from connectors.queries.choices import named
from connectors.services.github import connector
from hub.activity.models import Event
from hub.jobs import worker
from hub.jobs.models import Job
from hub.jobs.work import Lease, LeaseLost
from tests.connectors.factories import make_run

from .truth import assert_same

pytestmark = pytest.mark.django_db
SHOP, APP = BOTH = ("ardoise/shop", "ardoise/app")


def finish_runs():
    SyncRun.objects.update(state=State.DONE)


def address(company):
    return reverse("connectors:connection_edit", args=[company.connection.pk])


def save(client, company, text):
    return client.post(
        address(company), {"label": "GitHub", "base_url": company.sandbox.url, "token": "", "chosen": text}
    )


def test_one_who_connects_is_asked_for_the_repositories(open_company, admin, sign_in):
    company = open_company()
    Connection.objects.all().delete()

    answer = sign_in(admin).post(
        reverse("connectors:connection_create"),
        {"service": "github", "label": "", "token": "github_pat_sandbox", "base_url": company.sandbox.url},
    )

    made = Connection.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("connectors:connection_edit", args=[made.pk]))
    assert 'name="chosen"' in sign_in(admin).get(answer.url).content.decode()


def test_a_service_without_a_choice_has_no_such_field(connection, admin, sign_in):
    text = sign_in(admin).get(reverse("connectors:connection_edit", args=[connection.pk])).content.decode()

    assert 'name="chosen"' not in text


def test_repositories_are_saved_once_each_and_read_at_once(open_company, admin, sign_in):
    company = open_company()

    answer = save(sign_in(admin), company, f"{SHOP}\n\n  {APP} \nArdoise/Shop\n")

    assert answer.status_code == 302
    assert [one["name"] for one in Connection.objects.get().chosen] == [SHOP, APP]
    assert SyncRun.objects.get().reason == SyncRun.Reason.HAND
    assert Event.objects.filter(verb="chose").get().changes == {"chosen": [[], [APP, SHOP]]}
    assert Job.objects.filter(kind__endswith="check_connection").exists()


@pytest.mark.parametrize(
    "wrong", ["shop", "https://github.com/ardoise/shop", "ardoise/..", "a/b/c", "ardoise/sh op?x=1"]
)
def test_what_is_no_repository_is_refused_by_name(open_company, admin, sign_in, wrong):
    company = open_company()

    answer = save(sign_in(admin), company, f"{SHOP}\n{wrong}")

    assert answer.status_code == 422
    assert f"“{wrong}” is no such name." in answer.content.decode()
    assert Connection.objects.get().chosen == []


def test_the_test_of_the_connection_names_what_the_token_does_not_open(company, admin):
    company.name(SHOP, "ardoise/nowhere")
    company.forge.rename(SHOP, "store")

    checks.check(Connection.objects.get())

    found = Check.objects.get()
    assert (found.state, found.account, sorted(found.unavailable)) == (
        State.DONE,
        "ardoise-hub",
        ["ardoise/nowhere", SHOP],
    )


def test_a_test_that_is_told_to_wait_accuses_no_repository(company, monkeypatch):
    monkeypatch.setattr("connectors.budget.Pace.pause", lambda *_args: None)
    company.fail("forbidden", "user", count=0)
    company.fail("limited", "repository", count=None, retry_after=1800)

    checks.check(Connection.objects.get())

    assert Check.objects.get().state == State.FAILED
    assert Check.objects.get().unavailable == {}


def test_what_is_no_longer_named_leaves_at_once_and_comes_back_when_named_again(company, admin):
    company.sync()
    company.connection.refresh_from_db()

    actions.choose(connection=company.connection, names=[SHOP], by=admin)

    assert set(ChangeRequest.objects.live().values_list("repository", flat=True)) == {SHOP}
    assert Release.objects.live().count() == 1
    reasons = set(SourceRecord.objects.exclude(deleted_at=None).values_list("deletion_reason", flat=True))
    assert reasons == {SourceRecord.Reason.UNMAPPED}
    finish_runs()
    assert company.sync().gone == 0
    assert_same(company, [SHOP])

    actions.choose(connection=company.connection, names=BOTH, by=admin)
    finish_runs()
    company.sync()
    assert_same(company, BOTH)


def test_what_is_no_longer_named_while_it_is_read_does_not_come_back(company, admin, during):
    company.clock.set(datetime.now(UTC))
    run = make_run(company.connection)
    during(f"/repos/{SHOP}/releases", lambda: actions.choose(connection=company.connection, names=[APP], by=admin))

    worker.run(run.job)
    worker.run(run.job)

    run.refresh_from_db()
    assert run.state == State.DONE
    assert Release.objects.filter(repository=APP).exists()
    assert not Release.objects.live().filter(repository=SHOP).exists()
    assert not ChangeRequest.objects.live().filter(repository=SHOP).exists()


def test_a_list_half_read_goes_on_with_no_repository_that_left(company, admin):
    place = {"page_token": f"{SHOP}?page=3", "window_pages": 2, "window_seen": 200, "token_prints": [1, 2, 3]}
    StreamState.objects.create(connection=company.connection, stream="pulls", **place)

    actions.choose(connection=company.connection, names=[APP], by=admin)

    state = StreamState.objects.get()
    assert (state.page_token, state.window_pages, state.window_seen, state.token_prints) == ("", 0, 0, [])


def test_saving_the_same_list_again_starts_nothing(company, admin):
    assert actions.choose(connection=company.connection, names=BOTH, by=admin) is False
    assert not SyncRun.objects.exists()


def test_what_is_named_is_read_from_its_beginning_once(open_company, admin):
    company = open_company()
    company.sync()
    actions.choose(connection=Connection.objects.get(), names=[SHOP], by=admin)
    company.connection.refresh_from_db()
    assert named(company.connection, connector.streams)["deployments"] == [SHOP]
    finish_runs()

    company.clock.set(datetime.now(UTC))
    company.sync(timedelta(seconds=1))

    assert named(company.connection, connector.streams)["deployments"] == []
    assert_same(company, [SHOP])


def test_what_is_named_while_a_run_is_under_way_waits_for_the_next_one(company, admin):
    overlap = connector.streams[0].overlap
    run = make_run(company.connection, slot="under way")
    upper = datetime.now(UTC) + timedelta(minutes=20)  # the worker's clock is ahead of ours, and it may have read past
    half_read = StreamState.objects.create(connection=company.connection, stream="pulls", upper=upper)

    actions.choose(connection=company.connection, names=[*BOTH, "ardoise/secret"], by=admin)
    half_read.watermark = upper - overlap
    half_read.save()

    assert named(company.connection, connector.streams)["pulls"] == ["ardoise/secret"]
    assert SyncRun.objects.get() == run


def test_saving_the_same_list_begins_nothing_anew(company, admin, sign_in):
    run = make_run(company.connection)
    held = worker.claim(run.job)

    save(sign_in(admin), company, "\n".join(BOTH))

    Lease(held.pk, held.lease_epoch, 60).confirm()
    assert not Event.objects.filter(verb="chose").exists()


def test_another_list_has_the_worker_look_again(company, admin):
    run = make_run(company.connection)
    held = worker.claim(run.job)

    actions.choose(connection=company.connection, names=[SHOP], by=admin)

    with pytest.raises(LeaseLost):
        Lease(held.pk, held.lease_epoch, 60).confirm()


def test_a_source_of_which_nothing_is_chosen_waits_for_somebody_and_is_never_green(open_company, admin, ops, sign_in):
    company = open_company()
    company.sync()

    source = sources(company.connection.pk)[0]
    shown = {role: sign_in(who).get("/syncs/").content.decode() for role, who in (("admin", admin), ("ops", ops))}

    assert {(one.tone, str(one.text)) for one in (source.said, *(row.said for row in source.rows))} == {
        ("warn", "Waits for you")
    }
    assert "It is not said yet what of GitHub is read, so nothing of it is." in shown["ops"]
    assert f'href="{address(company)}"' in shown["admin"] and f'href="{address(company)}"' not in shown["ops"]
    assert "A technical admin can do that." in shown["ops"]
    company.name(SHOP)
    company.sync()
    assert "Waits for you" not in sign_in(ops).get("/syncs/").content.decode()
