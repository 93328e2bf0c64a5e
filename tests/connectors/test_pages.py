"""The sync pages: what each role sees, in every state, within a fixed number of queries."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions, queries
from connectors.models import Check, Connection, RefusedRecord, State, StreamRun, StreamState, SyncRun
from connectors.tasks import sync_connection
from hub.jobs.models import Job
from tests.connectors.factories import SECRET, make_connection, make_run

pytestmark = pytest.mark.django_db
LIST = "/syncs/"


@pytest.fixture
def page(ops, sign_in):
    """Open a page as Product Ops; return its text."""
    client = sign_in(ops)

    def open_page(url=LIST):
        answer = client.get(url)
        assert answer.status_code == 200
        return answer.content.decode()

    return open_page


@pytest.mark.parametrize(("who", "status"), [("member", 403), ("leader", 403), ("ops", 200), ("admin", 200)])
def test_only_those_who_keep_the_hub_running_see_the_syncs(who, status, request, sign_in):
    assert sign_in(request.getfixturevalue(who)).get(LIST).status_code == status


def test_without_a_source_the_page_says_what_will_be_here(page):
    text = page()

    assert "No source is connected yet" in text
    assert "<table" not in text


def test_the_list_costs_the_same_with_many_connections(source, sign_in, ops, django_assert_max_num_queries):
    for number in range(12):
        make_run(make_connection(label=f"Toy {number}"), slot="first")
    client = sign_in(ops)

    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_a_good_run_shows_what_it_brought(sync, page):
    sync()

    text = page()

    assert "Synced" in text
    assert "25 read: 25 new" in text
    assert "25 in all" in text
    assert "2 of 2 streams" in text
    assert "hx-trigger" not in text.split('id="sync-sources"')[1].split(">")[0]


def test_a_run_under_way_keeps_the_page_up_to_date(connection, page):
    run = make_run(connection)
    SyncRun.objects.update(state=State.RUNNING, started_at=timezone.now())
    StreamState.objects.create(connection=connection, stream="issues", kept=400)
    StreamRun.objects.create(run=run, stream="issues", state=State.RUNNING, seen=120)

    text = page()

    assert 'hx-trigger="every 2s"' in text
    assert "<b>120 of about 400</b>" in text
    assert "120 read so far" in text
    assert "You can leave this page." in text


def test_a_partial_is_the_page_s_own_piece(sync, sign_in, ops):
    sync()
    client = sign_in(ops)

    whole = client.get(LIST).content.decode()
    piece = client.get(LIST, headers={"HX-Request": "true", "HX-Target": "sync-sources"}).content.decode()

    start = whole.index('<div id="sync-sources"')
    strip = piece.split("csrfmiddlewaretoken")[0].strip()
    assert whole[start : start + len(strip)] == strip


def test_a_refused_token_says_so_and_offers_the_way_out(sync, world, connection, sign_in, admin):
    sync()
    world.secret = "another"
    sync()

    text = sign_in(admin).get(LIST).content.decode()

    assert "Toy refuses our token" in text
    assert "Enter a new token" in text
    assert "After a new token" in text


def test_who_may_not_renew_a_token_is_told_whom_to_ask(connection, page, admin):
    Connection.objects.update(auth=Connection.Auth.NEEDS_REAUTH)

    for url in (LIST, connection.get_absolute_url()):
        assert f'<a href="mailto:{admin.email}">{admin.name}</a>' in page(url)


def test_a_new_token_is_never_shown_and_starts_a_run(connection, sign_in, admin):
    Connection.objects.update(auth=Connection.Auth.NEEDS_REAUTH)
    client = sign_in(admin)
    url = reverse("connectors:connection_edit", args=[connection.pk])

    assert SECRET not in client.get(url).content.decode()
    answer = client.post(url, {"label": "Toy", "token": "new_canary_token_9876"})

    assert answer.status_code == 302
    connection.refresh_from_db()
    assert connection.auth == Connection.Auth.OK
    assert connection.secret_hint == "9876"
    assert connection.runs.open().count() == 1
    shown = client.get(connection.get_absolute_url()).content.decode()
    assert "new_canary_token" not in shown


def test_an_address_outside_the_allow_list_is_refused(source, sign_in, admin):
    answer = sign_in(admin).post(
        reverse("connectors:connection_create"),
        {"service": "toy", "label": "Toy", "token": "x" * 20, "base_url": "https://169.254.169.254/"},
    )

    assert answer.status_code == 422
    assert "may not speak to that address" in answer.content.decode()
    assert not Connection.objects.exists()


def test_connecting_tests_the_token_and_reads_everything(source, sign_in, admin):
    answer = sign_in(admin).post(
        reverse("connectors:connection_create"), {"service": "toy", "label": "Toy", "token": "x" * 20}
    )

    made = Connection.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert Check.objects.get().state == State.QUEUED
    assert {job.kind for job in Job.objects.all()} == {
        "connectors.tasks.check_connection",
        "connectors.tasks.sync_connection",
    }


def test_a_connection_without_a_name_bears_its_service_s(source, sign_in, admin):
    sign_in(admin).post(
        reverse("connectors:connection_create"), {"service": "toy", "label": "", "token": "x" * 20, "base_url": ""}
    )

    assert Connection.objects.get().label == "Toy"


def test_run_now_queues_once_and_then_cools_down(connection, sign_in, ops):
    client = sign_in(ops)
    url = reverse("connectors:connection_run", args=[connection.pk])
    for _ in range(3):
        client.post(url)
    run = SyncRun.objects.get()
    sync_connection(run_id=run.pk)

    client.post(url)

    assert SyncRun.objects.count() == 1
    with pytest.raises(actions.TooSoon):
        actions.run_now(connection=connection, by=ops)


def test_an_implausible_sweep_waits_for_a_click(sync, world, connection, page, sign_in, ops):
    from tests.connectors.stand_in import person

    world.people = {f"p{n}": person(n) for n in range(20)}
    sync()
    world.people = {f"p{n}": person(n) for n in range(9)}
    sync()
    text = page()
    assert "11 of 20 are no longer listed." in text
    assert "Yes, they are gone" in text

    sign_in(ops).post(reverse("connectors:sweep_confirm", args=[connection.pk, "people"]))
    run = connection.runs.open().get()
    sync_connection(run_id=run.pk)

    run.refresh_from_db()
    assert (run.state, run.gone) == (State.DONE, 11)
    assert "Yes, they are gone" not in page()


def test_a_refused_record_is_shown_without_what_is_secret_or_personal(sync, world, connection, page):
    sync()
    world.people["p1"] |= {"active": "perhaps", "name": "Secret Name", "email": "secret@ardoise.example"}
    world.people["p1"] |= {
        "meta": {"apiKey": "key-canary", "X-Api-Key": "other-canary", "SessionToken": "third-canary"}
    }
    # What drifted away is where no stream says that it is personal
    world.people["p1"] |= {
        "mailAddress": "moved@ardoise.example",
        "notes": ["ask moved@ardoise.example, lin_api_canary1"],
    }
    sync()
    refused = RefusedRecord.objects.get()

    text = page(reverse("connectors:refused_detail", args=[connection.pk, refused.pk]))

    assert refused.external_id == "p1"
    assert "&quot;active&quot;: &quot;perhaps&quot;" in text
    for hidden in (
        "Secret Name",
        "secret@ardoise.example",
        "moved@",
        "lin_api_canary1",
        "key-canary",
        "other-canary",
        "third-canary",
    ):
        assert hidden not in text
    assert "p1" in page(reverse("connectors:stream_detail", args=[connection.pk, "people"]))


def test_a_refused_record_is_found_under_its_own_connection_only(sync, world, connection, sign_in, ops):
    world.people["p1"]["active"] = "perhaps"
    sync()
    other = make_connection(label="Other")

    answer = sign_in(ops).get(reverse("connectors:refused_detail", args=[other.pk, RefusedRecord.objects.get().pk]))

    assert answer.status_code == 404


def test_a_stream_s_page_costs_the_same_with_many_refused_records(
    sync, connection, sign_in, ops, django_assert_max_num_queries
):
    sync()
    now = timezone.now()
    RefusedRecord.objects.bulk_create(
        RefusedRecord(
            connection=connection, stream="issues", external_id=f"i{n}", reason="odd", raw={}, first_at=now, last_at=now
        )
        for n in range(300)
    )
    client = sign_in(ops)

    with django_assert_max_num_queries(12):
        text = client.get(reverse("connectors:stream_detail", args=[connection.pk, "issues"])).content.decode()

    assert "300" in text


def test_a_paused_stream_is_left_out_and_can_be_resumed(sync, connection, page, sign_in, ops):
    sync()
    client = sign_in(ops)

    client.post(reverse("connectors:stream_switch", args=[connection.pk, "issues", 0]))
    run = sync()

    assert [made.stream for made in run.streams.all()] == ["people"]
    assert run.state == State.DONE
    assert "When it is resumed" in page()
    client.post(reverse("connectors:stream_switch", args=[connection.pk, "issues", 1]))
    assert sync().streams.count() == 2
    assert "When it is resumed" not in page()


def test_a_source_whose_streams_are_all_paused_is_not_run(source, connection, ops):
    for stream in ("people", "issues"):
        actions.switch_stream(connection=connection, stream=stream, on=False, by=ops)

    Connection.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert actions.tick().night == 0
    with pytest.raises(actions.NotConnected):
        actions.run_now(connection=connection, by=ops)


def test_pausing_a_source_whose_run_waits_is_nobody_s_failure(connection, ops):
    run = make_run(connection)
    actions.switch(connection=connection, on=False, by=ops)

    sync_connection(run_id=run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert connection.auth == Connection.Auth.OK
    assert (run.is_open, run.failure) == (False, "")
    assert not StreamState.objects.exclude(failure="").exists()


def test_a_back_fill_reads_again_what_changed_since_the_day(sync, world, connection, sign_in, ops):
    sync()
    first = {key: datetime.fromisoformat(row["updatedAt"]) for key, row in world.issues.items()}
    since = sorted(first.values())[-8].date()
    expected = sum(moment.date() >= since for moment in first.values())

    answer = sign_in(ops).post(
        reverse("connectors:connection_back_fill", args=[connection.pk]), {"since": f"{since}", "stream": "issues"}
    )
    run = connection.runs.open().get()
    sync_connection(run_id=run.pk)

    run.refresh_from_db()
    assert answer.status_code == 302
    assert (run.reason, run.state, run.only) == (SyncRun.Reason.BACKFILL, State.DONE, ["issues"])
    assert (run.seen, run.unchanged, run.new) == (expected, expected, 0)


@pytest.mark.parametrize(
    ("since", "says"),
    [("2999-01-01", "still to come"), ("1999-12-31", "that old"), ("soon", "valid date"), ("", "required")],
)
def test_a_back_fill_of_no_possible_day_is_sent_back(since, says, sync, connection, sign_in, ops):
    sync()

    answer = sign_in(ops).post(reverse("connectors:connection_back_fill", args=[connection.pk]), {"since": since})

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not connection.runs.open().exists()


def test_a_back_fill_waits_for_the_run_under_way(connection, sign_in, ops):
    StreamState.objects.create(connection=connection, stream="issues", watermark=timezone.now())
    make_run(connection)
    before = StreamState.objects.get().watermark

    answer = sign_in(ops).post(
        reverse("connectors:connection_back_fill", args=[connection.pk]), {"since": "2026-01-01"}
    )

    assert answer.status_code == 422
    assert "under way" in answer.content.decode()
    assert StreamState.objects.get().watermark == before


def test_a_stream_left_out_says_what_it_waits_for(sync, connection, page):
    sync()
    run = make_run(connection, slot="later")
    StreamRun.objects.create(run=run, stream="people", state=State.FAILED)
    StreamRun.objects.create(run=run, stream="issues", state=State.SKIPPED, detail="needs people")
    SyncRun.objects.filter(pk=run.pk).update(state=State.FAILED)
    StreamState.objects.filter(stream="people").update(failure="scope_missing", failing_since=timezone.now())

    text = page()

    assert "waits for: People" in text
    assert "A right is missing" in text
    assert "since: Today" in text


def test_everybody_may_read_what_is_read_of_them(connection, sign_in, member):
    text = sign_in(member).get(reverse("connectors:what_is_read")).content.decode()

    assert "it never writes to a tool" in text
    assert "name, e-mail" in text
    Connection.objects.update(is_active=False)
    assert "Nothing is read" in sign_in(member).get(reverse("connectors:what_is_read")).content.decode()


def test_stopping_can_be_undone(connection, sign_in, admin):
    client = sign_in(admin)

    client.post(reverse("connectors:connection_switch", args=[connection.pk, 0]))
    connection.refresh_from_db()
    assert not connection.is_active
    client.post(reverse("connectors:connection_switch", args=[connection.pk, 1]))

    connection.refresh_from_db()
    assert connection.is_active


@pytest.mark.parametrize("origin", ["detail", "list"])
def test_undo_leaves_its_reader_where_they_are(origin, connection, sign_in, admin):
    client, url = sign_in(admin), reverse("connectors:connection_switch", args=[connection.pk, 0])
    home = connection.get_absolute_url() if origin == "detail" else LIST

    answer = client.post(url, {"from": origin}, follow=True)
    undo = next(iter(answer.context["messages"])).extra_tags

    assert client.post(undo).url == home


def test_the_last_runs_follow_a_run_under_way(connection, page):
    run = make_run(connection)
    SyncRun.objects.update(state=State.RUNNING, started_at=timezone.now())

    piece = page(connection.get_absolute_url()).split('id="sync-now"')[1]

    assert 'hx-trigger="every 2s"' in piece.split(">")[0]
    assert 'id="runs"' in piece.split('id="read-title"')[0]
    assert run.get_reason_display() in piece


@pytest.mark.parametrize(("only", "now"), [([], ["people", "issues"]), (["issues"], ["issues"])])
def test_what_a_queued_run_will_read_comes_now_and_not_at_night(only, now, connection):
    run = make_run(connection)
    SyncRun.objects.filter(pk=run.pk).update(only=only, state=State.QUEUED)

    rows = queries.sources(connection.pk)[0].rows

    assert {row.stream.name for row in rows if row.next_text == "Now"} == set(now)
    assert all(row.next_run for row in rows if row.next_text != "Now")


def test_what_needs_somebody_is_counted_first(sync, world, page):
    sync()
    assert "Need somebody" not in page()
    world.secret = "another"
    sync()

    assert "1 of 1 source" in page().split("Need somebody")[1][:80]


def test_freshness_follows_what_is_stored(sync, connection, django_assert_num_queries):
    assert queries.freshness() == (None, 0, 1)
    sync()

    with django_assert_num_queries(1):
        fresh = queries.freshness()
    assert (fresh.fresh, fresh.total) == (1, 1)
    StreamState.objects.filter(stream="people").update(last_success_at=timezone.now() - timedelta(days=3))

    assert queries.freshness().fresh == 0


def test_a_source_that_went_stale_is_told_although_nothing_failed(sync, page):
    sync()
    StreamState.objects.update(last_success_at=timezone.now() - timedelta(days=3))

    assert "Out of date" in page()


def test_the_connection_is_tested_by_a_worker(connection, world, admin, page):
    from connectors.tasks import check_connection

    actions.test(connection=connection, by=admin)
    assert 'hx-trigger="every 2s"' in page(connection.get_absolute_url())
    check_connection(connection_id=connection.pk)

    assert "we are Robot in Toys" in page(connection.get_absolute_url())


@pytest.mark.parametrize("name", ["connection_detail", "stream_detail"])
def test_short_runs_that_went_well_leave_the_nights_in_sight(name, connection, page):
    address = reverse(f"connectors:{name}", args=[connection.pk, *(["issues"] if name == "stream_detail" else [])])
    runs = connection.runs
    night = runs.create(slot="night:1", reason=SyncRun.Reason.NIGHT, state=State.DONE)
    StreamRun.objects.create(run=night, stream="issues", state=State.DONE, seen=4242)
    short = {"reason": SyncRun.Reason.WEBHOOK, "state": State.DONE, "only": ["issues"]}
    for number in range(40):
        made = runs.create(slot=f"webhook:{number}", changed=2, **short)
        StreamRun.objects.create(run=made, stream="issues", state=State.DONE)
    failed = runs.create(slot="webhook:bad", **short | {"state": State.FAILED})
    StreamRun.objects.create(run=failed, stream="issues", state=State.FAILED)

    text, each = page(address), page(f"{address}?runs=each")

    assert text.count("Announced by the tool") == 1  # the one that failed
    assert text.count("At night") == 1
    assert "40 short runs that the tool announced" in text and "Brought: 80 changes." in text
    assert each.count("Announced by the tool") == (20 if name == "connection_detail" else 30)
    assert 'href="?runs=each#runs"' in text and 'href="?#runs"' in each


def test_a_source_without_announcements_says_nothing_of_them(connection, page):
    connection.runs.create(reason=SyncRun.Reason.FIRST, slot="first", state=State.DONE)

    assert "that the tool announced" not in page(reverse("connectors:connection_detail", args=[connection.pk]))
