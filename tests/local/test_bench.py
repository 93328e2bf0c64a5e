"""The bench finds servers where none are set."""

import psycopg
import pytest

from tests.bench.database import own_database, some_servers

pytestmark = pytest.mark.slow


def test_the_bench_makes_databases_on_servers_of_its_own(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "")

    with some_servers() as server:
        for keep in (False, True, False):
            url = own_database(server, "hub_bench", keep=keep)
            with psycopg.connect(url) as connection:
                assert connection.info.dbname == "hub_bench"
