"""Whatever happens to the workspace, the wire and the worker: after a quiet week the hub holds what Notion shows."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from connectors import registry
from connectors.engine import Engine
from connectors.models import Connection, State
from connectors.sandbox.notion.wire import NotionWire
from connectors.sandbox.notion.workspace import prop
from connectors.sandbox.server import serve
from hub.jobs.work import TryLater
from tests.connectors.factories import make_run

from .conftest import PLENTY, Company, small_workspace
from .truth import assert_same

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
GOES = 30
FAULTS = (
    "status", "internal", "truncated", "empty", "reset_inside", "gzip_garbage", "partial", "edge_html", "not_an_object",
    "duplicate_row", "edit_during_paging", "empty_page", "cursor_expired", "cursor_loop", "forbidden", "rejected",
)  # fmt: skip
OPERATIONS = ("Users", "Search", "Query", "PropertyItem")

number = st.integers(0, 10**6)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("write", "edit", "relate", "quiet")), number),
        st.tuples(st.sampled_from(("rename", "remove property", "add property")), number),
        st.tuples(st.sampled_from(("trash", "restore", "delete", "unshare", "share", "leave", "join")), number),
        st.tuples(st.just("wait"), st.integers(1, 5_000)),
        st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.sampled_from(OPERATIONS), st.integers(0, 2)),
        st.tuples(st.just("night"), st.none() | st.integers(0, 25)),
    ),
    min_size=4,
    max_size=20,
)  # fmt: skip


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


class Life:
    """Drives a company and its nights."""

    def __init__(self, company, held):
        self.company, self.space, self.held = company, company.space, held
        self.insights, self.source = self.space.sources.values()
        self.slots, self.names = itertools.count(), itertools.count()
        self.lost = 0  # pages that no list names any more; a sweep that misses more than a fifth asks a person
        self.run = None

    def one(self, place):
        keys = list(self.space.by_source[self.source["id"]])
        return keys[place % len(keys)]

    def property(self, place):
        keys = [key for key in self.source["properties"] if key != "title"]
        return keys[place % len(keys)] if keys else None

    def do(self, what, *given):
        self.company.clock.advance(timedelta(seconds=17))
        place = given[0]
        match what:
            case "write":
                self.space.add_page(self.source["id"], {"title": f"New {place}"})
            case "edit":
                self.space.edit_page(self.one(place), {"title": f"Title {place}"})
            case "relate" if "a%3Ai" in self.source["properties"]:
                new = [self.space.add_page(self.insights["id"], {"title": f"{n}"})["id"] for n in range(place % 40)]
                self.space.edit_page(self.one(place), {"a%3Ai": new})
            case "quiet":
                self.space.edit_page(self.one(place), {"title": f"Quiet {place}"}, quiet=True)
            case "rename":
                if key := self.property(place):
                    self.space.rename_property(self.source["id"], key, f"Name {next(self.names)}")
            case "remove property":
                if key := self.property(place):
                    self.space.remove_property(self.source["id"], key)
            case "add property":
                key = f"n%3A{next(self.names)}"
                self.source["properties"][key] = prop(key, f"Name {key}", "number")
            case "trash" | "restore" | "share":
                getattr(self.space, what)(self.one(place))
            case "delete" | "unshare" if self.lost < 2:
                self.lost += 1
                getattr(self.space, what)(self.one(place))
            case "leave" if len(self.space.users) > 4:
                self.space.remove_user(list(self.space.users)[-1])
            case "join":
                self.space.add_user(f"new{place}@shop.example", f"New {place}")
            case "wait":
                self.company.clock.advance(timedelta(minutes=place))
            case "fault":
                self.company.fail(given[0], given[1], skip=given[2])
            case "night":
                self.night(place)

    def night(self, dies_at=None):
        """Sync once; the worker may die in between, and the next night goes on with the same run."""
        self.held.flushdb()  # waits and circuits are another test's matter
        Connection.objects.filter(pk=self.company.connection.pk).update(pause_until=None, auth=Connection.Auth.OK)
        connection = Connection.objects.get(pk=self.company.connection.pk)
        if self.run is None or not self.run.is_open:
            self.run = make_run(connection, slot=f"night:{next(self.slots)}")
        try:
            for _go in range(GOES):
                try:
                    connector = registry.connector_for(connection)
                    Engine(self.run, connector, lease=DeadlyLease(dies_at), clock=self.company.clock.now).go()
                    break
                except TryLater as later:
                    if later.after:
                        break
        except Killed:
            pass
        self.run.refresh_from_db()


@given(steps)
@hypothesis(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_after_a_quiet_week_the_hub_holds_what_notion_shows(quick_retries, clean_redis, settings, happened):
    wire = NotionWire(small_workspace(), **{**PLENTY, "row_cap": 15, "fewer_every": 3})
    with serve(wire.workspace.world, wires=[wire]) as sandbox:
        settings.SANDBOX_URL = sandbox.url
        company = Company(wire.workspace, wire, sandbox)
        at = Life(company, clean_redis)
        for place in range(20):  # spread over time: no minute holds more pages than the cap
            company.clock.advance(timedelta(minutes=1))
            company.space.add_page(at.source["id"], {"title": f"Page {place}"})
        company.map(at.source)
        for step in happened:
            at.do(*step)
        wire.faults.clear()
        at.night()  # ends what a dead worker left open
        company.clock.advance(timedelta(days=8))  # the weekly sweep is due
        at.night()

        assert at.run.state == State.DONE
        assert_same(company, {at.source["id"]})
        before = at.run
        company.clock.advance(timedelta(minutes=20))
        at.night()
        assert (at.run.pk != before.pk, at.run.new, at.run.changed, at.run.gone) == (True, 0, 0, 0)
