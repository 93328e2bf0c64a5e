"""Folders with a space and an accent in their path, and servers that end with the test."""

import shutil
import tempfile
from pathlib import Path

import pytest

from hub.local.place import settle
from hub.local.postgres import Postgres
from hub.local.redis import Redis


@pytest.fixture
def folder():
    """A new folder that everybody may enter, with an unfriendly name."""
    made = Path(tempfile.mkdtemp(prefix="hub à "))
    made.chmod(0o755)
    yield made.resolve()
    shutil.rmtree(made)


@pytest.fixture
def place(folder):
    return settle(folder / ".hub")


class Served:
    """A server and its process, started again at will."""

    def __init__(self, server):
        self.server, self.told = server, []
        server._tell = self.told.append
        self.child = server.start()

    def kill(self):
        self.child.kill()
        self.child.wait()

    def start(self):
        self.child = self.server.start()

    def stop(self):
        self.server.stop(self.child)


@pytest.fixture
def postgres(place):
    served = Served(Postgres(place))
    yield served
    served.stop()


@pytest.fixture
def redis_server(place):
    served = Served(Redis(place))
    yield served
    served.stop()
