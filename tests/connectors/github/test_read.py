"""Reading and mapping from answers made by hand: what is kept of them, what is refused, where reading goes on."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import records, sync
from connectors.base import Slice
from connectors.services.github import connector
from connectors.services.github.read import Place, keys_in

FOLDER = Path(__file__).parent / "data"
STREAMS = {stream.name: stream for stream in connector.streams}
WEB, API = "shop/web", "shop/api"
WINDOW, SWEEP, WHOLE = (
    Slice(datetime(2026, 10, 4, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC)),
    Slice(sweep=True),
    Slice(),
)
NEXT = "https://api.github.com/repositories/7/pulls?state=all&sort=updated&page=2"


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def saved(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def bound(unread=()):
    return connector.bound({"chosen": [WEB, API], "pulls": list(unread), "deployments": list(unread)})


def read(name, items, *, part=WINDOW, following="", token=None, unread=()):
    made = bound(unread)
    request = made.request(STREAMS[name], part, token)
    return made.read(STREAMS[name], part, {"items": items, "next": following, **request.echo})


def kept(name):
    page = read(name, saved(name), part=WHOLE)
    for more in page.more:
        assert more.merge({"items": saved("statuses"), "next": ""}) is None
    return page.records


def row(name, place=0, **changes):
    [made] = connector.map(STREAMS[name], kept(name)[place] | changes)
    return made


# --- what is asked


def test_a_first_page_asks_for_the_latest_changes_of_every_state():
    request = bound().request(STREAMS["pulls"], WINDOW, None)

    assert (request.method, request.path, request.is_list) == ("GET", "/repos/shop/web/pulls", True)
    assert dict(request.params) == {"state": "all", "sort": "updated", "direction": "desc", "per_page": "100"}


def test_the_next_page_is_asked_by_the_query_of_the_link_and_of_the_same_repository():
    token = read("pulls", saved("pulls")[:1], following=NEXT).next_token

    request = bound().request(STREAMS["pulls"], WINDOW, token)

    assert request.path == "/repos/shop/web/pulls"
    assert dict(request.params) == {"state": "all", "sort": "updated", "page": "2"}


def test_a_link_to_elsewhere_leads_nowhere_but_to_the_repository():
    token = read("pulls", saved("pulls")[:1], following="https://evil.example/steal?page=2").next_token

    assert bound().request(STREAMS["pulls"], WINDOW, token).path == "/repos/shop/web/pulls"


def test_a_place_in_a_repository_that_is_no_longer_named_begins_again():
    assert bound().request(STREAMS["pulls"], WINDOW, "shop/old?page=9").path == "/repos/shop/web/pulls"


@pytest.mark.parametrize(("name", "part"), [("pulls", SWEEP), ("deployments", SWEEP), ("releases", WHOLE)])
def test_what_lists_everything_does_not_put_up_with_a_missing_repository(name, part):
    assert bound().request(STREAMS[name], part, None).judged == ()


# --- where reading goes on


def test_reading_ends_where_the_window_begins_and_goes_on_in_the_next_repository():
    page = read("pulls", saved("pulls"), following=NEXT)  # the second is older than the window

    assert [one["number"] for one in page.records] == [41]
    assert (page.next_token, page.ends_list) == (str(Place(API)), True)


def test_a_repository_that_is_new_to_the_stream_is_read_to_its_end():
    page = read("pulls", saved("pulls"), following=NEXT, unread=[WEB])

    assert len(page.records) == 2
    assert page.next_token.startswith(f"{WEB}?")


@pytest.mark.parametrize("part", [SWEEP, WHOLE])
def test_a_sweep_knows_no_window(part):
    assert len(read("pulls", saved("pulls"), part=part).records) == 2


def test_the_last_repository_ends_the_slice():
    assert read("pulls", [], token=str(Place(API))).next_token is None


def test_a_sweep_asks_for_no_statuses():
    assert read("deployments", saved("deployments"), part=SWEEP).more == []


def test_a_refusal_of_one_repository_is_told_and_the_next_is_read():
    made = bound()
    request = made.request(STREAMS["pulls"], WINDOW, None)

    page = made.read(STREAMS["pulls"], WINDOW, {"message": "Not Found", **request.echo})

    assert (page.records, page.next_token) == ((), str(Place(API)))
    assert [str(one) for one in page.notices] == [
        "shop/web was renamed, is not there, or is not among the token’s repositories."
    ]


# --- what is kept


@pytest.mark.parametrize("name", ["pulls", "releases", "deployments"])
def test_what_people_wrote_stays_where_it_is(name):
    text = json.dumps(kept(name))

    assert not any(word in text for word in ("body", "payload", "description", "avatar", "label", "sha"))


@pytest.mark.parametrize("name", ["pulls", "releases", "deployments"])
def test_what_is_kept_fits_its_shape(name):
    good, refused = sync.judge(STREAMS[name], kept(name))

    assert (len(good), refused) == (len(saved(name)), [])


@pytest.mark.parametrize(
    ("name", "field"),
    [("pulls", "created_at"), ("pulls", "head"), ("releases", "tag_name"), ("deployments", "environment")],
)
def test_a_record_without_a_needed_field_is_refused_by_name(name, field):
    one = {key: value for key, value in kept(name)[0].items() if key != field}

    _, [refused] = sync.judge(STREAMS[name], [one])

    assert refused.path == field


def test_statuses_over_two_pages_are_all_kept_whatever_their_order():
    page = read("deployments", saved("deployments"), part=WHOLE)
    first, second = saved("statuses")[:2], saved("statuses")[2:]

    [more] = page.more
    assert dict(more.request.params) == {"per_page": "100"}
    following = more.merge({"items": first, "next": "https://api.github.com/x?per_page=100&page=2"})
    assert (following.request.path, dict(following.request.params)) == (
        more.request.path, {"per_page": "100", "page": "2"},
    )  # fmt: skip
    assert following.merge({"items": second, "next": ""}) is None

    assert [one["id"] for one in page.records[0]["statuses"]] == [1, 2, 3, 4]


# --- what it means


def test_a_merged_pull_request():
    assert row("pulls") == records.ChangeRequest(
        external_id="900041", repository=WEB, number=41, title="Remember the basket (WEB-7)",
        url="https://github.com/shop/web/pull/41", state="merged", is_draft=False, is_by_bot=False, author_ref="501",
        base="main", item_keys=["SHP-12", "WEB-7"], opened_at=at("2026-10-01T08:15:00"),
        edited_at=at("2026-10-05T09:00:00"), closed_at=at("2026-10-05T08:59:58"), merged_at=at("2026-10-05T08:59:58"),
    )  # fmt: skip


def test_a_draft_of_a_robot():
    made = row("pulls", 1)

    assert (made.state, made.is_draft, made.is_by_bot, made.merged_at) == ("open", True, True, None)


def test_an_unknown_state_is_other_and_said():
    assert row("pulls", 1, state="queued").state == "other"
    page = read("pulls", [saved("pulls")[0] | {"state": "queued"}])
    assert [str(one) for one in page.notices] == ["state: unknown value “queued”, kept as “other”"]


def test_an_author_who_is_gone_is_nobody():
    assert row("pulls", user=None).author_ref == ""


def test_a_release():
    assert row("releases") == records.Release(
        external_id="77", repository=WEB, tag="v2.1.0", name="", url="https://github.com/shop/web/releases/tag/v2.1.0",
        is_draft=False, is_prerelease=True, author_ref="503", published_at=at("2026-10-02T10:00:00"),
    )  # fmt: skip


def test_a_deployment_that_succeeded_and_was_replaced_is_a_success():
    assert row("deployments") == records.Deployment(
        external_id="88", repository=WEB, environment="production", is_production=True, version="main",
        creator_ref="503", outcome="success", requested_at=at("2026-10-02T11:00:00"),
        succeeded_at=at("2026-10-02T11:09:00"), failed_at=at("2026-10-02T11:04:00"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("states", "outcome"), [([], "pending"), (["queued", "in_progress"], "pending"), (["error", "inactive"], "failure")]
)
def test_how_a_deployment_ended(states, outcome):
    told = [{"id": place, "state": state, "created_at": "2026-10-02T11:00:00Z"} for place, state in enumerate(states)]

    assert row("deployments", statuses=told).outcome == outcome


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ana/shp-12-pay", ["SHP-12"]),
        ("SHP-12: pay (see CHK-3)", ["CHK-3", "SHP-12"]),
        ("shp-12 and SHP-12", ["SHP-12"]),
        ("release-2.0", ["RELEASE-2"]),  # looks like one, and ties to nothing
        ("v1-0 x-1 SHP-012 12-SHP", []),
        ("", []),
    ],
)
def test_keys_of_issues_are_found_as_trackers_write_them(text, keys):
    assert keys_in(text) == keys
