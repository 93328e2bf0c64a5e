"""A database of one's own beside the one that DATABASE_URL names, and the servers where it names none."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def some_servers() -> Iterator[str]:
    """Give the address of a database server: the one that is set, else embedded ones that live as long as the block."""
    if os.environ.get("DATABASE_URL"):
        yield os.environ["DATABASE_URL"]
        return
    from hub.local.place import settle
    from hub.local.postgres import OWNER, Postgres
    from hub.local.redis import Redis

    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        Path(folder).chmod(0o711)
        place = settle(Path(folder) / "servers")
        postgres, redis = Postgres(place), Redis(place)
        running = [(server, server.start()) for server in (postgres, redis)]
        try:
            with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as server:
                server.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))
            os.environ |= {"DATABASE_URL": postgres.url(), "REDIS_URL": redis.url()}
            yield os.environ["DATABASE_URL"]
        finally:
            for server, child in reversed(running):
                server.stop(child)


def own_database(url: str, name: str, *, keep: bool) -> str:
    """Return the address of a database called `name` beside the one of `url`, emptied unless it is kept."""
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as server:
        there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if there and not keep:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        if not (there and keep):
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
