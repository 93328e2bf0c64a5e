"""A small company on Jira's wire, and a quick way to sync it."""

import itertools
from datetime import timedelta

import pytest

from connectors import registry
from connectors.engine import Engine
from connectors.sandbox.history import small_world
from connectors.sandbox.jira.wire import SECRET, JiraWire
from connectors.sandbox.server import serve
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run

PLENTY = 10**9  # of requests a second: the clock stands still, and nothing refills


class Company:
    """A world on Jira's wire, the hub's connection to it, and the nights."""

    def __init__(self, world, wire, sandbox):
        self.world, self.wire, self.sandbox = world, wire, sandbox
        self.connection = make_connection("jira", secret=SECRET, label="Jira", base_url=sandbox.url)
        self.slots = itertools.count()

    @property
    def team(self):
        return next(iter(self.world.rows("Team")))

    def sync(self, after=timedelta(days=1), **fields):
        """Let time pass, and run one whole sync; return the run."""
        self.world.clock.advance(after)
        self.connection.refresh_from_db()
        run = make_run(self.connection, slot=f"test:{next(self.slots)}", **fields)
        while True:
            try:
                Engine(run, registry.connector("jira"), clock=self.world.clock.now).go()
            except TryLater as later:
                if later.after:
                    raise
                continue
            run.refresh_from_db()
            return run

    def fail(self, action, operation=None, **fields):
        return self.sandbox.fail(action, operation, wire="jira", **fields)


@pytest.fixture
def open_company(db, settings):
    """Return a function that serves a world (a small one, if none is given) and connects the hub to it."""
    opened = []

    def make(world=None, **switches):
        world = world or small_world()
        wire = JiraWire(world, **{"requests_per_second": PLENTY, **switches})
        served = serve(world, wires=[wire])
        sandbox = served.__enter__()
        opened.append(served)
        settings.SANDBOX_URL = sandbox.url
        return Company(world, wire, sandbox)

    yield make
    for served in reversed(opened):
        served.__exit__(None, None, None)


@pytest.fixture
def company(open_company):
    return open_company()
