"""What the demo says of its repositories is true of the sandbox."""

import pytest

from connectors.models import Connection
from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.github.life import Engineering
from connectors.sandbox.life import Life
from connectors.sandbox.world import World
from hub.demo.repositories import name_repositories
from tests.connectors.factories import make_connection


@pytest.mark.django_db
def test_the_repositories_of_the_demo_are_named_once_and_are_the_sandbox_s():
    assert name_repositories() == 0  # nothing is connected yet
    make_connection("github")
    sandbox = Engineering(Life(World(Clock(moment("2026-03-03T08:00:00Z"))))).forge

    assert name_repositories() == len(sandbox.repositories)

    assert {one["name"] for one in Connection.objects.get().chosen} == set(sandbox.repositories)
    assert name_repositories() == 0
