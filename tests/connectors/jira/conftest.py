"""A small company on Jira's wire, and a quick way to sync it."""

import pytest

from connectors.sandbox.history import small_world
from connectors.sandbox.jira.wire import SECRET, JiraWire
from tests.connectors.company import UNLIMITED, Company


class JiraCompany(Company):
    service, label, secret = "jira", "Jira", SECRET

    @property
    def world(self):
        return self.sandbox.world

    @property
    def team(self):
        return next(iter(self.world.rows("Team")))


@pytest.fixture
def open_company(put_on):
    """Return a function that serves a world (a small one, if none is given) and connects the hub to it."""

    def make(world=None, **switches):
        world = world or small_world()
        return put_on(JiraCompany, world, JiraWire(world, **{"requests_per_second": UNLIMITED, **switches}))

    return make


@pytest.fixture
def company(open_company):
    return open_company()
