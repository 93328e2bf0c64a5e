"""`make run`: the whole hub on this machine, from nothing to a page in the browser."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dotenv import dotenv_values

from .crew import SIGNALS_TO_STOP, Crew, Member
from .errors import CannotStart
from .keys import own_secrets
from .place import HOME, PROJECT, Hold, settle
from .postgres import Postgres
from .processes import end_leftovers, spawn, stop
from .redis import Redis

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8000
QUEUES = "default,sync,webhook"
ASK_EVERY_SECONDS = 0.3
AS_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker"}  # Celery's advice; here root chose to be root
KEPT_BY_RESET = {"boot", "lock"}  # tools, not data


@dataclass(frozen=True)
class Server:
    """An embedded server and the process it runs in right now."""

    server: Postgres | Redis
    child: "subprocess.Popen[bytes]"


def run(*, port: int, home: Path, hold: Hold) -> None:
    """Start everything on a folder that is held, and stay until a signal asks to stop. Raises CannotStart."""
    begun = time.monotonic()
    try:
        with _signals_interrupt():
            if end_leftovers(home.resolve()):
                print("Ended what an earlier run had left behind.")
            check_port(port)
            hold.tell(pid=os.getpid(), address=_url(port))
            _run(port=port, home=home.resolve(), begun=begun)
    except KeyboardInterrupt:
        print("Stopped.")
    finally:
        hold.release()


def reset(*, home: Path = HOME) -> None:
    """Remove the data of this hub: database, queue, secrets, logs. Raises CannotStart while it runs."""
    hold = Hold(home)
    hold.take()
    try:
        place = settle(home)
        end_leftovers(place.home)
        for folder in {place.home, place.data, place.sockets}:
            for found in folder.iterdir() if folder.exists() else ():
                if found.name not in KEPT_BY_RESET:
                    shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink(missing_ok=True)
        for folder in {place.data, place.sockets} - {place.home}:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        hold.release()
    print(f"Everything in {place.data} is gone; `make run` starts afresh.")


def check_port(port: int) -> None:
    """Raise CannotStart when another program listens on `port`."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except PermissionError:
            raise CannotStart(f"Port {port} is for root alone; run `make run PORT={DEFAULT_PORT}`.") from None
        except OSError:
            raise CannotStart(
                f"Port {port} is taken by another program; run `make run PORT={port + 1}`, or stop that program."
            ) from None


def _run(*, port: int, home: Path, begun: float) -> None:
    wanted = _environment()
    is_embedded = not wanted.get("DATABASE_URL")
    servers: list[Server] = []
    place = settle(home)
    try:
        if is_embedded:
            for server in (Postgres(place), Redis(place)):
                servers.append(Server(server, server.start()))
            postgres, redis = servers[0].server, servers[1].server
            wanted |= {"DATABASE_URL": postgres.url(), "REDIS_URL": redis.url()}
            print(f"PostgreSQL and Redis run on {place.data} ({time.monotonic() - begun:.1f} s).")
        elif not wanted.get("REDIS_URL"):
            raise CannotStart("DATABASE_URL is set and REDIS_URL is not; set both, or neither to use embedded servers.")
        else:
            print("PostgreSQL and Redis are those of DATABASE_URL and REDIS_URL.")
        sandbox_port = _free_port()
        environment = _complete(wanted, place.home, port=port, sandbox_port=sandbox_port, is_embedded=is_embedded)
        _prepare(environment, place.home)
        crew = _crew(environment, place.home, servers, port=port, sandbox_port=sandbox_port, begun=begun)
        crew.run()
    finally:
        for started in reversed(servers):
            started.server.stop(started.child)
    print("Everything has stopped; the data stays for the next start.")


def _environment() -> dict[str, str]:
    """Return the environment with what `.env` adds to it."""
    from_file = {name: value for name, value in dotenv_values(PROJECT / ".env").items() if value is not None}
    return {**from_file, **os.environ}


def _complete(
    wanted: Mapping[str, str], home: Path, *, port: int, sandbox_port: int, is_embedded: bool
) -> dict[str, str]:
    """Return the environment that everything runs in. What the caller set stays."""
    sandbox_url = f"http://{ADDRESS}:{sandbox_port}"
    defaults = {
        **own_secrets(home / "secrets.env"),
        "BASE_URL": _url(port),
        # Demo people have a password that everybody knows: never by default in a database that is not ours.
        "DEMO": "1" if is_embedded else "0",
        "STATIC_ROOT": str(home / "static"),
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": "lines",
        "MALLOC_TRIM_THRESHOLD_": "131072",  # bytes: after a large answer its memory goes back to the system
    }
    environment = {**defaults, **wanted, "DJANGO_SETTINGS_MODULE": "hub.settings"}
    if _is_demo(environment):
        environment = {"LINEAR_URL": sandbox_url, **environment, "SANDBOX_URL": sandbox_url}
    return environment


def _prepare(environment: Mapping[str, str], home: Path) -> None:
    """Bring the database up to date and fill it, in a process of its own. Raises CannotStart."""
    child = spawn(
        [sys.executable, "-m", "hub.local", "prepare", "--home", str(home)],
        home=home,
        cwd=PROJECT,
        env=environment,
        on_parent_death=signal.SIGKILL,
        output=sys.stdout.fileno(),
    )
    try:
        code = child.wait()
    finally:
        stop(child, signal.SIGTERM, grace_seconds=3)
    if code:
        raise CannotStart("The database could not be prepared; the lines above say why.")


def _crew(
    environment: Mapping[str, str],
    home: Path,
    servers: list[Server],
    *,
    port: int,
    sandbox_port: int,
    begun: float,
) -> Crew:
    """Return everybody who runs, those that use a server before the server."""

    def program(
        *arguments: str, on_parent_death: signal.Signals = signal.SIGTERM, **extra: str
    ) -> Callable[[], "subprocess.Popen[bytes]"]:
        def start() -> "subprocess.Popen[bytes]":
            return spawn(
                [sys.executable, "-m", *arguments],
                home=home,
                cwd=PROJECT,
                env={**environment, **extra},
                on_parent_death=on_parent_death,
                output=subprocess.PIPE,
            )

        return start

    web = ["gunicorn", "hub.wsgi", "--bind", f"{ADDRESS}:{port}", "--worker-class", "gthread", "--workers", "2"]
    web += ["--threads", "4", "--preload", "--graceful-timeout", "5", "--no-control-socket", "--log-level", "warning"]
    web += ["--access-logfile", "-", "--access-logformat", "%(m)s %(U)s %(s)s %(M)s ms"]
    web += ["--logger-class", "hub.core.access.AccessLogger"]
    celery = ["celery", "--app", "hub", "--quiet"]
    worker = [*celery, "worker", "--queues", QUEUES, "--concurrency", "2", "--loglevel", "info"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    (home / "beat").mkdir(exist_ok=True)
    beat = [*celery, "beat", "--schedule", str(home / "beat" / "schedule"), "--pidfile=", "--loglevel", "warning"]
    users = [
        Member("web", program(*web, DATABASE_POOL=environment.get("DATABASE_POOL", "1"))),
        # Work is a row with a lease: a worker that dies at once loses nothing, one that lingers is an orphan.
        Member("worker", program(*worker, on_parent_death=signal.SIGKILL, **AS_ROOT), grace_seconds=4),
        Member("beat", program(*beat), grace_seconds=3),
    ]
    if _is_demo(environment):
        sandbox = program("django", "sandbox", "--announce", "--port", str(sandbox_port))
        users.insert(0, Member("sandbox", sandbox, grace_seconds=3))
    stages = [users, *([_member(one, servers)] for one in reversed(servers))]
    return Crew(stages, on_tick=_Welcome(home, port, begun).is_given)


def _member(started: Server, servers: list[Server]) -> Member:
    """Return an embedded server, already running, as one of the crew."""
    server = started.server

    def start() -> "subprocess.Popen[bytes]":
        child = server.spawn()
        servers[servers.index(next(one for one in servers if one.server is server))] = Server(server, child)
        return child

    member = Member(server.name, start, stop_signal=server.stop_signal, grace_seconds=30, child=started.child)
    member.started_at = time.monotonic()
    return member


class _Welcome:
    """Prints where the hub is and who can sign in, once pages are really answered."""

    def __init__(self, home: Path, port: int, begun: float) -> None:
        self._home, self._port, self._begun = home, port, begun
        self._ask_at = 0.0

    def is_given(self) -> bool:
        """Print the welcome when the hub is ready and say whether that was now."""
        if time.monotonic() < self._ask_at:
            return False
        self._ask_at = time.monotonic() + ASK_EVERY_SECONDS
        connection = http.client.HTTPConnection(ADDRESS, self._port, timeout=2)
        try:
            connection.request("GET", "/readyz/")
            if connection.getresponse().status != http.client.OK:
                return False
        except OSError:
            return False
        finally:
            connection.close()
        print(f"\nThe hub is ready after {time.monotonic() - self._begun:.1f} s: {_url(self._port)}")
        with suppress(FileNotFoundError):
            print((self._home / "welcome.txt").read_text(), end="")
        print("Ctrl-C stops everything and keeps the data; `make reset` starts over.\n", flush=True)
        return True


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Make every signal that asks to stop raise KeyboardInterrupt, so that what has started is stopped again."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS_TO_STOP}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_demo(environment: Mapping[str, str]) -> bool:
    return environment.get("DEMO", "").strip().lower() in {"1", "true", "yes", "on", "t", "y"}


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((ADDRESS, 0))
        number: int = probe.getsockname()[1]
        return number


def _url(port: int) -> str:
    return f"http://localhost:{port}"
