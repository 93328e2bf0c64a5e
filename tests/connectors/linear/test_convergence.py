"""Whatever happens to the company, the wire and the worker: after a quiet night the hub holds what Linear holds."""

import itertools
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from connectors import registry
from connectors.engine import Engine
from connectors.models import Connection, State
from connectors.sandbox.history import small_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.server import serve
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run

from .truth import assert_same

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ISSUES, DELETIONS, GOES = 30, 3, 60
# What passes by itself; a fault that brings in a false value is put right only by the row's next change
FAULTS = (
    "status", "internal", "truncated", "empty", "reset_before", "reset_inside", "gzip_garbage", "content_type",
    "partial", "edge_html", "not_an_object", "duplicate_row", "edit_during_paging", "empty_page", "cursor_expired",
    "cursor_loop", "forbidden", "feature", "rejected",
)  # fmt: skip
LISTS = ("IssuesWindow", "IssueIdSweep", "Users", "Teams", "Cycles", "Projects", "WorkflowStates", "IssueHistoryMore")
STATES = ("Triage", "Backlog", "Todo", "In progress", "In review", "Done", "Canceled")

number = st.integers(0, 10**6)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), number),
        st.tuples(st.just("move"), number, st.sampled_from(STATES)),
        st.tuples(st.just("edit"), number),
        st.tuples(st.just("shuttle"), number),
        st.tuples(st.sampled_from(("archive", "unarchive", "trash", "restore", "delete", "bring back")), number),
        st.tuples(st.sampled_from(("rename person", "deactivate", "leave team", "rename state")), number),
        st.tuples(st.just("wait"), st.integers(1, 240)),
        st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.sampled_from(LISTS), st.integers(0, 2)),
        st.tuples(st.just("night"), st.none() | st.integers(0, GOES)),
    ),
    min_size=4,
    max_size=25,
)


class Killed(BaseException):
    """The worker is gone: no handler of ours may catch this."""


class DeadlyLease:
    """A lease whose worker dies at its n-th write."""

    job_id = None

    def __init__(self, writes):
        self.left = writes

    def confirm(self):
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


class Company:
    """Drives a world, its wire and the hub."""

    def __init__(self, sandbox, connection, held):
        self.sandbox, self.world, self.connection, self.held = sandbox, sandbox.world, connection, held
        self.team = next(iter(self.world.rows("Team")))
        self.slots = itertools.count()
        self.deleted = []
        self.run = None
        for place in range(ISSUES):
            self.world.create_issue(self.team, f"Issue {place}")

    def one(self, kind, place):
        rows = list(self.world.rows(kind).values())
        return rows[place % len(rows)]

    def do(self, what, *given):
        self.world.clock.advance(timedelta(seconds=7))
        issue = self.one("Issue", given[0]) if isinstance(given[0], int) else None
        person = self.one("User", given[0]) if isinstance(given[0], int) else None
        match what:
            case "create":
                self.world.create_issue(self.team, f"New {given[0]}", state="triage")
            case "move":
                place = STATES.index(given[1])
                self.world.edit_issue(issue["id"], state=self.state_at(issue, place), actor_id=person["id"])
            case "edit":
                labels = [self.one("IssueLabel", given[0])["id"]]
                self.world.edit_issue(issue["id"], title=f"Title {given[0]}", estimate=given[0] % 8, labelIds=labels)
            case "shuttle":  # a history longer than its page
                for place in range(14):
                    self.world.clock.advance(timedelta(minutes=5))
                    self.world.edit_issue(issue["id"], state=self.state_at(issue, place % 2))
            case "archive" | "unarchive" | "trash" | "restore":
                getattr(self.world, what)("Issue", issue["id"])
            case "delete" if len(self.deleted) < DELETIONS:
                self.deleted.append(self.world.delete("Issue", issue["id"]))
            case "bring back" if self.deleted:
                self.world.bring_back("Issue", self.deleted.pop())
            case "rename person":
                self.world.rename("User", person["id"], f"Name {given[0]}")
            case "deactivate" if not person["admin"]:
                self.world.deactivate(person["id"])
            case "leave team" if len(self.world.rows("TeamMembership")) > 1:
                self.world.delete("TeamMembership", self.one("TeamMembership", given[0])["id"])
            case "rename state":
                self.world.rename("WorkflowState", self.one("WorkflowState", given[0])["id"], f"State {given[0]}")
            case "wait":
                self.world.clock.advance(timedelta(hours=given[0]))
            case "fault":
                self.sandbox.fail(given[0], given[1], skip=given[2])
            case "night":
                self.night(given[0])

    def state_at(self, issue, place):
        """Return the name that a state of the issue's team has by now; it may have been renamed."""
        states = [row for row in self.world.rows("WorkflowState").values() if row["teamId"] == issue["teamId"]]
        return sorted(states, key=lambda row: row["position"])[place % len(states)]["name"]

    def night(self, dies_at=None):
        """Sync once; the worker may die in between, and the next night goes on with the same run."""
        self.held.flushdb()  # waits and circuits are another test's matter
        Connection.objects.filter(pk=self.connection.pk).update(pause_until=None, auth=Connection.Auth.OK)
        self.connection.refresh_from_db()
        if self.run is None or not self.run.is_open:
            self.run = make_run(self.connection, slot=f"night:{next(self.slots)}")
        try:
            for _go in range(GOES):
                try:
                    Engine(
                        self.run, registry.connector("linear"), lease=DeadlyLease(dies_at), clock=self.world.clock.now
                    ).go()
                    break
                except TryLater as later:
                    if later.after:
                        break
        except Killed:
            pass
        self.run.refresh_from_db()


@contextmanager
def company(held, site):
    world = small_world()
    with serve(world, request_limit=10**6, point_limit=10**9) as sandbox:
        site.SANDBOX_URL = sandbox.url
        yield Company(sandbox, make_connection("linear", secret=KEY, label="Linear", base_url=sandbox.url), held)


@given(steps)
@hypothesis(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_after_a_quiet_night_the_hub_holds_what_linear_holds(quick_retries, clean_redis, settings, happened):
    with company(clean_redis, settings) as at:
        for step in happened:
            at.do(*step)
        at.sandbox.linear.faults.clear()
        at.night()  # ends what a dead worker left open
        at.world.clock.advance(timedelta(days=8))  # the weekly sweep is due
        at.night()

        assert at.run.state == State.DONE
        assert_same(at.connection, at.world)
        before = at.run
        at.world.clock.advance(timedelta(minutes=1))
        at.night()
        assert (at.run.pk != before.pk, at.run.new, at.run.changed, at.run.gone) == (True, 0, 0, 0)
