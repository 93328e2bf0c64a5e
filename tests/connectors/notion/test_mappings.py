"""The pages on which an admin says what a database holds, and what comes of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors.mappings import actions, queries
from connectors.mappings.meanings import HOLDINGS, METRICS, broken_without
from connectors.models import DailySnapshot, Document, DocumentSource, SourceMapping, SourceRecord, StreamState, SyncRun
from connectors.tasks import remap_connection
from hub.jobs import worker
from hub.jobs.models import Job
from hub.jobs.work import Lease, LeaseLost
from tests.connectors.factories import make_connection

pytestmark = pytest.mark.django_db
PROPERTIES = [
    {"id": "title", "name": "Name", "type": "title", "options": []},
    {"id": "d%3Ay", "name": "Day", "type": "date", "options": []},
    {"id": "o%3Ae", "name": "Other day", "type": "date", "options": []},
    {"id": "w%3Ah", "name": "Who", "type": "people", "options": []},
    {"id": "s%3At", "name": "State", "type": "status", "options": [
        {"id": "s1", "name": "Planned", "group": ""}, {"id": "s2", "name": "Took place", "group": ""}]},
    {"id": "t%3Am", "name": "Squad", "type": "select", "options": [{"id": "t1", "name": "Checkout", "group": ""}]},
    {"id": "b%3Ax", "name": "Done", "type": "checkbox", "options": []},
]  # fmt: skip


@pytest.fixture
def notion(db):
    return make_connection("notion", label="Notion")


@pytest.fixture
def source(notion):
    return make_source(notion)


def make_source(connection, name="Talks", **fields):
    return DocumentSource.objects.create(
        connection=connection, external_id=str(uuid4()), name=name, **{"properties": PROPERTIES, **fields}
    )


def add_pages(source, count, **values):
    """Store pages as a sync does; `values` by property id with the first n that have it."""
    now = timezone.now()
    for place in range(count):
        held = {key: {"type": "x", "value": "y" if place < filled else None} for key, filled in values.items()}
        page = Document.objects.create(
            connection=source.connection, external_id=str(uuid4()), source_ref=source.external_id, opened_at=now,
            edited_at=now, values=held, title=f"Page {place}",
        )  # fmt: skip
        SourceRecord.objects.create(
            connection=source.connection, stream="pages", external_id=page.external_id, raw={}, content_hash="x",
            first_seen_at=now, changed_at=now, produced=[f"Document:{page.external_id}"],
        )  # fmt: skip


def address(source, name="mapping_edit"):
    return reverse(f"mappings:{name}", args=[source.connection_id, source.external_id])


def listing(connection):
    return reverse("mappings:source_list", args=[connection.pk])


def text_of(answer):
    return answer.content.decode()


@pytest.mark.parametrize(("who", "status"), [("member", 403), ("leader", 403), ("ops", 200), ("admin", 200)])
def test_ops_and_technical_admins_map(who, status, source, request, sign_in):
    client = sign_in(request.getfixturevalue(who))

    assert client.get(listing(source.connection)).status_code == status
    assert client.get(address(source)).status_code == status


def test_a_connection_without_databases_has_no_such_page(ops, sign_in):
    linear = make_connection("linear", label="Linear")

    assert sign_in(ops).get(listing(linear)).status_code == 404


def test_before_the_first_look_the_page_says_what_to_do(notion, ops, sign_in):
    text = text_of(sign_in(ops).get(listing(notion)))

    assert "No database is known yet" in text
    assert "<table" not in text


def test_the_search_narrows_what_is_not_mapped_yet(notion, ops, sign_in):
    make_source(notion, "Talks")
    make_source(notion, "Decision log")

    text = text_of(sign_in(ops).get(listing(notion) + "?q=decision"))

    assert "Decision log" in text and "Talks" not in text


def test_the_list_costs_the_same_with_many_databases(notion, ops, sign_in, django_assert_max_num_queries):
    for number in range(20):
        source = make_source(notion, f"Database {number}")
        actions.map_source(source=source, meaning="interviews", fields={"date": "d%3Ay"}, held=[], by=ops)
        make_source(notion, f"Other {number}")
    client = sign_in(ops)

    with django_assert_max_num_queries(13):
        client.get(listing(notion))


def test_the_questions_follow_from_the_meaning_and_offer_what_fits(source, ops, sign_in):
    client = sign_in(ops)

    assert 'name="date"' not in text_of(client.get(address(source)))
    text = text_of(client.get(address(source) + "?meaning=interviews"))

    days = text.split('name="date"')[1].split("</select>")[0]
    assert "Day" in days and "Other day" in days and "Who" not in days
    assert "Took place" in text and "interviews with an insight" in text


def test_a_question_that_nothing_fits_says_so(source, ops, sign_in):
    DocumentSource.objects.update(properties=[one for one in PROPERTIES if one["type"] != "people"])

    text = text_of(sign_in(ops).get(address(source) + "?meaning=interviews"))

    assert "No property of this database can hold this." in text.split('for="id_person"')[1].split("</select>")[0]
    assert "Choose…" in text.split('name="date"')[1].split("</select>")[0]


def test_a_mapping_is_saved_and_its_pages_are_asked_for(source, ops, sign_in):
    form = {"date": "d%3Ay", "person": "w%3Ah", "status": "s%3At", "held": ["s%3At=s2", "t%3Am=t1"]}

    answer = sign_in(ops).post(address(source) + "?meaning=interviews", form)

    assert answer.status_code == 302
    made = SourceMapping.objects.get()
    assert (made.meaning, made.source_ref, made.mapped_by) == ("interviews", source.external_id, ops)
    assert made.fields == {"date": "d%3Ay", "person": "w%3Ah", "status": "s%3At"}
    assert made.names == {"d%3Ay": "Day", "w%3Ah": "Who", "s%3At": "State"}
    assert made.held == ["s2"]
    assert SyncRun.objects.get().only == ["pages"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"person": "w%3Ah"}, "This field is required."),
        ({"date": "w%3Ah"}, "Select a valid choice"),
        ({"date": "nothing"}, "Select a valid choice"),
        ({"date": "d%3Ay", "status": "s%3At"}, "Tick at least one value of the property chosen as status."),
        ({"date": "d%3Ay", "status": "s%3At", "held": ["b%3Ax=true"]}, "Tick at least one value"),
        ({"date": "d%3Ay", "status": "t%3Am", "held": ["t%3Am=t1"], "team": "t%3Am"}, ""),
    ],
)
def test_what_does_not_fit_comes_back_with_its_reason(form, says, source, ops, sign_in):
    answer = sign_in(ops).post(address(source) + "?meaning=interviews", form)

    assert (answer.status_code, SourceMapping.objects.exists()) == ((422, False) if says else (302, True))
    assert says in text_of(answer)


def test_one_property_does_not_stand_for_two_things(source, ops, sign_in):
    form = {"date": "d%3Ay", "proposed": "d%3Ay"}

    answer = sign_in(ops).post(address(source) + "?meaning=decisions", form)

    assert "This property already stands for “Day of the decision”." in text_of(answer)


def test_a_ticked_box_can_be_the_status(source, ops, sign_in):
    form = {"date": "d%3Ay", "status": "b%3Ax", "held": ["b%3Ax=true"]}

    sign_in(ops).post(address(source) + "?meaning=interviews", form)

    assert SourceMapping.objects.get().held == ["true"]


def test_a_saved_mapping_is_shown_again_with_how_full_it_is(source, ops, sign_in):
    fields = {"date": "d%3Ay", "status": "s%3At"}
    actions.map_source(source=source, meaning="interviews", fields=fields, held=["s2"], by=ops)
    add_pages(source, 5, **{"d%3Ay": 3, "s%3At": 5})
    client = sign_in(ops)

    text = text_of(client.get(address(source)))

    assert "Day: filled in 3 of 5 pages" in text
    assert 'value="s%3At=s2" checked' in text
    assert "“Day”, 3 of 5" in text_of(client.get(listing(source.connection)))


def test_a_removed_property_is_named_with_what_it_stops(source, ops, sign_in):
    fields = {"date": "d%3Ay", "person": "w%3Ah"}
    actions.map_source(source=source, meaning="interviews", fields=fields, held=[], by=ops)
    source.properties = [{**one, "name": "When"} for one in PROPERTIES if one["id"] != "w%3Ah"]
    source.save()

    for page in (listing(source.connection), address(source)):
        text = text_of(sign_in(ops).get(page))
        assert "the property “Who”, which stood for “Interviewer”, was removed" in text
        assert "This stops: people doing discovery." in text


def night(source, back, properties):
    DailySnapshot.objects.create(
        connection=source.connection, stream="data_sources", external_id=source.external_id,
        day=timezone.localdate() - timedelta(days=back),
        values={"properties": {one["id"]: [one["type"], one["name"], []] for one in properties}},
    )  # fmt: skip


def test_what_was_renamed_or_removed_this_week_is_listed_with_the_figures_that_use_it(source, ops, sign_in):
    """“Day” was renamed ten days ago, “Who” three days ago, “State” is gone; “Squad” no mapping names."""
    fields = {"date": "d%3Ay", "person": "w%3Ah", "status": "s%3At"}
    actions.map_source(source=source, meaning="interviews", fields=fields, held=["s2"], by=ops)
    renamed = [{**one, "name": {"Day": "When"}.get(one["name"], one["name"])} for one in PROPERTIES]
    night(source, 30, PROPERTIES)
    night(source, 10, renamed)
    night(source, 3, renamed[:3])
    words = {"Who": "Researcher", "Squad": "Team"}
    source.properties = [
        {**one, "name": words.get(one["name"], one["name"])} for one in renamed if one["id"] != "s%3At"
    ]
    source.save()

    text = text_of(sign_in(ops).get(listing(source.connection)))

    mapped, _offered = queries.rows(source.connection)
    found = queries.changes(source.connection, mapped, since=timezone.localdate() - timedelta(days=7))
    assert [(one.field, one.before, one.after) for one in found] == [
        ("Interviewer", "Who", "Researcher"), ("Status", "State", ""),
    ]  # fmt: skip
    assert found[0].breaks == "people doing discovery"
    assert "Renamed or removed in the last seven days" in text and "<td>Researcher</td>" in text


def test_a_first_week_is_compared_with_its_first_night(source, ops, sign_in):
    actions.map_source(source=source, meaning="interviews", fields={"date": "d%3Ay"}, held=[], by=ops)
    night(source, 2, PROPERTIES)

    assert "No property that a figure uses." in text_of(sign_in(ops).get(listing(source.connection)))


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"is_trashed": True}, "lies in the trash"), ({"deleted_at": timezone.now()}, "is no longer shared with")],
)
def test_trash_and_lost_sharing_are_said_apart(fields, says, source, ops, sign_in):
    actions.map_source(source=source, meaning="policies", fields={}, held=[], by=ops)
    DocumentSource.objects.update(**fields)

    text = text_of(sign_in(ops).get(listing(source.connection)))

    assert says in text and "This stops: freshness of documents, age of documents, dead documents" in text


def test_an_unmapped_database_leaves_the_figures_and_undo_brings_it_back(source, ops, sign_in):
    actions.map_source(source=source, meaning="interviews", fields={"date": "d%3Ay"}, held=[], by=ops)
    add_pages(source, 3)
    client = sign_in(ops)

    client.post(address(source, "mapping_remove"))

    assert not SourceMapping.objects.exists()
    assert not Document.objects.live().exists()
    assert set(SourceRecord.objects.values_list("deletion_reason", flat=True)) == {"unmapped"}
    undo = text_of(client.get(listing(source.connection))).split("/databases/undo/")[1].split("/")[0]
    client.post(reverse("mappings:mapping_undo", args=[source.connection_id, undo]))
    again = SourceMapping.objects.get()
    assert (again.meaning, again.fields) == ("interviews", {"date": "d%3Ay"})
    assert queries.chosen(source.connection)["unread"] == [source.external_id]


@pytest.mark.parametrize("asked", ["sync", "remap"])
def test_who_reads_or_maps_while_a_database_is_unmapped_writes_none_of_it_back(source, ops, asked):
    actions.map_source(source=source, meaning="interviews", fields={"date": "d%3Ay"}, held=[], by=ops)
    if asked == "remap":
        remap_connection.enqueue(connection_id=source.connection_id)
    held = worker.claim(Job.objects.get(kind__endswith=f"{asked}_connection").pk)

    actions.unmap_source(mapping=SourceMapping.objects.get(), by=ops)

    with pytest.raises(LeaseLost):
        Lease(held.pk, held.lease_epoch, 60).confirm()
    assert Job.objects.get(pk=held.pk).state == Job.State.QUEUED


def test_undo_puts_a_changed_mapping_back(source, ops):
    actions.map_source(source=source, meaning="interviews", fields={"date": "d%3Ay"}, held=["s2"], by=ops)
    said = actions.map_source(source=source, meaning="decisions", fields={"date": "o%3Ae"}, held=[], by=ops)

    assert actions.undo(connection=make_connection("notion"), batch=said.batch, by=ops) is None
    actions.undo(connection=source.connection, batch=said.batch, by=ops)

    held = SourceMapping.objects.get()
    assert (held.meaning, held.fields, held.held) == ("interviews", {"date": "d%3Ay"}, ["s2"])
    assert actions.undo(connection=source.connection, batch=uuid4(), by=ops) is None


def test_the_history_is_wanted_until_a_run_that_began_after_the_mapping(source, ops):
    now = timezone.now()
    actions.map_source(source=source, meaning="policies", fields={}, held=[], by=ops, now=now)
    state = StreamState.objects.create(connection=source.connection, stream="pages")

    for watermark, unread in ((None, 1), (now - timedelta(minutes=1), 1), (now + timedelta(minutes=1), 0)):
        StreamState.objects.filter(pk=state.pk).update(watermark=watermark)
        assert len(queries.chosen(source.connection)["unread"]) == unread


def test_look_again_reads_the_list_of_databases_alone(source, ops, sign_in):
    sign_in(ops).post(reverse("mappings:source_look", args=[source.connection_id]))

    assert SyncRun.objects.get().only == ["data_sources"]


def test_the_syncs_lead_to_the_databases(source, ops, sign_in):
    assert listing(source.connection) in text_of(sign_in(ops).get("/syncs/"))
    assert listing(source.connection) in text_of(sign_in(ops).get(source.connection.get_absolute_url()))


def test_every_meaning_names_metrics_that_exist():
    assert set(HOLDINGS) == set(SourceMapping.Meaning.values)
    for meaning, holding in HOLDINGS.items():
        assert set(holding.metrics) <= set(METRICS)
        assert all(broken_without(meaning, one.key) for one in holding.fields)
        assert bool(holding.held) is any(one.key == "status" for one in holding.fields)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""), (True, "✓"), (False, "–"), (3, "3"), ("Q4", "Q4"), ({"id": "x", "name": "Held"}, "Held"),
        ({"start": "2026-10-05", "end": None}, "2026-10-05"), ({"count": 4, "ids": []}, "4"),
        ({"start": "2026-10-05", "end": "2026-10-09"}, "2026-10-05 – 2026-10-09"), (["a", "b"], "2"),
        ([{"id": "x", "name": "New"}, {"id": "y", "name": "Old"}], "New, Old"),
        ({"state": "verified", "end": None}, "verified"),
    ],
)  # fmt: skip
def test_a_value_reads_as_a_person_would_say_it(value, words):
    assert queries.in_words(value) == words
