"""A PostgreSQL and a Redis of the soak's own, so that they may be restarted and emptied."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.local.place import settle
from hub.local.postgres import Postgres
from hub.local.processes import end_leftovers
from hub.local.redis import Redis


class Servers:
    """Both, running; their addresses stand in the environment."""

    def __init__(self, folder: Path) -> None:
        place = settle(folder)
        self.folder = folder
        self.postgres = Postgres(place, is_forgetful=True)
        self.redis = Redis(place, is_forgetful=True)
        self._postgres, self._redis = self.postgres.start(), self.redis.start()
        os.environ |= {"DATABASE_URL": self.postgres.url(), "REDIS_URL": self.redis.url()}

    def restart_postgres(self) -> None:
        """Throw everybody out and come back, with every row."""
        self.postgres.stop(self._postgres)
        self._postgres = self.postgres.start()

    def stop(self) -> None:
        self.redis.stop(self._redis)
        self.postgres.stop(self._postgres)
        end_leftovers(self.folder)


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Run both in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hub-soak-") as folder:
        Path(folder).chmod(0o711)
        servers = Servers(Path(folder) / "servers")
        try:
            yield servers
        finally:
            servers.stop()
