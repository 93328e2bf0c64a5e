import os
import signal
import subprocess
import sys
import time

import pytest

from hub.local.crew import Crew, Member
from hub.local.errors import CannotStart
from hub.local.processes import leftovers, spawn


@pytest.fixture
def program(folder):
    def make(code, output=subprocess.PIPE):
        return lambda: spawn(
            [sys.executable, "-u", "-c", code],
            home=folder,
            cwd=folder,
            env=os.environ,
            on_parent_death=signal.SIGKILL,
            output=output,
        )

    return make


def stop_when(is_time, seconds=20):
    """Ask the crew to stop, as Ctrl-C does, as soon as `is_time()`."""
    until = time.monotonic() + seconds

    def tick():
        if is_time() or time.monotonic() > until:
            os.kill(os.getpid(), signal.SIGTERM)
            return True
        return False

    return tick


def test_lines_of_each_member_are_told_apart(program, capsys):
    members = [Member("web", program("print('hello'); input() if False else __import__('time').sleep(60)"))]
    members.append(Member("worker", program("print('ready'); __import__('time').sleep(60)")))
    begun = time.monotonic()

    Crew([members], on_tick=stop_when(lambda: time.monotonic() - begun > 1)).run()

    out = capsys.readouterr().out
    assert "web    | hello" in out
    assert "worker | ready" in out


def test_killed_member_comes_back(program, capsys):
    member = Member("worker", program("import time; time.sleep(60)"))
    pids = []

    def is_time():
        if member.child and member.child.pid not in pids:
            pids.append(member.child.pid)
            if len(pids) == 1:
                member.child.kill()
        return len(pids) == 2

    Crew([[member]], on_tick=stop_when(is_time)).run()

    assert "worker | killed by SIGKILL; starting it again now" in capsys.readouterr().out


def test_member_that_keeps_falling_is_started_less_and_less_often(program, capsys):
    member = Member("web", program("raise SystemExit(3)"))

    Crew([[member]], on_tick=stop_when(lambda: member.failures == 3)).run()

    out = capsys.readouterr().out
    assert [f"ended with code 3; starting it again {when}" in out for when in ("now", "in 1 s", "in 2 s")] == [True] * 3


def test_member_that_cannot_start_is_tried_again(capsys):
    def start():
        raise CannotStart("The disk is full.")

    member = Member("postgres", start)

    Crew([[member]], on_tick=stop_when(lambda: member.failures == 2)).run()

    assert "The disk is full.; starting it again now" in capsys.readouterr().out


def test_servers_outlive_those_that_use_them(program, folder):
    note = "import signal, sys, time; signal.signal(15, lambda *_: (open({0!r}, 'a').write({1!r}), sys.exit()))"
    log = str(folder / "ends")
    user = Member("web", program(f"{note.format(log, 'web ')}; print(); time.sleep(60)"))
    server = Member("postgres", program(f"{note.format(log, 'postgres ')}; print(); time.sleep(60)"))
    begun = time.monotonic()

    Crew([[user], [server]], on_tick=stop_when(lambda: time.monotonic() - begun > 1)).run()

    assert (folder / "ends").read_text() == "web postgres "


def test_stubborn_member_and_its_children_are_gone_after_the_grace(program, folder):
    code = "import signal, subprocess, time; signal.signal(15, signal.SIG_IGN);"
    code += " subprocess.Popen(['sleep', '60']); time.sleep(60)"
    member = Member("worker", program(code), grace_seconds=0.5)
    begun = time.monotonic()

    Crew([[member]], on_tick=stop_when(lambda: time.monotonic() - begun > 1)).run()

    assert leftovers(folder) == []


def test_child_of_a_killed_parent_dies_with_it(program, folder):
    nested = (
        "import os, signal; from pathlib import Path; from hub.local.processes import spawn; import sys, time;"
        f"spawn(['sleep', '60'], home=Path({str(folder)!r}), cwd=Path('/'), env=os.environ,"
        " on_parent_death=signal.SIGKILL, output=sys.stdout.fileno()); print('up'); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-u", "-c", nested], stdout=subprocess.PIPE, text=True)
    with parent:
        parent.stdout.readline()
        assert len(leftovers(folder)) == 1
        parent.kill()

    until = time.monotonic() + 3
    while leftovers(folder) and time.monotonic() < until:
        time.sleep(0.02)
    assert leftovers(folder) == []
