"""Real databases to climb into: PostgreSQL behind a port of our own, DuckDB and SQLite as files."""

import os
import select
import socket
import sqlite3
import threading
from contextlib import contextmanager, suppress
from urllib.parse import quote

import duckdb
import psycopg
import pytest
from django.db import connection

ROWS = [("2026-03-02", "checkout", 4.0), ("2026-03-02", "search", 7.0), ("2026-03-09", "checkout", 5.0)]
# A role is the whole server's, which the suite's processes share
ROLE = f"metrics_ro_{os.environ.get('PYTEST_XDIST_WORKER', 'test')}"
PASSWORD = "canary-of-the-role"


@pytest.fixture(autouse=True)
def allowed(settings, tmp_path):
    settings.SQL_HOSTS = ["127.0.0.0/8"]
    settings.SQL_FOLDERS = [str(tmp_path)]


@contextmanager
def port_to(target):
    """Open a port of this machine that leads to `target`: the tests' server may listen on a socket file alone."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve(near):
        with near, target() as far:
            while not stop.is_set():
                ready, _, _ = select.select([near, far], [], [], 0.2)
                for one in ready:
                    with suppress(OSError):
                        data = one.recv(65536)
                        if not data:
                            return
                        (far if one is near else near).sendall(data)

    def accept():
        while not stop.is_set():
            with suppress(OSError):
                near, _ = listening.accept()
                threading.Thread(target=serve, args=(near,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=2)


def server():
    """Return a socket to the tests' PostgreSQL."""
    given = connection.get_connection_params()
    host, port = given.get("host") or "127.0.0.1", given.get("port") or 5432
    if str(host).startswith("/"):
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{host}/.s.PGSQL.{port}")
        return far
    return socket.create_connection((host, int(port)))


@pytest.fixture
def postgres(db):
    """A table in the tests' database, and a role that may read it and nothing else; the address of that role."""
    given = connection.get_connection_params()
    mine = {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}
    if str(mine.get("host", "")).startswith("/"):  # a server of the suite's own, where the hub is no superuser
        mine = {**mine, "user": "postgres"}
    with psycopg.connect(**mine, autocommit=True) as owner:
        owner.execute("DROP TABLE IF EXISTS public.figures")
        owner.execute("CREATE TABLE public.figures (week date, team text, value float8)")
        owner.cursor().executemany("INSERT INTO public.figures VALUES (%s, %s, %s)", ROWS)
        with suppress(psycopg.errors.DuplicateObject):
            owner.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        owner.execute(f"ALTER ROLE {ROLE} NOCREATEROLE")
        owner.execute(f"GRANT SELECT ON public.figures TO {ROLE}")
        with port_to(server) as port:
            yield f"postgresql://{ROLE}:{quote(PASSWORD)}@127.0.0.1:{port}/{mine['dbname']}", owner
        owner.execute("DROP TABLE public.figures")
        owner.execute(f"DROP OWNED BY {ROLE}")
        owner.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
def duck(tmp_path):
    path = tmp_path / "figures.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE TABLE figures (week date, team text, value double)")
        made.executemany("INSERT INTO figures VALUES (?, ?, ?)", ROWS)
    return f"duckdb:///{path}", path


@pytest.fixture
def lite(tmp_path):
    path = tmp_path / "figures.sqlite3"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE figures (week text, team text, value real)")
        made.executemany("INSERT INTO figures VALUES (?, ?, ?)", ROWS)
    made.close()
    return f"sqlite:///{path}", path
