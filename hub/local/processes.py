"""Children that never outlive their parent, and telling our own processes from strangers'."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

MARK = "HUB_LOCAL"  # in the environment of every process we start: the folder it works for
PR_SET_PDEATHSIG = 1
KILLED_WITHIN_SECONDS = 5

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def tie(on_parent_death: signal.Signals, *, parent: int | None = None) -> Callable[[], None]:
    """Return what a child does before it runs: ask the kernel for `on_parent_death` when its parent (we) dies.

    The kernel watches the thread that started the child, so only the main thread may start one. Elsewhere than on
    Linux nothing is asked, and the next start ends what was left (`leftovers`).
    """
    parent = os.getpid() if parent is None else parent

    def before_exec() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(on_parent_death))
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return before_exec


def spawn(
    command: Sequence[str | Path],
    *,
    home: Path,
    cwd: Path,
    env: Mapping[str, str],
    on_parent_death: signal.Signals,
    output: IO[bytes] | int,
    **account: Any,
) -> "subprocess.Popen[bytes]":
    """Start `command` as a child that works for `home`, in a session of its own, tied to us."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env={**env, MARK: str(home)},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches us alone, and we end the others in order
        preexec_fn=tie(on_parent_death),  # noqa: PLW1509 - the supervisor has no threads
        **account,
    )


def leftovers(home: Path) -> list[psutil.Process]:
    """Return the processes that an earlier run on `home` started and that still live.

    They are known by their own environment, never by a number in a file: a number may belong to a stranger by now.
    """
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _environment(process).get(MARK) == str(home) and _is_alive(process)
    ]


def working_in(folder: Path, program: str) -> list[psutil.Process]:
    """Return the living processes named `program` whose working folder is `folder`."""
    return [
        process
        for process in psutil.process_iter()
        if _name(process) == program and _is_alive(process) and _works_in(process, folder)
    ]


def end(processes: Iterable[psutil.Process], how: signal.Signals = signal.SIGKILL) -> None:
    """Send `how` to each of `processes` that still lives."""
    for process in processes:
        try:
            process.send_signal(how)
        except psutil.NoSuchProcess:
            continue


def wait_until_gone(look: Callable[[], list[psutil.Process]], *, seconds: float) -> bool:
    """Wait until `look()` finds nothing; False when `seconds` were not enough."""
    until = time.monotonic() + seconds
    while look():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def end_leftovers(home: Path) -> int:
    """End what an earlier run on `home` left behind and return how many that were."""
    found = leftovers(home)
    end(found)
    wait_until_gone(
        lambda: [process for process in leftovers(home) if _is_alive(process)], seconds=KILLED_WITHIN_SECONDS
    )
    return len(found)


def end_servers(folder: Path, program: str, how: signal.Signals, *, grace_seconds: float) -> bool:
    """End the servers named `program` that work in `folder`; say whether there were any.

    Only whoever holds the folder's lock may call this: then a living server is an orphan. The number in a server's
    own pid file decides nothing: by now it may be a stranger's.
    """
    found = working_in(folder, program)
    heads = [one for one in found if _parent(one) not in {other.pid for other in found}]
    end(heads, how)
    if not wait_until_gone(lambda: working_in(folder, program), seconds=grace_seconds):
        end(working_in(folder, program))
        wait_until_gone(lambda: working_in(folder, program), seconds=KILLED_WITHIN_SECONDS)
    return bool(found)


def stop(child: subprocess.Popen[bytes], how: signal.Signals, *, grace_seconds: float) -> None:
    """Ask `child` to end with `how` and kill it when it hasn't after `grace_seconds`."""
    if child.poll() is not None:
        return
    child.send_signal(how)
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        found: dict[str, str] = process.environ()
        return found
    except (psutil.Error, OSError):  # gone, or another person's
        return {}


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except (psutil.Error, OSError):
        return ""


def _is_alive(process: psutil.Process) -> bool:
    """Say whether the process still runs; one that only waits for its parent to notice (a zombie) doesn't."""
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except (psutil.Error, OSError):
        return False


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False
