"""Productboard beside Linear: one company, one clock, one server."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import COMPANY
from connectors.sandbox.history import small_world
from connectors.sandbox.life import Life, demo_world
from connectors.sandbox.productboard.board import Board, small_board
from connectors.sandbox.productboard.life import ProductOffice
from connectors.sandbox.productboard.wire import TOKEN, ProductboardWire
from connectors.sandbox.server import serve
from connectors.sandbox.world import World

from .conftest import Client

THURSDAY = datetime(2026, 5, 7, 12, tzinfo=UTC)
FIRST = date(2026, 3, 2)
DAY = timedelta(days=1)


def lived(at=THURSDAY, seed=1):
    """Return Ardoise some weeks on, with Productboard."""
    world = World(Clock(at), seed=seed)
    life = Life(world, first=FIRST, departments=[ProductOffice])
    life.advance()
    return world, life, life.departments[0].board


@pytest.fixture(scope="module")
def ardoise():
    return lived()


def test_the_same_seed_is_the_same_board_and_another_is_another(ardoise):
    assert lived()[2].truth() == ardoise[2].truth()
    assert lived(seed=2)[2].truth()["note"] != ardoise[2].truth()["note"]


def test_a_board_that_lived_all_along_equals_one_started_today(ardoise):
    world, life, board = lived(THURSDAY - 9 * DAY)
    for hours in (1, 5, 30, 80, 100):
        world.clock.advance(timedelta(hours=hours))
        life.advance()

    assert board.truth() == ardoise[2].truth()


def test_linear_does_not_notice(ardoise):
    alone = World(Clock(THURSDAY))
    Life(alone, first=FIRST).advance()

    assert alone.truth() == ardoise[0].truth()
    assert demo_world(Clock(THURSDAY), scale=0.05)[1].departments == []


def test_people_have_the_address_they_have_everywhere(ardoise):
    _world, _life, board = ardoise
    known = {person.email for person in (*COMPANY.people, *COMPANY.leavers)}
    addresses = {row["fields"]["email"] for row in board.rows("member").values()}

    assert addresses - known == {"pia@freelance.example", "newcomer@ardoise.example"}
    assert {row["fields"]["name"] for row in board.rows("team").values()} == {t.name for t in COMPANY.product_teams}


def test_two_features_in_three_name_the_project_they_became(ardoise):
    world, life, board = ardoise
    built = life.departments[0].built
    said = [row["fields"].get(board.linear_field, "") for row in board.rows("feature").values()]
    named = {url.rpartition("/")[2] for url in said if url}

    assert set(built) == set(world.rows("Project"))
    assert named <= set(built)
    assert 0.4 < len(named) / len(built) < 0.9


def test_feedback_is_processed_put_away_or_left(ardoise):
    notes = [row["fields"] for row in ardoise[2].rows("note").values()]
    processed = sum(fields["processed"] for fields in notes) / len(notes)

    assert len(notes) > 200 and 0.5 < processed < 0.85
    assert any(fields.get("archived") for fields in notes)
    assert not any(fields["processed"] for fields in notes if fields.get("archived"))


@pytest.fixture(scope="module")
def autumn():
    return lived(datetime(2026, 11, 19, 18, tzinfo=UTC))[2]


def test_some_key_results_are_late_and_some_of_these_say_that_all_is_well(autumn):
    said = []
    for row in autumn.rows("keyResult").values():
        held, frame, health = (row["fields"][name] for name in ("progress", "timeframe", "health"))
        done = (held["currentValue"] - held["startValue"]) / (held["targetValue"] - held["startValue"])
        start, end = (date.fromisoformat(frame[name]) for name in ("startDate", "endDate"))
        said.append((min(done, 1) - (date(2026, 11, 19) - start) / (end - start), health["status"]))

    assert any(gap > 0 for gap, _ in said) and any(gap < -0.2 and health == "offTrack" for gap, health in said)
    assert sum(gap < -0.2 and health == "onTrack" for gap, health in said) == 2


def test_releases_come_in_time_late_or_not_at_all(autumn):
    fates = []
    for row in autumn.rows("release").values():
        end, status = row["fields"]["timeframe"]["endDate"], row["fields"]["status"]["name"]
        if end < "2026-11-01":
            fates.append("never" if status == "Planned" else "late" if row["updatedAt"][:10] > end else "in time")

    assert len(fates) == 21  # three groups, from April to October
    assert fates.count("in time") > fates.count("late") > 0
    assert 0 < fates.count("never") < 6


def test_a_deleted_thing_leaves_no_tie_behind():
    board = small_board(small_world())
    feature = next(iter(board.rows("feature")))

    row = board.delete(feature)

    assert not [tie for kind in ("note", "subfeature") for one in board.rows(kind).values()
                for tie in one["_ties"] if tie[1] == feature]  # fmt: skip
    assert board.bring_back(row)["id"] in board.rows("feature")


# --- the server


@pytest.fixture
def both():
    board = small_board(small_world())
    with serve(board.world, wires=[ProductboardWire(board)]) as sandbox:
        yield sandbox, board


def get(client, path):
    return client.send(path, None, {"Authorization": f"Bearer {TOKEN}"}, "GET")


def test_each_wire_has_its_own_paths_faults_and_log(both):
    client = Client(both[0].url)
    client.control("faults", wire="productboard", add=[{"action": "status", "params": {"status": 502}}])

    assert client.data("{ viewer { id } }")
    assert get(client, "/v2/teams")[0] == 502
    assert get(client, "/v2/teams")[0] == 200
    lines = client.control("log", wire="productboard")[1]["requests"]
    assert [(line["operation"], line["status"]) for line in lines] == [("teams", 502), ("teams", 200)]
    assert len(client.control("log")[1]["requests"]) == 1


def test_a_board_is_changed_counted_and_read_by_control(both):
    client = Client(both[0].url)
    given = {"do": "add", "with": {"kind": "feature", "name": "By control"}}

    _status, row = client.control("mutate", wire="productboard", **given)

    assert client.control("truth", wire="productboard")[1]["feature"][row["id"]]["fields"]["name"] == "By control"
    assert client.control("counts", wire="productboard")[1]["feature"] == 2
    assert client.control("mutate", wire="productboard", **{"do": "lock"})[0] == 404
    assert client.control("log", wire="fax")[0] == 404


def test_a_token_is_revoked_and_a_refresh_replaces_the_pair(both):
    sandbox, _board = both
    client = Client(sandbox.url)
    sandbox.wires["productboard"].grant("old", {"entities:read"}, refresh="r1")
    asked = "grant_type=refresh_token&refresh_token=r1"

    made = json.loads(client.send("/oauth2/token", asked)[2])
    again = client.send("/oauth2/token", asked)[0]

    assert (made["scope"], again) == ("entities:read", 400)
    assert client.send("/v2/teams", None, {"Authorization": "Bearer old"}, "GET")[0] == 401
    fresh = {"Authorization": f"Bearer {made['access_token']}"}
    assert client.send("/v2/teams", None, fresh, "GET")[0] == 200
    client.control("revoke", wire="productboard", secret=made["access_token"])
    assert client.send("/v2/teams", None, fresh, "GET")[0] == 401


def test_a_world_without_a_board_has_no_such_path(client):
    assert get(client, "/v2/teams")[0] == 404
    assert Board(World()).counts()["feature"] == 0
