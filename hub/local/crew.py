"""Everything that runs side by side: started, watched, started again, and ended in order.

honcho prints the lines of all of them under each other. Its own manager ends everybody when one ends; here a killed
worker comes back instead, so the loop is ours (docs/decisions/0002).
"""

import datetime as dt
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from .errors import CannotStart

TICK_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30
STEADY_AFTER_SECONDS = 60  # one that ran this long starts with a clean slate
SIGNALS_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Member:
    """One process of the crew. `start` starts it and must be called from the main thread."""

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 8
    child: "subprocess.Popen[bytes] | None" = None
    failures: int = 0
    started_at: float = 0.0
    start_at: float | None = 0.0  # when to start (again); None while it runs
    colour: str | None = None
    rest: bytes = field(default=b"", repr=False)  # a line that isn't whole yet


class Crew:
    """Members that run until they are told to stop; who falls is picked up.

    `stages` are ended one after the other, the last one last: servers outlive those that use them.
    `on_tick` is called again and again until it returns True.
    """

    def __init__(self, stages: Sequence[Sequence[Member]], *, on_tick: Callable[[], bool] = lambda: True) -> None:
        self._stages = stages
        self._members = [member for stage in stages for member in stage]
        self._on_tick = on_tick
        self._selector = selectors.DefaultSelector()
        self._printer = Printer(sys.stdout, width=max(len(member.name) for member in self._members))
        self._stops_asked = 0
        for member, colour in zip(self._members, get_colours(), strict=False):
            member.colour = colour

    def run(self) -> None:
        """Run until a signal asks to stop, then end everybody. A second signal ends them at once."""
        before = {number: signal.signal(number, self._ask_to_stop) for number in SIGNALS_TO_STOP}
        try:
            is_told = False
            while not self._stops_asked:
                self._start_due()
                self._listen(TICK_SECONDS)
                self._notice_ends()
                is_told = is_told or self._on_tick()
            self.say("stopping: Ctrl-C again ends everything at once")
            for stage in self._stages:
                self._end(stage)
        finally:
            for member in self._members:
                self._kill_group(member)
            for number, handler in before.items():
                signal.signal(number, handler)

    def say(self, text: str, member: Member | None = None) -> None:
        """Print one line in the common log."""
        self._print((member.name, member.colour) if member else ("hub", None), text)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops_asked += 1

    def _start_due(self) -> None:
        now = time.monotonic()
        for member in self._members:
            if member.start_at is None or member.start_at > now:
                continue
            if member.child is None or member.child.poll() is not None:
                try:
                    member.child = member.start()
                except (CannotStart, OSError) as error:
                    self._plan_next_start(member, str(error))
                    continue
            member.started_at, member.start_at = time.monotonic(), None
            if member.child.stdout is not None:
                os.set_blocking(member.child.stdout.fileno(), False)
                self._selector.register(member.child.stdout, selectors.EVENT_READ, member)

    def _listen(self, seconds: float) -> None:
        """Print what members wrote; at most `seconds` pass when they write nothing."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _events in self._selector.select(seconds):
            member: Member = key.data
            try:
                chunk = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if not chunk:
                self._selector.unregister(key.fileobj)
            *lines, member.rest = (member.rest + chunk).split(b"\n")
            for line in lines:
                self._print((member.name, member.colour), line.decode(errors="replace"))

    def _notice_ends(self) -> None:
        for member in self._members:
            if member.start_at is None and member.child is not None and member.child.poll() is not None:
                self._kill_group(member)  # its own children don't outlive it
                self._forget_output(member)
                self._plan_next_start(member, _ended_how(member.child.returncode))

    def _plan_next_start(self, member: Member, why: str) -> None:
        now = time.monotonic()
        if member.started_at and now - member.started_at > STEADY_AFTER_SECONDS:
            member.failures = 0
        delay = min(2 ** (member.failures - 1), LONGEST_DELAY_SECONDS) if member.failures else 0
        member.failures += 1
        member.start_at = now + delay
        self.say(f"{why}; starting it again {f'in {delay} s' if delay else 'now'}", member)

    def _end(self, stage: Sequence[Member]) -> None:
        asked_at = time.monotonic()
        for member in stage:
            if member.child is not None and member.child.poll() is None:
                member.child.send_signal(member.stop_signal)
        while waiting := [one for one in stage if one.child is not None and one.child.poll() is None]:
            self._listen(TICK_SECONDS)
            for member in waiting:
                if self._stops_asked > 1 or time.monotonic() - asked_at > member.grace_seconds:
                    self._kill_group(member)
        for member in stage:
            self._kill_group(member)
            self._forget_output(member)

    def _forget_output(self, member: Member) -> None:
        if member.child is not None and member.child.stdout is not None and not member.child.stdout.closed:
            self._listen(0)  # its last words
            with suppress(KeyError):
                self._selector.unregister(member.child.stdout)
            member.child.stdout.close()
        member.rest = b""

    def _kill_group(self, member: Member) -> None:
        """Kill what is left of a member and its own children; each member is a session of its own."""
        if member.child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(member.child.pid, signal.SIGKILL)
            member.child.poll()

    def _print(self, who: tuple[str, str | None], text: str) -> None:
        name, colour = who
        now = dt.datetime.now().astimezone()
        with suppress(BrokenPipeError):  # the terminal is gone; its signal is on the way
            self._printer.write(Message(type="line", data=text, time=now, name=name, colour=colour))


def _ended_how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
