"""A company with three tools on one world, the wires to them and the hub that reads them: what fire is opened on."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connectors import registry
from connectors.engine import Engine
from connectors.failures import explain
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.notion.wire import NotionWire
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.wire import ProductboardWire
from connectors.sandbox.server import serve
from hub.jobs import dispatch, worker
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from hub.jobs.work import TryLater
from tests.connectors.factories import make_run
from tests.connectors.linear.side import LinearSide
from tests.connectors.notion.conftest import PLENTY, small_workspace
from tests.connectors.notion.side import NotionSide
from tests.connectors.productboard.side import ProductboardSide
from tests.jobs.processes import miss_the_dead, tell_again, until

GOES = 60
PATIENCE_SECONDS = 60
SIDES = (LinearSide, ProductboardSide, NotionSide)
ROWS_AT_ONCE = 15  # Notion shows no more rows of one query: each listing of pages takes several


class Killed(BaseException):
    """The worker is gone: no handler of ours may catch this."""


class DeadlyLease:
    """A lease whose worker dies at its n-th write; None lets it live."""

    job_id = None

    def __init__(self, writes):
        self.left = writes

    def confirm(self):
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1

    def advance(self):
        self.confirm()


class Firm:
    """Drives the sides and the hub. `pool` lends a real worker, `page` opens an address as Product Ops."""

    def __init__(self, sandbox, *, held, pool, page):
        self.sandbox, self.world, self.held, self.pool, self.page = sandbox, sandbox.world, held, pool, page
        self.sides = [made(sandbox) for made in SIDES]

    def advance(self, **by):
        return self.world.clock.advance(timedelta(**by))

    def change(self, side, draw):
        """Have somebody do something in a tool; no two things happen at once."""
        self.advance(seconds=17)
        with self.world.lock:
            side.change(draw)

    # Nights

    def begin_night(self):
        """Go on with what a dead worker left open, or begin a run in each tool; no wait of last night is left."""
        self.advance(minutes=1)
        self.held.flushdb()
        for side in self.sides:
            side.forgive()
            side.reload()
            side.heard()
            if side.run is None or not side.run.is_open:
                side.run = make_run(side.connection, slot=f"night:{next(side.slots)}")
                side.causes = set()

    def night(self, dies_at=None):
        """Sync in this process; the worker of the tool in turn may die at one of its writes."""
        self.begin_night()
        lease = DeadlyLease(dies_at)
        for side in self.sides:
            is_whole = dies_at is None
            try:
                self.go(side, lease)
            except Killed:
                lease = DeadlyLease(None)  # the next worker lives
            self.end_night(side, is_whole=is_whole)

    def go(self, side, lease):
        for _go in range(GOES):
            try:
                connector = registry.connector_for(side.connection)
                Engine(side.run, connector, lease=lease, clock=self.world.clock.now).go()
                return
            except TryLater as later:
                if later.after:
                    return

    def night_of_a_worker(self, ending, requests):
        """Have a real worker sync until it has sent so many requests; then `ending` befalls it, wherever it is."""
        self.begin_night()
        miss_the_dead()
        dispatcher = Dispatcher()

        def step():
            tell_again(dispatcher)

        worker_process = self.pool.worker()
        is_hit = until(
            lambda: sum(len(side.wire.log) for side in self.sides) >= requests or self.is_over(),
            seconds=PATIENCE_SECONDS, step=step, pause=0.02,
        )  # fmt: skip
        assert is_hit, worker_process.said()
        if ending == "SIGKILL":
            self.pool.kill()
            self.held.flushdb()  # the next worker finds no message that was meant for this one
            self.pool.worker()
        elif ending == "its child is killed":
            worker_process.kill_child()
            miss_the_dead()
        else:
            cut_off_others()
        if ending != "SIGKILL":
            assert until(self.is_over, seconds=PATIENCE_SECONDS, step=step), worker_process.said()
            self.held.flushdb()
        for side in self.sides:
            self.end_night(side, is_whole=False)

    def is_over(self):
        """Tell whether every tool's run has ended or waits."""
        for side in self.sides:
            side.reload()
        return all(not side.run.is_open or side.connection.pause_until is not None for side in self.sides)

    def end_night(self, side, *, is_whole):
        """Mend the source, and judge what the hub says about the night."""
        side.reload()
        side.mend()
        hits, _requests = side.heard()
        failures = side.failures()
        side.assert_each_failure_has_its_cause(failures)
        said = set(failures.values())
        if side.connection.pause_until:
            said.add(side.connection.pause_reason)
        if said:
            self.assert_is_shown(side, failures)
        if is_whole and not side.run.is_open:
            side.assert_what_struck_was_said(hits, said)

    def assert_is_shown(self, side, failures):
        """The page says each failure in its own words; while the source makes us wait, it says that."""
        text = unescape(self.page(side.connection.get_absolute_url()))
        if side.connection.pause_until:
            assert str(explain(side.connection.pause_reason).sentence) % {"service": side.label} in text
        elif not side.run.is_open:
            for failure in failures.values():
                assert str(explain(failure).title) in text, (side.service, failure)

    # The end

    def quiet_nights(self):
        """End what is open, read what was missed, list everything once, and once more what a person had to confirm."""
        for side in self.sides:
            side.mend()
            side.settle()
        for days in (0, 8, 8):
            self.advance(days=days)
            self.night()

    def end_jobs(self):
        """Do what is queued and was claimed by the dead, as the next worker would; return the jobs of syncs."""
        miss_the_dead()
        with transaction.atomic():
            dispatch.requeue_expired(timezone.now())
        mine = Job.objects.filter(kind="connectors.tasks.sync_connection")
        mine.update(run_after=timezone.now())
        for job in mine.filter(state=Job.State.QUEUED):
            worker.run(job.pk)
        return mine


def cut_off_others():
    """End every other session of this database, as a restart of PostgreSQL does."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@contextmanager
def served_company(port=0):
    """Serve one world on three wires without budgets; its clock stands still, a little ahead of ours."""
    world = small_world(Clock(datetime.now(UTC).replace(microsecond=0)))
    board = ProductboardWire(small_board(world), requests_per_second=10**9)
    space = NotionWire(small_workspace(world), **PLENTY, row_cap=ROWS_AT_ONCE, fewer_every=3)
    with serve(world, port, wires=[board, space], request_limit=10**6, point_limit=10**9) as sandbox:
        try:
            yield sandbox
        finally:
            world.clock.set(None)
