"""Reading and mapping from answers made by hand: what is kept of them, what is refused, where reading goes on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import sync
from connectors.base import FailureClass, Slice, SourceFailed
from connectors.services.notion import connector
from connectors.services.notion.places import Look, Misplaced, Place
from connectors.services.notion.read import schema_changes
from connectors.services.notion.values import settled

FOLDER = Path(__file__).parent / "data"
STREAMS = {stream.name: stream for stream in connector.streams}
ONE, TWO = "0f0e0d0c-0b0a-4000-8000-000000000001", "0f0e0d0c-0b0a-4000-8000-000000000002"
START, END = datetime(2026, 10, 4, tzinfo=UTC), datetime(2026, 10, 5, 9, 30, 20, tzinfo=UTC)
WINDOW, SWEEP = Slice(START, END), Slice(sweep=True)
PERSON = {"object": "user", "id": "00000000-0000-4000-8000-00000000000a"}


def saved(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def bound(*sources, unread=()):
    return connector.bound({"data_sources": list(sources or (ONE, TWO)), "unread": list(unread)})


def read_pages(payload, place=None, part=WINDOW):
    made = bound()
    request = made.request(STREAMS["pages"], part, place and str(place))
    return made.read(STREAMS["pages"], part, {**payload, **request.echo})


def listed(rows=(), **more):
    return {"object": "list", "results": list(rows), "has_more": False, "next_cursor": None, **more}


def page(**fields):
    return {**saved("pages")["results"][0], **fields}


def rows_of(stream, record):
    return list(connector.map(STREAMS[stream], record))


def test_a_page_is_kept_under_the_ids_of_its_properties():
    [kept] = read_pages(listed([page()])).records

    assert kept["properties"] == {
        "title": ["title", True],
        "a%3Ad": ["date", {"start": "2026-10-05", "end": None}],
        "a%3As": ["status", {"id": "s2", "name": "Held"}],
        "a%3Ap": ["people", [PERSON["id"]]],
        "a%3Ai": ["relation", {"count": 1, "ids": [TWO]}],
        "a%3An": ["rich_text", True],
    }
    [row] = rows_of("pages", kept)
    assert (row.title, row.source_ref, row.is_trashed) == ("With Zoé, about sizes", ONE, False)
    assert row.edited_at == datetime(2026, 10, 6, 8, 12, tzinfo=UTC)
    assert row.values["a%3As"] == {"type": "status", "value": {"id": "s2", "name": "Held"}}


def test_a_renamed_property_leaves_the_kept_page_as_it_was():
    renamed = {f"{name}, renamed": value for name, value in page()["properties"].items()}

    assert read_pages(listed([page(properties=renamed)])).records == read_pages(listed([page()])).records


def test_colours_icons_and_covers_do_not_change_a_kept_page():
    other = json.loads(json.dumps(page(icon={"type": "emoji"}, cover={"type": "file"})).replace("green", "red"))

    assert read_pages(listed([other])).records == read_pages(listed([page()])).records


@pytest.mark.parametrize(
    ("kind", "inner", "value"),
    [
        ("number", 2.5, 2.5),
        ("checkbox", False, False),
        ("url", "https://shop.example", "https://shop.example"),
        ("select", None, None),
        ("multi_select", [{"id": "x", "name": "New", "color": "red"}], [{"id": "x", "name": "New"}]),
        ("multi_select", [], None),
        ("date", {"start": "2026-10-05", "end": "2026-10-19"}, {"start": "2026-10-05", "end": "2026-10-19"}),
        ("people", [], None),
        ("relation", [], None),
        ("rich_text", [], None),
        ("email", "customer@shopper.example", True),
        ("files", [{"name": "contract.pdf"}], True),
        ("created_by", PERSON, PERSON["id"]),
        ("unique_id", {"prefix": "INT", "number": 12}, "INT-12"),
        ("unique_id", {"prefix": None, "number": 12}, "12"),
        ("verification", {"state": "verified", "date": {"start": "2026-01-01", "end": "2026-07-01"}},
         {"state": "verified", "end": "2026-07-01"}),
        ("verification", {"state": "unverified", "date": None}, {"state": "unverified", "end": None}),
        ("formula", {"type": "boolean", "boolean": True}, True),
        ("formula", {"type": "string", "string": "Q4"}, "Q4"),
        ("formula", {"type": "unsupported", "unsupported": {}}, None),
        ("rollup", {"type": "number", "number": 3, "function": "count"}, 3),
        ("rollup", {"type": "array", "array": [{}, {}], "function": "show_original"}, {"count": 2}),
        ("rollup", {"type": "incomplete", "incomplete": {}, "function": "count"}, None),
        ("hologram", {"any": "thing"}, None),
    ],
)  # fmt: skip
def test_a_value_is_settled(kind, inner, value):
    assert settled(kind, inner) == value


@pytest.mark.parametrize(
    ("kind", "inner"),
    [("number", "3"), ("number", True), ("date", {"end": None}), ("people", "Ana"), ("people", [{}]), ("checkbox", 1)],
)
def test_a_property_of_another_shape_refuses_its_page_by_name(kind, inner):
    broken = page(properties={"Odd": {"id": "a%3Ao", "type": kind, kind: inner}})
    records = read_pages(listed([broken])).records

    good, refused = sync.judge(STREAMS["pages"], records)

    assert (good, [one.path for one in refused]) == ([], ["properties.a%3Ao"])


@pytest.mark.parametrize(
    "name", ["id", "created_time", "last_edited_time", "in_trash", "created_by", "properties", "url"]
)
def test_a_page_without_a_needed_field_is_refused(name):
    broken = {key: value for key, value in page().items() if key != name}

    good, refused = sync.judge(STREAMS["pages"], read_pages(listed([broken])).records)

    assert (len(good), len(refused)) == (0, 1)


def test_accounts_are_read_with_and_without_an_address():
    people = connector.read(STREAMS["users"], Slice(), saved("users")).records

    [ana, ben, robot] = [rows_of("users", one)[0] for one in people]
    assert (ana.email, ana.kind) == ("ana@shop.example", "member")
    assert (ben.email, ben.name) == ("", "Ben")
    assert robot.kind == "bot"


def test_data_sources_are_read_with_their_options_and_groups():
    payload = {**saved("search"), "_look": str(Look(()))}

    [kept] = connector.read(STREAMS["data_sources"], Slice(), payload).records

    [row] = rows_of("data_sources", kept)
    by_id = {one["id"]: one for one in row.properties}
    assert (row.name, row.is_trashed) == ("Interviews", False)
    assert by_id["a%3As"]["options"] == [
        {"id": "s1", "name": "Planned", "group": "To-do"},
        {"id": "s2", "name": "Held", "group": "Complete"},
    ]


def test_changes_of_a_schema_are_told_by_id():
    before = {"title": "Interviews", "properties": {"a": ["date", "Day", []], "b": ["people", "Who", []]}}
    after = {"title": "Interviews", "properties": {"a": ["date", "When", []], "c": ["number", "Age", []]}}

    assert sorted(map(str, schema_changes(before, after))) == [
        "Interviews: the property “Day” is now called “When”.",
        "Interviews: the property “Who” was removed.",
        "Interviews: there is a new property, “Age”.",
    ]


# --- where reading goes on


def test_a_window_is_asked_by_the_time_of_edit_oldest_first():
    request = bound().request(STREAMS["pages"], WINDOW, None)

    assert request.path == f"/v1/data_sources/{ONE}/query"
    assert request.json == {
        "sorts": [{"timestamp": "last_edited_time", "direction": "ascending"}],
        "filter": {
            "and": [
                {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-10-04T00:00:00.000Z"}},
                {"timestamp": "last_edited_time", "last_edited_time": {"before": "2026-10-05T09:30:20.000Z"}},
            ]
        },
        "page_size": 100,
    }


def test_an_unread_database_is_asked_for_its_whole_history():
    made = bound(unread=[TWO])

    first = made.request(STREAMS["pages"], WINDOW, None).json["filter"]
    second = made.request(STREAMS["pages"], WINDOW, str(Place(TWO))).json["filter"]

    assert len(first["and"]) == 2
    assert list(second["last_edited_time"]) == ["before"]


def test_a_sweep_is_asked_by_the_time_of_creation():
    request = bound().request(STREAMS["pages"], SWEEP, str(Place(ONE, in_trash=True, since="2026-01-01T00:00:00.000Z")))

    assert request.json["sorts"] == [{"timestamp": "created_time", "direction": "ascending"}]
    assert request.json["filter"] == {
        "timestamp": "created_time", "created_time": {"on_or_after": "2026-01-01T00:00:00.000Z"},
    }  # fmt: skip
    assert (request.json["in_trash"], request.judged) == (True, ())


@pytest.mark.parametrize(
    ("place", "payload", "following"),
    [
        (Place(ONE), listed(has_more=True, next_cursor="c1"), Place(ONE, cursor="c1")),
        (Place(ONE, cursor="c1"), listed(), Place(ONE, in_trash=True)),
        (Place(ONE, in_trash=True), listed(), Place(TWO)),
        (Place(TWO, in_trash=True), listed(), None),
        (Place("gone", in_trash=True), listed(), Place(ONE)),
    ],
)
def test_lists_follow_one_another(place, payload, following):
    found = read_pages(payload, place)

    assert found.next_token == (following and str(following))
    assert found.ends_list is (following is None or following.cursor == "")


def test_behind_the_cap_the_same_list_begins_again_at_the_last_time():
    capped = listed([page()], request_status={"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})

    assert read_pages(capped, Place(ONE)).next_token == str(Place(ONE, since="2026-10-06T08:12:00.000Z"))
    assert read_pages(capped, Place(ONE), SWEEP).next_token == str(Place(ONE, since="2026-10-01T07:00:00.000Z"))
    with pytest.raises(SourceFailed) as failed:
        read_pages(capped, Place(ONE, since="2026-10-06T08:12:00.000Z"))
    assert failed.value.kind == FailureClass.SOURCE_MISBEHAVES


@pytest.mark.parametrize("payload", [{"object": "page"}, {"object": "list"}, {"object": "list", "results": [None]}])
def test_what_is_no_list_is_unreadable(payload):
    with pytest.raises(SourceFailed) as failed:
        read_pages(payload)

    assert (failed.value.kind, failed.value.is_final) == (FailureClass.BAD_PAYLOAD, False)


@pytest.mark.parametrize("text", ["", "live", "one|two|three", "one|under|since|cursor"])
def test_a_token_of_another_make_is_no_place(text):
    with pytest.raises(Misplaced):
        Place.read(text)
    assert bound().request(STREAMS["pages"], WINDOW, text).path == f"/v1/data_sources/{ONE}/query"


@pytest.mark.parametrize("place", [Place(ONE), Place(ONE, True, "2026-10-06T08:12:00.000Z", "a|b")])
def test_a_place_reads_what_it_wrote(place):
    assert Place.read(str(place)) == place


def test_a_look_asks_for_what_the_search_has_not_shown():
    made = bound(ONE, TWO)
    found = {**saved("search"), "results": [{**saved("search")["results"][0], "id": TWO}]}

    first = made.request(STREAMS["data_sources"], Slice(), None)
    after = made.read(STREAMS["data_sources"], Slice(), {**found, **first.echo}).next_token
    second = made.request(STREAMS["data_sources"], Slice(), after)

    assert (second.method, second.path) == ("GET", f"/v1/data_sources/{ONE}")
    gone = {"object": "error", "code": "object_not_found", "status": 404, **second.echo}
    last = made.read(STREAMS["data_sources"], Slice(), gone)
    assert (last.records, last.next_token) == ([], None)
    assert "no longer shared" in str(last.notices[0])


def test_a_connection_that_reads_many_databases_is_given_pages_for_it():
    pages = {stream.name: stream for stream in bound(ONE, TWO).streams}["pages"]

    assert pages.spare_pages == 4
    assert STREAMS["pages"].spare_pages == 0
    assert pages.overlap == timedelta(minutes=15)


def test_a_check_tells_a_personal_token_from_a_connection():
    bot = {"object": "user", "id": ONE, "type": "bot", "name": "Hub", "bot": {"workspace_name": "Shop"}}

    assert (connector.checked(bot).workspace, connector.checked(bot).unavailable) == ("Shop", {})
    assert list(connector.checked({**bot, "type": "person", "bot": None}).unavailable) == ["users"]
