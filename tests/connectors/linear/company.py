"""A company, the wire to its Linear and the hub that reads it: what the convergence machine turns."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from html import unescape

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connectors import registry
from connectors.base import FailureClass as Why
from connectors.engine import Engine
from connectors.failures import explain
from connectors.models import Connection, SourceRecord, State
from connectors.sandbox.clock import Clock
from connectors.sandbox.history import small_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.server import serve
from connectors.services.linear.operations import LISTS, SWEEPS
from connectors.transport import TRIES
from hub.jobs import dispatch, worker
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run
from tests.jobs.processes import miss_the_dead, tell_again, until

ISSUES, DELETIONS, GOES = 30, 3, 60
PATIENCE_SECONDS = 60
TITLE = {"path": "issues.nodes.title"}

# What each fault may make of a stream; nothing where it passes unnoticed
CLASSES = {
    "unauthorized": {Why.AUTH_INVALID},
    "forbidden": {Why.SCOPE_MISSING},
    "feature": {Why.STREAM_UNAVAILABLE},
    "rejected": {Why.QUERY_REJECTED},
    "cursor_expired": {Why.QUERY_REJECTED},
    "limited": {Why.RATE_LIMITED},
    "limited_edge": {Why.RATE_LIMITED},
    "status": {Why.SOURCE_DOWN},
    "internal": {Why.SOURCE_DOWN},
    "edge_html": {Why.SOURCE_DOWN},
    "partial": {Why.SOURCE_DOWN},
    "reset_before": {Why.SOURCE_DOWN},
    "reset_inside": {Why.SOURCE_DOWN},
    "truncated": {Why.BAD_PAYLOAD},
    "empty": {Why.BAD_PAYLOAD},
    "gzip_garbage": {Why.BAD_PAYLOAD},
    "not_an_object": {Why.BAD_PAYLOAD},
    "empty_page": {Why.SOURCE_MISBEHAVES, Why.QUERY_REJECTED},
    "cursor_loop": {Why.SOURCE_MISBEHAVES},
    "field_missing": {Why.SCHEMA_DRIFT},
    "field_renamed": {Why.SCHEMA_DRIFT},
    "type_changed": {Why.SCHEMA_DRIFT},
    "new_enum": set(),
    "big_string": {Why.BAD_PAYLOAD},  # with thirty of them, the answer is longer than we read
    "strange_text": set(),
    "content_type": set(),
    "duplicate_row": set(),
    "edit_during_paging": set(),
    "trickle": set(),
    "slow": set(),
}
AT_ONCE = {"unauthorized", "forbidden", "feature", "rejected", "limited"}  # asking again at once is of no use
SPOILING = {"field_missing", "field_renamed", "type_changed", "new_enum", "big_string", "strange_text"}
RETRIED = {fault for fault, kinds in CLASSES.items() if kinds <= {Why.SOURCE_DOWN, Why.BAD_PAYLOAD}} - SPOILING
PARAMS = {
    "edge_html": {"status": 520},
    "limited_edge": {"retry_after": 1},
    "trickle": {"seconds": 0.2},
    "slow": {"seconds": 0.2},
    "new_enum": {"path": "issues.nodes.state.type"},
    "field_missing": TITLE,
    "field_renamed": TITLE | {"to": "name"},
    "type_changed": TITLE | {"value": 7},
    "big_string": TITLE,
    "strange_text": TITLE,
}
STATES = ("Triage", "Backlog", "Todo", "In progress", "In review", "Done", "Canceled")
OPERATIONS = {name: {made.name} for name, made in LISTS.items()}
for name, made in SWEEPS.items():
    OPERATIONS[name].add(made.name)
OPERATIONS["issues"] |= {"IssueHistoryMore", "IssueStatesMore"}


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


class Company:
    """Drives a world, its wire and the hub. `pool` lends the real worker, `page` opens an address as Product Ops."""

    def __init__(self, sandbox, *, held, pool, page):
        self.sandbox, self.world, self.held, self.pool, self.page = sandbox, sandbox.world, held, pool, page
        self.connection = make_connection("linear", secret=KEY, label="Linear", base_url=sandbox.url)
        self.team = next(iter(self.world.rows("Team")))
        self.slots = itertools.count()
        self.deleted = []
        self.run = None
        self.begun = 0  # where the run began in the sandbox's log
        self.is_spoiled = False
        for place in range(ISSUES):
            self.world.create_issue(self.team, f"Issue {place}")

    # What people do

    def one(self, kind, place):
        rows = list(self.world.rows(kind).values())
        return rows[place % len(rows)]

    def state_at(self, issue, place):
        """Return the name that a state of the issue's team has by now; it may have been renamed."""
        states = [row for row in self.world.rows("WorkflowState").values() if row["teamId"] == issue["teamId"]]
        return sorted(states, key=lambda row: row["position"])[place % len(states)]["name"]

    def move(self, number, place):
        issue, person = self.one("Issue", number), self.one("User", number)
        self.world.edit_issue(issue["id"], state=self.state_at(issue, place), actor_id=person["id"])

    def edit(self, number):
        labels = [self.one("IssueLabel", number)["id"]]
        title = f"Title {number}"
        self.world.edit_issue(self.one("Issue", number)["id"], title=title, estimate=number % 8, labelIds=labels)

    def shuttle(self, number):
        """Move an issue to and fro until its history is longer than its page."""
        issue = self.one("Issue", number)
        for place in range(14):
            self.world.clock.advance(timedelta(minutes=5))
            self.world.edit_issue(issue["id"], state=self.state_at(issue, place % 2))

    def put_away(self, how, number):
        issue = self.one("Issue", number)
        if how == "delete" and len(self.deleted) < DELETIONS:
            self.deleted.append(self.world.delete("Issue", issue["id"]))
        elif how == "bring back" and self.deleted:
            self.world.bring_back("Issue", self.deleted.pop())
        elif how in ("archive", "unarchive", "trash", "restore"):
            getattr(self.world, how)("Issue", issue["id"])

    def reorganise(self, how, number):
        person, memberships = self.one("User", number), self.world.rows("TeamMembership")
        if how == "rename person":
            self.world.rename("User", person["id"], f"Name {number}")
        elif how == "rename state":
            self.world.rename("WorkflowState", self.one("WorkflowState", number)["id"], f"State {number}")
        elif how == "deactivate" and not person["admin"]:
            self.world.deactivate(person["id"])
        elif how == "leave team" and len(memberships) > 1:
            self.world.delete("TeamMembership", self.one("TeamMembership", number)["id"])

    # What goes wrong on the wire

    def fail(self, action, operation, *, skip, lasts):
        if action in SPOILING:
            operation, self.is_spoiled = "IssuesWindow", True
        self.sandbox.fail(action, operation, skip=skip, count=None if lasts else 1, **PARAMS.get(action, {}))

    # Nights

    def begin_night(self):
        """Go on with the run that a dead worker left open, or begin one; nothing of the last night holds it back."""
        self.world.clock.advance(timedelta(minutes=1))
        self.held.flushdb()
        Connection.objects.filter(pk=self.connection.pk).update(pause_until=None, auth=Connection.Auth.OK)
        self.connection.refresh_from_db()
        if self.run is None or not self.run.is_open:
            self.run = make_run(self.connection, slot=f"night:{next(self.slots)}")
            self.begun = len(self.sandbox.linear.log)

    def night(self, dies_at=None):
        """Sync in this process; the worker may die at one of its writes."""
        self.begin_night()
        seen = len(self.sandbox.linear.log)
        try:
            for _go in range(GOES):
                lease = DeadlyLease(dies_at)
                try:
                    Engine(self.run, registry.connector("linear"), lease=lease, clock=self.world.clock.now).go()
                    break
                except TryLater as later:
                    if later.after:
                        break
        except Killed:
            pass
        self.end_night(seen, is_whole=dies_at is None)

    def night_of_a_worker(self, ending, requests):
        """Have a real worker sync until it has sent so many requests; then `ending` befalls it, wherever it is."""
        self.begin_night()
        seen = len(self.sandbox.linear.log)
        miss_the_dead()
        dispatcher = Dispatcher()

        def is_over():
            self.run.refresh_from_db()
            self.connection.refresh_from_db()
            return not self.run.is_open or self.connection.pause_until is not None

        def step():
            tell_again(dispatcher)

        worker_process = self.pool.worker()
        is_hit = until(
            lambda: len(self.sandbox.linear.log) - seen >= requests or is_over(),
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
            assert until(is_over, seconds=PATIENCE_SECONDS, step=step), worker_process.said()
            self.held.flushdb()
        self.run.refresh_from_db()
        self.end_night(seen, is_whole=False)

    def end_night(self, seen, *, is_whole):
        """Mend the source, and judge what the hub says about the night."""
        self.run.refresh_from_db()
        self.connection.refresh_from_db()
        struck = Counter((line.operation, line.fault) for line in self.sandbox.linear.log[seen:] if line.fault)
        self.sandbox.linear.faults.clear()
        failures = dict(self.run.streams.filter(state=State.FAILED).values_list("stream", "failure"))
        self.assert_each_failure_has_its_cause(failures)
        said = set(failures.values()) | {self.connection.pause_reason if self.connection.pause_until else ""}
        if said != {""}:
            self.assert_is_shown(failures)
        if is_whole and not self.run.is_open:
            for (operation, fault), hits in struck.items():
                is_met = fault in AT_ONCE or (fault in RETRIED and CLASSES[fault] and hits >= TRIES)
                assert not is_met or CLASSES[fault] & said, (operation, fault, hits, said)

    def assert_each_failure_has_its_cause(self, failures):
        struck = {(line.operation, line.fault) for line in self.sandbox.linear.log[self.begun :] if line.fault}
        for stream, failure in failures.items():
            possible = [CLASSES[fault] for operation, fault in struck if operation in OPERATIONS[stream]]
            assert failure in set().union(*possible), (stream, failure, struck)

    def assert_is_shown(self, failures):
        """The page says each failure in its own words; while the source makes us wait, it says that."""
        text = unescape(self.page(self.connection.get_absolute_url()))
        if self.connection.pause_until:
            assert str(explain(self.connection.pause_reason).sentence) % {"service": "Linear"} in text
        elif not self.run.is_open:
            for failure in failures.values():
                assert str(explain(failure).title) in text, failure

    # The end

    def quiet_nights(self):
        """End what is left open, read what was missed, and list everything once: the weekly sweep is due."""
        self.sandbox.linear.faults.clear()
        if self.is_spoiled:  # a value that was false on the wire is put right by its row's next change
            for key in self.world.rows("Issue"):
                self.world.edit("Issue", key, at=self.world.clock.advance(timedelta(seconds=1)))
        self.night()
        self.world.clock.advance(timedelta(days=8))
        self.night()

    def end_jobs(self):
        """Do what is queued and was claimed by the dead, as the next worker would; return the jobs of syncs."""
        miss_the_dead()
        with transaction.atomic():
            dispatch.requeue_expired(timezone.now())
        mine = Job.objects.filter(pk__in=self.connection.runs.values("job"))
        mine.update(run_after=timezone.now())
        for job in mine.filter(state=Job.State.QUEUED):
            worker.run(job.pk)
        return mine

    def counted(self):
        """Return how many records all runs together called new, and how many there are."""
        new = sum(self.connection.runs.values_list("new", flat=True))
        return new, SourceRecord.objects.filter(connection=self.connection).count()


def cut_off_others():
    """End every other session of this database, as a restart of PostgreSQL does."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def open_company(port, **tools):
    """Return (company, its server's context); the world's clock stands still, a little ahead of ours."""
    world = small_world(Clock(datetime.now(UTC).replace(microsecond=0)))
    context = serve(world, port=port, request_limit=10**6, point_limit=10**9)
    return Company(context.__enter__(), **tools), context
