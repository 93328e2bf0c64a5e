"""The whole way: a workspace, its wire, the engine, PostgreSQL. What the tables hold is compared with the workspace."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors.base import FailureClass
from connectors.mappings.queries import chosen, findings
from connectors.models import Document, PersonAccount, SourceRecord, State, StreamState
from connectors.queries import sources
from connectors.sandbox.notion.wire import BLIND_TOKEN, PERSONAL_TOKEN
from connectors.sandbox.notion.workspace import prop
from connectors.secrets import seal
from hub.jobs.work import TryLater

from .conftest import small_workspace
from .truth import assert_same

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=8)


def stream(run, name="pages"):
    return run.streams.get(stream=name)


def one_page(company, place=0):
    return list(company.space.by_source[company.interviews["id"]])[place]


def test_nothing_is_read_of_a_database_that_nobody_mapped(open_company):
    company = open_company()

    run = company.sync()

    assert run.state == State.DONE
    assert company.asked() == ["Users", "Search", "Me"]
    assert stream(run).told == ["No database is mapped yet: no page is read."]
    assert not Document.objects.exists()


def test_a_first_sync_brings_everything_and_a_second_writes_nothing(company):
    first = company.sync()
    assert first.state == State.DONE
    assert_same(company, {company.insights["id"], company.interviews["id"]})
    company.asked()

    again = company.sync()

    assert (again.state, again.new, again.changed, again.gone) == (State.DONE, 0, 0, 0)
    assert company.asked() == ["Users", "Search", "Query", "Query", "Query", "Query"]


def test_no_text_and_no_address_of_a_customer_is_stored(company):
    company.sync()

    raw = str(list(SourceRecord.objects.filter(stream="pages").values_list("raw", flat=True)))
    assert "customer said" not in raw and "shopper.example" not in raw
    assert Document.objects.filter(values__contains={"a%3An": {"type": "rich_text", "value": True}}).count() == 10


def test_a_changed_page_arrives_with_the_next_night_and_others_are_left_alone(company):
    company.sync()
    company.clock.advance(timedelta(days=1))
    company.sync()
    company.space.edit_page(one_page(company), {"a%3As": "a%3As-2", "title": "Told anew"})

    run = company.sync()

    assert (stream(run).seen, stream(run).changed) == (1, 1)
    assert_same(company, {company.insights["id"], company.interviews["id"]})


def test_an_edit_within_the_last_minute_of_a_window_is_not_lost(company):
    company.sync()
    company.clock.set(company.clock.now().replace(second=20))
    company.sync(after=timedelta(days=1))
    company.clock.advance(timedelta(seconds=15))  # the same minute: its time lies before the window's end
    company.space.edit_page(one_page(company), {"title": "A quarter of a minute too late"})

    run = company.sync()

    assert stream(run).changed == 1
    assert_same(company, {company.insights["id"], company.interviews["id"]})


def test_a_database_mapped_later_is_read_from_its_beginning_and_the_others_are_not(open_company):
    company = open_company()
    insights, interviews = company.space.sources.values()
    company.map(insights)
    company.sync()
    company.sync(after=timedelta(days=30))
    company.map(interviews)
    assert chosen(company.connection)["unread"] == [interviews["id"]]

    run = company.sync()

    assert (stream(run).seen, stream(run).new) == (10, 10)
    company.sync()
    assert chosen(company.connection)["unread"] == []
    assert_same(company, {insights["id"], interviews["id"]})


def test_a_renamed_property_keeps_its_values_and_is_told(company):
    company.sync()
    company.space.rename_property(company.interviews["id"], "a%3Ad", "Day of the talk")

    run = company.sync(after=WEEK)  # the sweep reads every page again

    assert stream(run, "data_sources").told == ["Interviews: the property “Date” is now called “Day of the talk”."]
    assert (stream(run).changed, stream(run).gone) == (0, 0)
    assert findings() == []
    assert_same(company, {company.insights["id"], company.interviews["id"]})


def test_a_removed_property_raises_a_finding_that_names_the_metrics(company):
    company.sync()
    company.space.remove_property(company.interviews["id"], "a%3As")

    company.sync()

    [(mapping, finding)] = findings()
    assert (mapping.source_ref, finding.kind, finding.name) == (company.interviews["id"], "removed", "Status")
    assert set(finding.metrics) == {
        "interviews", "interview-cadence", "insight-rate", "write-up-time", "discovery-people",
    }  # fmt: skip


def test_a_cut_relation_arrives_whole(company):
    extra = [company.space.add_page(company.insights["id"], {"title": f"More {n}"})["id"] for n in range(130)]
    page = one_page(company)
    company.space.edit_page(page, {"a%3Ai": extra})

    run = company.sync()

    held = Document.objects.get(external_id=page).values
    assert held["a%3Ai"]["value"] == {"count": 130, "ids": extra}
    assert company.asked().count("PropertyItem") == 2
    assert held["a%3Ac"]["value"] is None
    assert "How many: this rollup is incomplete, left empty" in stream(run).told


def test_pages_are_read_although_the_list_of_databases_is_not(company):
    company.sync()
    company.fail("rejected", "Search", count=None)
    company.space.edit_page(one_page(company), {"title": "Read all the same"})

    run = company.sync()

    assert stream(run, "data_sources").state == State.FAILED
    assert stream(run).state == State.DONE
    assert Document.objects.filter(title="Read all the same").exists()


def test_more_people_than_a_page_shows_arrive_whole(company):
    crowd = [company.space.add_user(f"p{n}@shop.example", f"P {n}")["id"] for n in range(31)]
    page = one_page(company)
    company.space.edit_page(page, {"a%3Ap": crowd})

    company.sync()

    assert Document.objects.get(external_id=page).values["a%3Ap"]["value"] == crowd


@pytest.mark.parametrize("fewer_every", [0, 2])
def test_the_cap_of_rows_loses_nothing(open_company, fewer_every):
    company = open_company(row_cap=50, fewer_every=fewer_every)
    _insights, source = company.space.sources.values()
    for place in range(170):
        if place % 3 == 0:
            company.clock.advance(timedelta(minutes=1))  # several pages share a minute
        company.space.add_page(source["id"], {"title": f"Page {place}"})
    company.map(source)

    run = company.sync()

    assert run.state == State.DONE
    assert_same(company, {source["id"]})
    company.sync(after=WEEK)
    assert_same(company, {source["id"]})


def test_more_rows_of_one_minute_than_the_cap_stop_with_an_error(open_company):
    company = open_company(row_cap=50)
    insights, _interviews = company.space.sources.values()
    for place in range(60):
        company.space.add_page(insights["id"], {"title": f"Page {place}"})
    company.map(insights)

    run = company.sync()

    assert (stream(run).state, stream(run).failure) == (State.FAILED, FailureClass.SOURCE_MISBEHAVES)
    assert "more rows with one last_edited_time" in stream(run).detail


def test_a_capped_list_without_its_times_has_changed_its_shape(open_company):
    company = open_company(row_cap=5)
    _insights, source = company.space.sources.values()
    company.map(source)
    company.fail("field_missing", "Query", count=None, path="results.last_edited_time")

    run = company.sync()

    assert (stream(run).state, stream(run).failure) == (State.FAILED, FailureClass.SCHEMA_DRIFT)


def test_a_page_in_the_trash_and_one_taken_away_are_told_apart(company):
    company.sync()
    trashed, hidden, back = (one_page(company, place) for place in range(3))
    company.space.trash(trashed)
    company.space.trash(back)
    company.sync()
    company.space.restore(back)
    company.space.unshare(hidden)

    company.sync(after=WEEK)

    pages = {page.external_id: page for page in Document.objects.filter(source_ref=company.interviews["id"])}
    assert pages[trashed].is_trashed and pages[trashed].deleted_at is None
    assert not pages[hidden].is_trashed and pages[hidden].deleted_at is not None
    assert SourceRecord.objects.get(external_id=hidden).deletion_reason == SourceRecord.Reason.SWEPT
    assert not pages[back].is_trashed
    company.space.share(hidden)
    company.space.edit_page(hidden, {})
    company.sync()
    assert_same(company, {company.insights["id"], company.interviews["id"]})


def test_a_database_that_is_no_longer_shared_keeps_its_pages_and_stops_no_other(company):
    company.sync()
    company.space.unshare(company.insights["id"])
    company.space.edit_page(one_page(company), {"title": "Still read"})

    run = company.sync()

    assert stream(run).state == State.DONE
    assert any("no longer shared" in notice for notice in stream(run).told)
    assert Document.objects.live().filter(source_ref=company.insights["id"]).count() == 4
    assert Document.objects.filter(title="Still read").exists()
    assert [finding.kind for _mapping, finding in findings()] == ["unshared"]
    swept = company.sync(after=WEEK)
    assert (stream(swept).state, stream(swept).failure) == (State.FAILED, FailureClass.SCOPE_MISSING)
    assert Document.objects.live().filter(source_ref=company.insights["id"]).count() == 4


def test_an_edit_that_moves_no_time_is_found_by_the_weekly_sweep(company):
    company.sync()
    company.space.edit_page(one_page(company), {"title": "Quietly"}, quiet=True)
    company.sync(after=timedelta(days=1))
    assert not Document.objects.filter(title="Quietly").exists()

    company.sync(after=WEEK)

    assert Document.objects.filter(title="Quietly").exists()


def test_a_mapped_database_that_the_search_forgets_is_asked_for(company):
    company.sync()
    company.wire.forgotten |= {company.insights["id"], company.interviews["id"]}
    company.asked()

    run = company.sync()

    assert company.asked()[:4] == ["Users", "Search", "DataSource", "DataSource"]
    assert stream(run, "data_sources").gone == 0
    assert stream(run, "data_sources").seen == 2


@pytest.mark.parametrize("token", [PERSONAL_TOKEN, BLIND_TOKEN])
def test_a_token_that_may_not_list_accounts_reads_the_rest(company, token):
    seal(company.connection, token)
    company.connection.save()

    run = company.sync()

    assert (stream(run, "users").state, stream(run, "users").failure) == (
        State.FAILED, FailureClass.STREAM_UNAVAILABLE,
    )  # fmt: skip
    assert "Read user information" in stream(run, "users").detail
    assert stream(run).state == State.DONE
    assert not PersonAccount.objects.exists()


def test_a_night_that_outlives_its_budget_waits_and_goes_on(open_company):
    company = open_company(workspace_limit=5)
    for source in company.space.sources.values():
        company.map(source)

    with pytest.raises(TryLater):
        company.sync()
    company.connection.refresh_from_db()

    assert company.connection.pause_reason == FailureClass.RATE_LIMITED


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("internal", {"status": 529}),
        ("internal", {}),
        ("status", {"status": 502}),
        ("edge_html", {"status": 403}),
        ("edge_html", {"status": 520}),
        ("truncated", {}),
        ("empty", {}),
        ("reset_before", {}),
        ("reset_inside", {}),
        ("gzip_garbage", {}),
        ("content_type", {}),
        ("not_an_object", {}),
        ("partial", {}),
        ("duplicate_row", {}),
        ("edit_during_paging", {}),
        ("empty_page", {}),
        ("cursor_expired", {}),
        ("limited", {"retry_after": 0}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_a_passing_fault_loses_nothing_and_counts_nothing_twice(company, action, params):
    for place in range(120):
        company.space.add_page(company.interviews["id"], {"title": f"Page {place}"})
    company.fail(action, "Query", skip=3, **params)  # the second page of interviews

    company.sync()
    run = company.sync()

    assert run.state == State.DONE
    assert_same(company, {company.insights["id"], company.interviews["id"]})


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("unauthorized", FailureClass.AUTH_INVALID),
        ("forbidden", FailureClass.SCOPE_MISSING),
        ("rejected", FailureClass.QUERY_REJECTED),
        ("cursor_loop", FailureClass.SOURCE_MISBEHAVES),
    ],
)
def test_a_lasting_fault_is_named_and_what_was_known_stays(company, action, kind):
    for place in range(250):
        company.space.add_page(company.interviews["id"], {"title": f"Page {place}"})
    company.sync()
    for key in list(company.space.by_source[company.interviews["id"]]):
        company.space.edit_page(key, {"title": "New"})
    company.fail(action, "Query", count=None)

    run = company.sync()

    assert (stream(run).state, stream(run).failure) == (State.FAILED, kind)
    assert Document.objects.live().filter(source_ref=company.interviews["id"]).count() == 260


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("field_missing", {"path": "results.created_time"}),
        ("field_missing", {"path": "results.properties.Date.type"}),
        ("type_changed", {"path": "results.properties.Who.people", "value": "Ana"}),
        ("type_changed", {"path": "results.properties", "value": []}),
    ],
)
def test_a_page_of_another_shape_is_set_aside_and_the_good_ones_stay(company, action, params):
    company.sync()
    company.space.edit_page(one_page(company), {"title": "Spoiled on its way"})
    company.fail(action, "Query", count=None, **params)

    run = company.sync()

    assert stream(run).refused >= 1
    assert not Document.objects.filter(title="Spoiled on its way").exists()
    assert Document.objects.live().filter(source_ref=company.interviews["id"]).count() == 10


def test_a_type_of_property_that_we_do_not_know_is_left_empty_and_told(company):
    company.interviews["properties"]["a%3Az"] = prop("a%3Az", "Mood", "hologram")

    run = company.sync()

    assert "Mood: unknown type of property “hologram”, left empty" in stream(run).told
    page = Document.objects.get(external_id=one_page(company))
    assert page.values["a%3Az"] == {"type": "hologram", "value": None}


def test_many_unchanged_databases_neither_look_like_a_loop_nor_halve_the_window(open_company):
    space = small_workspace()
    for number in range(30):
        space.add_source(f"Empty {number}", [prop("title", "Name", "title")])
    company = open_company(space)
    for source in company.space.sources.values():
        company.map(source)
    company.sync()
    company.asked()

    run = company.sync(after=timedelta(days=1))

    assert run.state == State.DONE
    assert company.asked().count("Query") == 2 * 32
    assert StreamState.objects.get(stream="pages").page_token == ""


def test_while_no_database_is_mapped_its_pages_wait_and_the_source_is_not_green(open_company, ops, sign_in):
    company = open_company()
    company.clock.set(timezone.now())
    company.sync()

    source = sources(company.connection.pk)[0]
    text = sign_in(ops).get("/syncs/").content.decode()

    assert (source.said.tone, str(source.said.text)) == ("warn", "Waits for you")
    assert {row.stream.name: str(row.said.text) for row in source.rows} == {
        "users": "Synced", "data_sources": "Synced", "pages": "Waits for you",
    }  # fmt: skip
    assert "No database of Notion is mapped yet, so no page of it is read." in text
    assert reverse("mappings:source_list", args=[company.connection.pk]) in text
    company.map(next(iter(company.space.sources.values())))
    company.sync()
    assert str(sources(company.connection.pk)[0].said.text) == "Synced"
