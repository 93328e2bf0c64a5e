"""The embedded servers of the suite: one PostgreSQL and one Redis for a whole run, shared by all its workers.

With DATABASE_URL in the environment the suite uses that server instead, and starts none.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hub.local.errors import CannotStart
from hub.local.place import Hold, settle
from hub.local.postgres import Postgres
from hub.local.processes import end_leftovers
from hub.local.redis import Redis

FOLDER = "HUB_TEST_SERVERS"  # where they are; the first process of a run chooses, its workers inherit


def claim_addresses() -> None:
    """Put the addresses of servers that `start` will start into the environment; nothing is started here.

    The addresses must be known when the settings are read, which is before pytest asks anybody to start anything.
    """
    if os.environ.get("DATABASE_URL"):
        claim_own_redis()
        return
    folder = Path(tempfile.gettempdir()).resolve() / f"hub-t{os.getpid()}"
    sockets = folder / "sockets"
    os.environ[FOLDER] = str(folder)
    os.environ["DATABASE_URL"] = f"postgres://hub_app@{str(sockets).replace('/', '%2F')}/hub"
    os.environ["REDIS_URL"] = f"unix://{sockets}/redis.sock?db=9"


def claim_own_redis() -> None:
    """Give each worker of a run a Redis database of its own: who empties one empties nobody else's."""
    folder, worker = os.environ.get(FOLDER), os.environ.get("PYTEST_XDIST_WORKER")
    if folder and worker:
        os.environ["REDIS_URL"] = f"unix://{folder}/sockets/redis.sock?db={10 + int(worker.removeprefix('gw')) % 6}"


class Servers:
    """The two servers of a run and the folder they live in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hold = Hold(folder)
        self._running: list[tuple[Postgres | Redis, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        """Start both; what they hold is gone after the run, so nothing waits for the disk."""
        self._hold.take()
        place = settle(self.folder)
        if place.sockets != self.folder / "sockets":
            raise CannotStart(f"The tests can't use {self.folder.parent}: set TMPDIR to a shorter, public folder.")
        for server in (Postgres(place, is_forgetful=True, max_connections=100), Redis(place, is_forgetful=True)):
            self._running.append((server, server.start()))

    def stop(self) -> None:
        """Stop both and remove the folder."""
        for server, child in reversed(self._running):
            server.stop(child)
        end_leftovers(self.folder)
        self._hold.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def servers_to_start(config: object) -> Servers | None:
    """Return the servers that this process has to start: none in a worker, or where DATABASE_URL was given."""
    folder = os.environ.get(FOLDER)
    return None if folder is None or hasattr(config, "workerinput") else Servers(Path(folder))
