"""A source on a real socket, a connector for it, and a quick way to run a sync."""

import itertools
from contextlib import ExitStack

import pytest
import redis
import stamina
from django.conf import settings

from connectors import registry
from connectors.sandbox.server import serve
from connectors.transport import Transport
from hub.jobs.broker import redis_address
from tests.connectors.company import finish
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
    return lambda **fields: finish(make_run(connection, slot=f"test:{next(slots)}", **fields))


@pytest.fixture
def put_on(db, settings):
    """Return a function that serves a tool's wire until the test ends, and connects a company's hub to it."""
    with ExitStack() as served:

        def start(company, world, wire=None, **linear):
            sandbox = served.enter_context(serve(world, wires=[wire] if wire else (), **linear))
            settings.SANDBOX_URL = sandbox.url
            return company(sandbox)

        yield start


@pytest.fixture
def during(monkeypatch):
    """Return what has an act happen once, while the source is asked for a path."""

    def plan(path, act):
        left, fetch = [act], Transport.fetch

        def fetched(self, request):
            if request.path == path and left:
                left.pop()()
            return fetch(self, request)

        monkeypatch.setattr(Transport, "fetch", fetched)

    return plan
