"""A small company on Notion's wire, mapped as an admin would, and a quick way to sync it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.models import SourceMapping
from connectors.sandbox.clock import Clock
from connectors.sandbox.notion.wire import TOKEN, NotionWire
from connectors.sandbox.notion.workspace import Workspace, prop
from connectors.sandbox.world import World
from tests.connectors.company import UNLIMITED, Company

START = datetime(2026, 10, 5, 9, tzinfo=UTC)
PLENTY = {"connection_limit": UNLIMITED, "workspace_limit": UNLIMITED}


class NotionCompany(Company):
    service, label, secret = "notion", "Notion", TOKEN
    between_syncs = timedelta(minutes=20)

    @property
    def space(self):
        return self.wire.workspace

    def map(self, source, meaning="documents", **fields):
        """Say what a data source holds, now by the world's clock."""
        held = fields.pop("held", [])
        names = {ref: source["properties"][ref]["name"] for ref in fields.values()}
        return SourceMapping.objects.create(
            connection=self.connection, source_ref=source["id"], meaning=meaning, fields=fields, names=names,
            held=held, asked_at=self.clock.now(),
        )  # fmt: skip


def small_workspace(world=None):
    """Three people, a data source of insights and one of interviews with ten pages."""
    space = Workspace(world or World(Clock(START)))
    people = [space.add_user(f"{name}@shop.example", name.title())["id"] for name in ("ana", "ben", "cleo")]
    insights = space.add_source("Insights", [prop("title", "Insight", "title")])
    interviews = space.add_source("Interviews", [
        prop("title", "Interview", "title"), prop("a%3Ad", "Date", "date"), prop("a%3Ap", "Who", "people"),
        prop("a%3As", "Status", "status", ("Planned", "Going on", "Held", "Missed")),
        prop("a%3An", "Notes", "rich_text"),
        prop("a%3Ai", "Insights", "relation", to=insights["id"]), prop("a%3Ac", "How many", "rollup", of="a%3Ai"),
        prop("a%3Af", "Age", "formula"), prop("a%3Ae", "Mail", "email"), prop("a%3Av", "Checked", "verification"),
        prop("a%3At", "Tags", "multi_select", ("New", "Old")), prop("a%3Ab", "Paid", "checkbox"),
        prop("a%3Ax", "Number", "number"), prop("a%3Au", "Link", "url"), prop("a%3Al", "Files", "files"),
        prop("a%3Ak", "Written", "created_time"), prop("a%3Aw", "Writer", "created_by"),
    ])  # fmt: skip
    for place in range(4):
        space.add_page(insights["id"], {"title": f"Insight {place}"}, by=people[0])
    for place in range(10):
        space.world.clock.advance(timedelta(minutes=3))
        space.add_page(interviews["id"], {
            "title": f"Interview {place}", "a%3Ad": (f"2026-10-{place + 5:02}", None), "a%3Ap": [people[place % 3]],
            "a%3As": f"a%3As-{place % 4}", "a%3An": "What the customer said.", "a%3Ae": "customer@shopper.example",
            "a%3Ai": list(space.by_source[insights["id"]])[: place % 3], "a%3At": ["a%3At-0"], "a%3Ax": place / 2,
        }, by=people[place % 3])  # fmt: skip
    return space


@pytest.fixture
def open_company(put_on):
    """Return a function that serves a workspace (a small one, if none is given) and connects the hub to it."""

    def make(space=None, **switches):
        space = space or small_workspace()
        return put_on(NotionCompany, space.world, NotionWire(space, **{**PLENTY, "fewer_every": 0, **switches}))

    return make


@pytest.fixture
def company(open_company):
    """Return a company whose interviews and insights are mapped."""
    made = open_company()
    insights, interviews = made.space.sources.values()
    made.insights, made.interviews = insights, interviews
    made.map(insights)
    made.map(interviews, "interviews", date="a%3Ad", person="a%3Ap", status="a%3As", held=["a%3As-2"])
    return made
