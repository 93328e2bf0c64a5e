"""A source on a real socket, a connector for it, and a quick way to run a sync."""

import itertools

import pytest
import redis
import stamina
from django.conf import settings

from connectors import registry
from connectors.engine import Engine
from hub.jobs.broker import redis_address
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run
from tests.connectors.stand_in import StandIn
from tests.connectors.toy import Toy


@pytest.fixture(autouse=True)
def quick_retries():
    """Retry as often as ever, but without sitting still in between."""
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


@pytest.fixture(autouse=True)
def clean_redis():
    held = redis.Redis.from_url(redis_address(settings.REDIS_URL))
    held.flushdb()
    yield held
    held.close()


@pytest.fixture
def source():
    with StandIn() as made:
        registry.add(Toy(made.url))
        yield made
        registry.remove("toy")


@pytest.fixture
def world(source):
    return source.world


@pytest.fixture
def connection(db, source):
    return make_connection()


@pytest.fixture
def sync(connection):
    """Run a whole sync in this process; return the run."""
    slots = itertools.count()

    def run(**fields):
        made = make_run(connection, slot=f"test:{next(slots)}", **fields)
        while True:
            try:
                Engine(made, registry.connector("toy")).go()
            except TryLater as later:
                if later.after:
                    raise
                continue
            made.refresh_from_db()
            return made

    return run
