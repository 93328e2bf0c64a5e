"""What every test may ask for: people of each role, signed-in clients."""

import pytest
from django.test import Client

from hub.people.models import Role
from tests.people.factories import UserFactory
from tests.servers import servers_to_start


def pytest_configure(config):
    servers = servers_to_start(config)
    if servers is not None:
        config.add_cleanup(servers.stop)
        servers.start()


@pytest.fixture
def member(db):
    return UserFactory(email="member@ardoise.example", name="Salomé Petit", role=Role.MEMBER)


@pytest.fixture
def ops(db):
    return UserFactory(email="ops@ardoise.example", name="Nora Haddad", role=Role.OPS)


@pytest.fixture
def leader(db):
    return UserFactory(email="leader@ardoise.example", name="Inès Carpentier", role=Role.LEADER)


@pytest.fixture
def admin(db):
    return UserFactory(email="admin@ardoise.example", name="Thomas Weil", role=Role.MEMBER, is_staff=True)


@pytest.fixture
def sign_in():
    """Return a client signed in as the given person."""

    def as_person(person):
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return as_person


SHARES_THE_BROKER = ("jobs", "test_kill.py", "test_faults.py", "test_convergence.py", "test_engine.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep tests that fill or empty the broker in one process: two would take each other's messages."""
    for item in items:
        if any(part in SHARES_THE_BROKER for part in item.path.parts):
            item.add_marker(pytest.mark.xdist_group("broker"))
