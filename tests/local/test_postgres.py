import os
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from hub.local.errors import CannotStart
from hub.local.place import ROOTS_HOME, settle
from hub.local.postgres import Postgres
from hub.local.processes import working_in
from tests.numbers import times

PROJECT = Path(__file__).resolve().parents[2]


def connect(served, role="hub_app", database="hub"):
    return psycopg.connect(host=str(served.server.place.sockets), user=role, dbname=database, autocommit=True)


def ask(served, query, role="hub_app"):
    with connect(served, role) as connection:
        return connection.execute(query).fetchone()[0]


def test_hub_owns_its_database_and_is_no_superuser(postgres):
    with connect(postgres) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba), datlocprovider, datlocale FROM pg_database WHERE datname = 'hub'"
        ).fetchone()

    assert role == (False, False, False)
    assert owner == ("hub_app", "b", "C.UTF-8")


def test_reader_writes_nothing(postgres):
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept (n int)")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(postgres, "CREATE TABLE mine (n int)", role="hub_metric_ro")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(postgres, "SELECT count(*) FROM kept", role="hub_metric_ro")


def test_server_listens_on_a_private_socket_alone(postgres):
    sockets = postgres.server.place.sockets

    assert ask(postgres, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.server.folder.stat().st_mode) == 0o700


def test_server_is_eighteen_and_keeps_its_word_on_disk(postgres):
    assert ask(postgres, "SHOW server_version").startswith("18.")
    assert ask(postgres, "SHOW fsync") == "on"
    assert ask(postgres, "SHOW data_checksums") == "on"


def test_rows_survive_a_stop_and_a_start(postgres):
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    postgres.stop()

    postgres.start()

    assert ask(postgres, "SELECT n FROM kept") == 42


@pytest.mark.slow
@pytest.mark.faults
def test_no_acknowledged_row_is_lost_when_the_server_is_killed(postgres):
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    acknowledged = 0

    for _ in range(times(5, 50)):
        with connect(postgres) as connection:
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                connection.execute("INSERT INTO kept VALUES (1)")
                acknowledged += 1
            postgres.kill()
        postgres.start()

    assert ask(postgres, "SELECT count(*) FROM kept") == acknowledged


def test_stale_pid_file_leaves_a_stranger_alone(postgres):
    postgres.stop()
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **postgres.server.place.as_account())
    pid_file = postgres.server.folder / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{postgres.server.folder}\n")
    lock = postgres.server.place.sockets / ".s.PGSQL.5432.lock"
    lock.write_text(f"{stranger.pid}\n")

    postgres.start()

    assert stranger.poll() is None
    assert ask(postgres, "SELECT 1") == 1
    stranger.kill()
    stranger.wait()


def test_half_made_data_folder_never_counts(place):
    half = place.data / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres(place)

    child = server.start()

    assert not half.exists()
    server.stop(child)


def test_long_path_puts_the_socket_into_a_private_folder_elsewhere(folder):
    deep = folder / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    place = settle(deep / ".hub")
    server = Postgres(place)

    child = server.start()

    assert len(os.fsencode(place.sockets / ".s.PGSQL.5432.lock")) <= 103
    assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
    server.stop(child)
    place.sockets.rmdir()


def test_socket_folder_of_another_person_is_refused(folder):
    deep = folder / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    sockets = settle(deep / ".hub").sockets
    sockets.rmdir()
    sockets.symlink_to("/")

    with pytest.raises(CannotStart, match="belongs to someone else"):
        settle(deep / ".hub")

    sockets.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_root_changes_the_rights_of_no_folder_above(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    place = settle(closed / ".hub")
    server = Postgres(place)

    child = server.start()

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert place.data.parent == ROOTS_HOME
    assert psutil.Process(child.pid).username() == place.account.name
    server.stop(child)
    subprocess.run(["rm", "-rf", place.data], check=True)


def test_server_ends_with_a_parent_that_is_killed(place):
    script = f"""
        from pathlib import Path
        from hub.local.place import settle
        from hub.local.postgres import Postgres
        server = Postgres(settle(Path({str(place.home)!r})))
        server.start()
        print("up", flush=True)
        input()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
    )
    with parent:
        assert parent.stdout.readline() == "up\n"
        parent.kill()

    until = time.monotonic() + 15
    while working_in(place.data / "postgres", "postgres") and time.monotonic() < until:
        time.sleep(0.05)
    assert working_in(place.data / "postgres", "postgres") == []


def test_orphan_is_stopped_before_the_next_start(postgres):
    orphan = postgres.child

    postgres.start()

    assert orphan.wait(5) == 0
    assert postgres.told == ["Stopped the PostgreSQL server that an earlier run had left behind."]
    assert ask(postgres, "SELECT 1") == 1


def test_server_that_cannot_start_says_why(postgres):
    postgres.stop()
    (postgres.server.folder / "global" / "pg_control").unlink()

    with pytest.raises(CannotStart, match="pg_control"):
        postgres.start()
