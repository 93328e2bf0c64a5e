"""The nights: people work by day, answers go wrong by night, and workers, Redis and PostgreSQL come to harm."""

import itertools
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import psutil
from django.conf import settings
from django.db import connection as database

from connectors import actions, schedule
from connectors.budget import Pace
from connectors.models import SyncRun
from connectors.sandbox.clock import text
from connectors.sandbox.faults import ACTIONS
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from tests.connectors.firm import Firm
from tests.jobs.processes import tell_again

PATIENCE_SECONDS = 120
ONLY_ONCE = {"limited_edge", "trickle", "slow"}  # a whole night of them is only long
HARMS = Counter({"worker killed": 4, "child killed": 3, "Redis emptied": 3, "PostgreSQL restarted": 2})
REVOKED, CLOCK_OFF = "token revoked", "clock 10 min off"
REVOKED_EVERY, CLOCK_OFF_EVERY = 11, 9  # nights: not left to the draw, so that no war goes without
KINDS = {*ACTIONS, *HARMS, REVOKED, CLOCK_OFF}
SYNC = "connectors.tasks.sync_connection"


@dataclass
class Tally:
    """What is counted of one tool."""

    runs: int = 0
    requests: int = 0
    waits: int = 0
    said: Counter = field(default_factory=Counter)  # failures and waits by class, each seen on the page


class Soak(Firm):
    """Drives nights with real workers. `steady` lives through them all, the pool's worker is the one that is killed."""

    def __init__(self, sandbox, *, servers, steady, by, seed, **tools):
        super().__init__(sandbox, **tools)
        self.servers, self.steady, self.by, self.draw = servers, steady, by, Random(seed)
        self.dispatcher = Dispatcher()
        self.numbers = itertools.count()
        self.deck = []  # faults that are still to strike
        self.harms_to_come = []
        self.tallies = {side: Tally() for side in self.sides}
        self.struck, self.harmed = Counter(), Counter()
        self.memory = []  # MB of the steady worker's process, each morning
        self.processes = set()
        self.misses = []
        self.events = []  # what befell the machine this night
        self.skew = timedelta()
        self.night_number = 0
        sandbox.control, self.plain_control = self.control, sandbox.control

    def control(self, path, asked):
        """Tell the hub the time as its own clock has it, which may be ten minutes off."""
        answer = self.plain_control(path, asked)
        return answer | {"now": text(self.world.clock.now() + self.skew)} if path == "clock" else answer

    # One day and its night

    def live(self, *, is_quiet=False):
        """Let a day and its night pass, judge the night, and have people do in the morning what they are asked to."""
        self.night_number += 1
        self.events = []
        harms = {} if is_quiet else self.plan_harm()
        for side in self.sides:
            for _one in range(0 if is_quiet else self.draw.randint(3, 8)):
                self.change(side, self.draw)
        armed = {} if is_quiet else {side: self.arm(side) for side in self.sides}
        zone = ZoneInfo(settings.COMPANY_TIME_ZONE)
        now = schedule.next_slot(self.world.clock.now(), settings.SYNC_HOUR, zone) + timedelta(minutes=5)
        self.world.clock.set(now)
        started = actions.tick(now=now).night
        if started != len(self.sides):
            self.misses.append(f"night {self.night_number}: {started} of {len(self.sides)} runs were started")
        self.take_up_runs()
        is_whole = not harms
        waited = self.march(harms)
        for side in self.sides:
            self.judge(side, waited[side], is_whole=is_whole)
        self.put_back(armed)
        self.harms_to_come[:0] = harms.values()  # the night was over before
        self.skew = timedelta()
        self.morning()
        self.weigh()

    def plan_harm(self):
        """Return what befalls the machine after how many requests; one night in four or so is left alone."""
        planned = {self.draw.randint(1, 20): REVOKED} if self.night_number % REVOKED_EVERY == 5 else {}
        if self.night_number % CLOCK_OFF_EVERY == 4:
            self.skew = timedelta(minutes=self.draw.choice((-10, 10)))
            self.struck[CLOCK_OFF] += 1
        if self.draw.random() < 0.7:
            planned |= {self.draw.randint(21, 90): self.next_harm() for _one in range(self.draw.randint(1, 2))}
        return planned

    def next_harm(self):
        """Every kind has its turn."""
        if not self.harms_to_come:
            self.harms_to_come = self.draw.sample(list(HARMS.elements()), HARMS.total())
        return self.harms_to_come.pop()

    def arm(self, side):
        """Have one or two answers of a tool go wrong, once or all night; every kind has its turn."""
        armed = []
        for _one in range(self.draw.choice((0, 1, 2, 2))):
            if not self.deck:
                self.deck = self.draw.sample(sorted(ACTIONS), len(ACTIONS))
            action = self.deck.pop()
            lasts = action not in ONLY_ONCE and self.draw.random() < 0.4
            armed.append(side.fail(action, self.draw.choice(side.struck), skip=self.draw.choice((0, 0, 1, 2)),
                                   lasts=lasts))  # fmt: skip
        return armed

    def put_back(self, armed):
        """What was never asked for could not strike: it has another turn."""
        for fault in itertools.chain.from_iterable(armed.values()):
            if not fault.hits:
                self.deck.insert(0, fault.action)

    def take_up_runs(self):
        """Take note of the newest run of each tool."""
        for side in self.sides:
            run = side.connection.runs.order_by("-id").first()
            if side.run is None or run.pk != side.run.pk:
                side.run, side.causes = run, set()
                self.tallies[side].runs += 1

    def march(self, harms):
        """Have the workers go on until every run has ended. Return the waits that the page told of, by side."""
        waited = {side: set() for side in self.sides}
        seen_pause = {side: side.connection.pause_until for side in self.sides}
        requests_before = self.requests()
        end, told = time.monotonic() + PATIENCE_SECONDS, 0.0
        while True:
            asked = self.requests() - requests_before
            for at in [at for at in sorted(harms) if at <= asked]:
                self.harm(harms.pop(at))
            for side in self.sides:
                side.reload()
                pause = side.connection.pause_until
                if side.run.is_open and pause is not None and pause != seen_pause[side]:
                    seen_pause[side] = pause
                    waited[side].add(side.connection.pause_reason)
                    self.sit_out(side)
            if not any(side.run.is_open for side in self.sides) and not unfinished(SYNC).exists():
                return waited
            if time.monotonic() > end:
                self.misses.append(f"night {self.night_number}: not over after {PATIENCE_SECONDS} s")
                return waited
            if time.monotonic() - told > 0.5:
                tell_again(self.dispatcher)
                told = time.monotonic()
            time.sleep(0.05)

    def sit_out(self, side):
        """The page says what is waited for; then the source is well again, and the time is over."""
        self.tallies[side].waits += 1
        self.tallies[side].said[side.connection.pause_reason] += 1
        self.attempt(side, lambda: self.assert_is_shown(side, {}))
        side.mend()
        self.advance(hours=2)
        Pace(side.connection.secret_print, ()).forget_pause()

    def requests(self):
        return sum(len(side.wire.log) for side in self.sides)

    def harm(self, what):
        self.harmed[what] += 1
        self.events.append(f"{what} after {self.requests()} requests")
        if what == "worker killed":
            self.pool.kill()
            self.pool.worker()
        elif what == "child killed":
            self.pool.worker().kill_child()
        elif what == "Redis emptied":
            self.held.flushall()
        elif what == "PostgreSQL restarted":
            database.close()
            self.servers.restart_postgres()
        else:
            side = self.draw.choice(self.sides)
            with self.world.lock:
                side.wire.revoke(side.secret)
            side.is_revoked = True

    # The morning after

    def judge(self, side, waited, *, is_whole):
        """Each failure has its cause, each cause its failure, and the page says so."""
        side.reload()
        side.mend()
        hits, requests = side.heard()
        self.tallies[side].requests += requests
        for (_operation, fault), count in hits.items():
            self.struck[fault] += count
        failures = side.failures()
        self.tallies[side].said.update(set(failures.values()))

        def look():
            assert not side.run.is_open, (side.service, side.run.state)
            side.assert_each_failure_has_its_cause(failures)
            if failures:
                self.assert_is_shown(side, failures)
            if is_whole:
                side.assert_what_struck_was_said(hits, set(failures.values()) | waited)

        self.attempt(side, look)

    def attempt(self, side, check):
        try:
            check()
        except AssertionError as missed:
            said = f"night {self.night_number}, {side.service}: {missed or traceback.format_exc(-1)}"[:600]
            self.misses.append(f"{said} ({', '.join(self.events) or 'no harm'})")

    def morning(self):
        """A person renews the token that is refused and confirms what is gone; the clock tries the rest again."""
        for side in self.sides:
            side.reload()
            if side.is_revoked or side.connection.auth != side.connection.Auth.OK:
                if side.is_revoked:
                    side.secret = f"{type(side).secret}_{next(self.numbers)}"
                    side.grant(side.secret)
                    side.is_revoked = False
                actions.renew_secret(connection=side.connection, secret=side.secret, by=self.by)
            else:
                doubtful = side.connection.streams.exclude(sweep_gone=0).values_list("stream", flat=True)
                for stream in list(doubtful)[:1]:
                    actions.confirm_sweep(connection=side.connection, stream=stream, by=self.by)
        self.advance(hours=7)
        actions.tick(now=self.world.clock.now())
        self.take_up_runs()
        waited = self.march({})
        for side in self.sides:
            self.judge(side, waited[side], is_whole=False)

    def weigh(self):
        """Weigh the process that has done the work of every night."""
        children = psutil.Process(self.steady.process.pid).children()
        self.processes |= {child.pid for child in children}
        self.memory.append(sum(child.memory_info().rss for child in children) / 1e6)

    # The end

    def make_peace(self):
        """Three quiet nights: what is left, what the weekly sweeps find, and a night that finds nothing."""
        for side in self.sides:
            with self.world.lock:
                side.settle()
        for days in (0, 8, 8):
            self.advance(days=days)
            self.live(is_quiet=True)

    def last_runs(self):
        """Return the run of each tool in the last night, before anything that the morning asked for."""
        return [side.connection.runs.filter(reason=SyncRun.Reason.NIGHT).order_by("-id").first() for side in self.sides]

    def end_jobs(self):
        """Let the workers end what is left of any work; return what did not end."""
        end = time.monotonic() + PATIENCE_SECONDS
        while unfinished().exists() and time.monotonic() < end:
            tell_again(self.dispatcher)
            time.sleep(0.3)
        return unfinished()


def unfinished(kind=None):
    """Return jobs that have not ended; what the clock puts down every minute is left out."""
    found = Job.objects.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING)).exclude(run_key__startswith="every:")
    return found.filter(kind=kind) if kind else found


def longest_sync():
    """Return how long the longest job of a sync was under way, from its first word to its end."""
    ended = Job.objects.filter(kind=SYNC).exclude(finished_at=None).values_list("created_at", "finished_at")
    return max((finished - created for created, finished in ended), default=timedelta())
