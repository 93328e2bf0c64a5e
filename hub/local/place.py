"""Where a hub keeps its data on this machine, who may touch it, and who holds it right now."""

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from .errors import CannotStart

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".hub"
ACCOUNT_NAME = "hub-local"
ROOTS_HOME = Path("/var/lib/hub-local")  # data of a hub that root starts from a folder nobody else can enter
SOCKET_PATH_LIMIT = 103  # bytes: 107 on Linux, 103 on macOS
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


@dataclass(frozen=True)
class Account:
    """The unprivileged person of the operating system that the servers run as when root starts the hub."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """The folders of one hub.

    `home` is `.hub/` in the project: lock, secrets, logs, the beat's schedule. `data` holds the servers' folders; it
    is `home` unless root started the hub where the servers' account can't enter. `account` is None when the servers
    run as whoever started the hub.
    """

    home: Path
    data: Path
    sockets: Path
    account: Account | None

    @property
    def logs(self) -> Path:
        return self.home / "log"

    def as_account(self) -> dict[str, Any]:
        """Return what subprocess needs to start a server as its own account."""
        if self.account is None:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def make_private(self, folder: Path) -> Path:
        """Make `folder`, open to the servers' account alone. Raises CannotStart when it is someone else's."""
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        ours = {os.geteuid(), self.account.uid if self.account else os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
            raise CannotStart(f"{folder} belongs to someone else; remove it, then start again.")
        folder.chmod(0o700)
        if self.account is not None and found.st_uid != self.account.uid:
            os.chown(folder, self.account.uid, self.account.gid)
        return folder

    def open_log(self, name: str) -> IO[bytes]:
        """Open the log of one server for appending; it starts afresh beyond 10 MB."""
        self.logs.mkdir(mode=0o700, exist_ok=True)
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > 10_000_000:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def end_of_log(self, name: str) -> str:
        """Return the last lines of a server's log, for the sentence that says why it didn't start."""
        path = self.logs / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-5:]) if path.exists() else ""


def settle(home: Path) -> Place:
    """Prepare the folders of the hub whose own folder is `home`. Raises CannotStart."""
    home = home.resolve()
    account = _server_account() if os.geteuid() == 0 else None
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700 if account is None else 0o711)  # the account passes through, and reads nothing
    except PermissionError:
        raise CannotStart(
            f"{home} can't be used by you; it was made by another person. Start as that person, or remove it."
        ) from None
    data = home
    if account is not None and not _may_enter(account, home):
        data = ROOTS_HOME / _digest(home)
        ROOTS_HOME.mkdir(mode=0o711, exist_ok=True)
        data.mkdir(mode=0o711, exist_ok=True)
        (data / "project").write_text(f"{home}\n")
    place = Place(home, data, _socket_folder(data, home), account)
    place.make_private(place.sockets)
    return place


def find_package(place: Place, package: str, probe: str) -> Path:
    """Return the folder of an installed `package` in which the servers' account can run `probe`.

    Only root ever needs more than the installed one: from an environment that others can't enter, the package and
    the libraries it carries are copied once beside the data. Nobody's folder gets new rights.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {package} is missing; run `make run` again to install it.")
    folder = Path(spec.submodule_search_locations[0])
    if place.account is None or _may_run(place.account, folder / probe):
        return folder
    copied = ROOTS_HOME / "programs" / f"{package}-{_digest(folder)}"
    if not _may_run(place.account, copied / package / probe):
        shutil.rmtree(copied, ignore_errors=True)
        fresh = copied.with_suffix(f".{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        unneeded = shutil.ignore_patterns("pginstall", "include", "__pycache__")
        shutil.copytree(folder, fresh / package, ignore=unneeded)
        libraries = folder.with_name(f"{package}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        for folder_of_copies in (ROOTS_HOME, ROOTS_HOME / "programs", fresh):
            folder_of_copies.chmod(0o755)
        fresh.rename(copied)
    return copied / package


class Hold:
    """The right to run on a folder: one process at a time, given back by the kernel however that process ends."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the folder. Raises CannotStart with the holder's name when somebody has it."""
        self._home.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(handle, "r+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = self._told()
            self.release()
            raise CannotStart(told) from None
        self.tell(pid=os.getpid())

    def tell(self, **facts: object) -> None:
        """Leave word of who holds the folder for the next one who asks."""
        assert self._file is not None
        self._file.seek(0)
        self._file.truncate()
        json.dump({"folder": str(self._home), **facts}, self._file)
        self._file.flush()

    def release(self) -> None:
        """Give the folder back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _told(self) -> str:
        assert self._file is not None
        try:
            facts: Mapping[str, object] = json.load(self._file)
        except ValueError:  # its holder is writing just now
            facts = {}
        pid, address = facts.get("pid", "unknown"), facts.get("address", "an address it will print when it is up")
        return (
            f"A hub already runs on {self._home}: process {pid}, at {address}. "
            f"Stop it with Ctrl-C in its terminal, or with `kill {pid}`."
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _socket_folder(data: Path, home: Path) -> Path:
    """Return a folder whose path is short enough for a socket's address."""
    if _fits(data / "sockets"):
        return data / "sockets"
    name = f"hub-{os.geteuid()}-{_digest(home)}"
    return next(
        (folder / name for folder in (Path(tempfile.gettempdir()), Path("/tmp")) if _fits(folder / name)),  # noqa: S108
        Path("/tmp") / name,  # noqa: S108
    )


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _server_account() -> Account:
    """Return the account that the servers run as under root, made at the first start: PostgreSQL refuses root."""
    try:
        found = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        _make_account()
        try:
            found = pwd.getpwnam(ACCOUNT_NAME)
        except KeyError:
            found = pwd.getpwnam("nobody")  # no way to add an account here: the one that owns nothing will do
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _make_account() -> None:
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", "--user-group", ACCOUNT_NAME]
    elif shutil.which("adduser"):  # busybox
        command = ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", ACCOUNT_NAME]
    else:
        return
    subprocess.run(command, check=False, capture_output=True)


def _may_enter(account: Account, folder: Path) -> bool:
    return _try_as(account, 'cd -- "$1"', folder)


def _may_run(account: Account, program: Path) -> bool:
    return _try_as(account, 'test -x "$1" && test -r "$1"', program)


def _try_as(account: Account, script: str, path: Path) -> bool:
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(path)],
        check=False,
        capture_output=True,
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    return done.returncode == 0
