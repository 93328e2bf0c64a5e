import pytest
from django.db import connection
from django.test import Client

from hub.local.postgres import Postgres
from hub.local.redis import Redis
from tests.local.conftest import Served

EVERYTHING_UP = {"database": "up", "redis": "up"}


@pytest.fixture
def redis_server(place, settings):
    served = Served(Redis(place))
    settings.REDIS_URL = served.server.url()
    yield served
    served.stop()


@pytest.fixture
def postgres(place, transactional_db):
    """The database of this test's requests: a server that the test may stop."""
    served = Served(Postgres(place, max_connections=12))
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(HOST=str(place.sockets), PORT="", USER="hub_app", NAME="hub")
    yield served
    connection.close()
    connection.settings_dict.update(before)
    served.stop()


def test_live_and_ready_say_so_to_anybody(db, redis_server, client):
    assert client.get("/livez/").content == b"ok\n"
    answer = client.get("/readyz/")
    assert (answer.status_code, answer.json()) == (200, EVERYTHING_UP)
    assert "no-store" in answer["Cache-Control"]


def test_hub_is_ready_without_redis_and_says_that_it_is_away(db, redis_server, client):
    redis_server.kill()

    answer = client.get("/readyz/")

    assert (answer.status_code, answer.json()) == (200, {"database": "up", "redis": "down"})
    redis_server.start()


def test_hub_is_not_ready_while_the_database_is_away_and_is_again_after(postgres, redis_server, client):
    assert client.get("/readyz/").json() == EVERYTHING_UP

    postgres.kill()

    away = client.get("/readyz/")
    assert (away.status_code, away.json(), away["Retry-After"]) == (503, {"database": "down", "redis": "up"}, "5")
    assert client.get("/livez/").status_code == 200
    postgres.start()
    assert client.get("/readyz/").status_code == 200


def test_page_asked_for_while_the_database_is_away_is_a_plain_503(postgres):
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    postgres.kill()

    answer = client.get("/")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "Nothing that was saved is lost" in answer.content.decode()
    postgres.start()


def test_page_asked_for_when_no_connection_is_left_is_a_plain_503(postgres):
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    taken = [postgres.server._connect("hub") for _ in range(12)]

    full = client.get("/")
    for one in taken:
        one.close()

    assert full.status_code == 503
    assert Client().get("/readyz/").json()["database"] == "up"


def test_failure_that_is_not_the_database_stays_a_500(db, rf):
    from hub.core.health import server_error

    try:
        raise ValueError
    except ValueError:
        answer = server_error(rf.get("/"))

    assert answer.status_code == 500
