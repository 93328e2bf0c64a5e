"""A small company on GitHub's wire, its repositories named as an admin would, and a quick way to sync it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.github.forge import Forge
from connectors.sandbox.github.wire import TOKEN, GitHubWire
from connectors.sandbox.world import World
from tests.connectors.company import UNLIMITED, Company

START = datetime(2026, 10, 5, 9, tzinfo=UTC)
PLENTY = {"requests_per_hour": UNLIMITED, "requests_per_minute": UNLIMITED}


class GitHubCompany(Company):
    service, label, secret = "github", "GitHub", TOKEN

    @property
    def forge(self):
        return self.wire.forge

    def name(self, *repositories):
        """Say which repositories are read, now by the world's clock; those that were named before keep their time."""
        held = {one["name"]: one for one in self.connection.chosen}
        now = self.clock.now().isoformat()
        self.connection.chosen = [held.get(name, {"name": name, "asked_at": now}) for name in repositories]
        self.connection.save()


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
def open_company(put_on):
    """Return a function that serves a forge (a small one, if none is given) and connects the hub to it."""

    def make(forge=None, **switches):
        forge = forge or small_forge()
        return put_on(GitHubCompany, forge.world, GitHubWire(forge, **{**PLENTY, **switches}))

    return make


@pytest.fixture
def company(open_company):
    """Return a company whose shop and app are read."""
    made = open_company()
    made.name("ardoise/shop", "ardoise/app")
    return made
