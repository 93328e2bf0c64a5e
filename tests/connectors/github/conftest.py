"""A small company on GitHub's wire, its repositories named as an admin would, and a quick way to sync it."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from connectors import registry
from connectors.engine import Engine
from connectors.sandbox.clock import Clock
from connectors.sandbox.github.forge import Forge
from connectors.sandbox.github.wire import TOKEN, GitHubWire
from connectors.sandbox.server import serve
from connectors.sandbox.world import World
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run

START = datetime(2026, 10, 5, 9, tzinfo=UTC)
PLENTY = {"requests_per_hour": 10**9, "requests_per_minute": 10**9}  # the clock stands still, and nothing refills


class Company:
    """A forge on its wire, the hub's connection to it, and the nights."""

    def __init__(self, forge, wire, sandbox):
        self.forge, self.wire, self.sandbox, self.clock = forge, wire, sandbox, forge.clock
        self.connection = make_connection("github", secret=TOKEN, label="GitHub", base_url=sandbox.url)
        self.slots = itertools.count()

    def name(self, *repositories):
        """Say which repositories are read, now by the world's clock; those that were named before keep their time."""
        held = {one["name"]: one for one in self.connection.chosen}
        now = self.clock.now().isoformat()
        self.connection.chosen = [held.get(name, {"name": name, "asked_at": now}) for name in repositories]
        self.connection.save()

    def sync(self, after=timedelta(days=1), **fields):
        """Let time pass, and run one whole sync; return the run."""
        self.clock.advance(after)
        self.connection.refresh_from_db()
        run = make_run(self.connection, slot=f"test:{next(self.slots)}", **fields)
        while True:
            try:
                Engine(run, registry.connector_for(self.connection), clock=self.clock.now).go()
            except TryLater as later:
                if later.after:
                    raise
                continue
            run.refresh_from_db()
            return run

    def fail(self, action, operation=None, **fields):
        return self.sandbox.fail(action, operation, wire="github", **fields)

    def asked(self):
        """Return the operations of the requests since the last call."""
        names = [line.operation for line in self.wire.log]
        self.wire.log.clear()
        return names


def small_forge(clock=None):
    """Two repositories with a handful of everything, and a third one that nobody named."""
    forge = Forge(World(clock or Clock(START)))
    for login in ("ana", "ben"):
        forge.add_account(login)
    for name in ("shop", "app", "secret"):
        home = forge.add_repository(name)["full_name"]
        for place in range(5):
            forge.clock.advance(timedelta(minutes=7))
            forge.open_pull(home, f"Change {place}", branch=f"ana/shp-{place + 1}-change", by="ana")
        pulls = forge.rows("Pull", home)
        forge.merge(pulls[0]["id"])
        forge.close(pulls[1]["id"])
        forge.publish(home, "v1.0.0", by="ben")
        for environment in ("staging", "production"):
            made = forge.deploy(home, environment, by="ben")
            forge.tell(made["id"], "success")
    return forge


@pytest.fixture
def open_company(db, settings):
    """Return a function that serves a forge (a small one, if none is given) and connects the hub to it."""
    opened = []

    def make(forge=None, **switches):
        forge = forge or small_forge()
        wire = GitHubWire(forge, **{**PLENTY, **switches})
        served = serve(forge.world, wires=[wire])
        sandbox = served.__enter__()
        opened.append(served)
        settings.SANDBOX_URL = sandbox.url
        return Company(forge, wire, sandbox)

    yield make
    for served in reversed(opened):
        served.__exit__(None, None, None)


@pytest.fixture
def company(open_company):
    """Return a company whose shop and app are read."""
    made = open_company()
    made.name("ardoise/shop", "ardoise/app")
    return made
