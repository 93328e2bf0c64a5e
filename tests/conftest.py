"""What every test may ask for: people of each role, signed-in clients."""

import time

import pytest
from django.db import connection
from django.test import Client

from hub.people.models import Role
from tests.database import empty_instead_of_flush
from tests.people.factories import UserFactory
from tests.servers import servers_to_start


def pytest_configure(config):
    servers = servers_to_start(config)
    if servers is not None:
        config.add_cleanup(servers.stop)
        servers.start()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with what takes long: then no worker sits through it alone at the end. What commits stays last."""
    items.sort(key=lambda item: (commits(item), item.get_closest_marker("slow") is None))


def commits(item):
    """True for a test that leaves rows behind, and an empty database after it."""
    marker = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(asked or (marker and marker.kwargs.get("transaction")))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let nobody hold the test database at the end: a worker killed mid-query leaves a session that dies late."""
    empty_instead_of_flush()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for _ in range(3):  # who was just let go may have come back once
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            time.sleep(0.2)


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
