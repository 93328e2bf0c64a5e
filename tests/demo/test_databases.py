"""What the demo says of its databases is true of the sandbox."""

from io import StringIO

import pytest
from django.core.management import call_command

from connectors.management.commands.first_sync import TOKENS
from connectors.mappings.meanings import HOLDINGS
from connectors.mappings.queries import chosen
from connectors.models import Connection, SourceMapping, SyncRun
from connectors.sandbox.clock import Clock, moment
from connectors.sandbox.life import Life
from connectors.sandbox.notion.life import NotionDepartment
from connectors.sandbox.world import World
from connectors.secrets import open_secret
from hub.demo.databases import DATABASES, map_databases
from tests.connectors.factories import make_connection


@pytest.fixture(scope="module")
def sources():
    life = Life(World(Clock(moment("2026-03-03T08:00:00Z"))))
    return NotionDepartment(life).workspace.sources


@pytest.mark.parametrize("one", DATABASES, ids=lambda one: one.name)
def test_a_database_of_the_demo_is_as_the_sandbox_has_it(one, sources):
    source = sources[one.ref]
    fields = {field.key: field for field in HOLDINGS[one.meaning].fields}

    assert source["title"] == one.name
    for key, (ref, name) in one.fields.items():
        assert source["properties"][ref]["name"] == name
        assert source["properties"][ref]["type"] in fields[key].types
    if "status" in one.fields:
        options = {option["id"] for option in source["properties"][one.fields["status"][0]]["options"]}
        assert set(one.held) <= options


def test_every_required_property_is_mapped():
    for one in DATABASES:
        assert {field.key for field in HOLDINGS[one.meaning].fields if field.is_required} <= set(one.fields)


@pytest.mark.django_db
def test_databases_are_mapped_once_and_wait_for_their_history():
    connection = make_connection("notion", label="Notion")

    assert map_databases() == len(DATABASES)
    SourceMapping.objects.filter(meaning="policies").delete()

    assert map_databases() == 0
    assert chosen(connection)["unread"] == [one.ref for one in DATABASES[:-1]]


@pytest.mark.django_db
def test_the_first_sync_of_the_demo_connects_every_tool_of_the_sandbox_once(settings):
    settings.SANDBOX_URL = "http://127.0.0.1:8100"

    for _twice in range(2):
        call_command("first_sync", service="all", stdout=StringIO())

    assert sorted(Connection.objects.values_list("service", flat=True)) == sorted(TOKENS)
    assert all(open_secret(one) == TOKENS[one.service] for one in Connection.objects.all())
    assert SyncRun.objects.filter(reason=SyncRun.Reason.FIRST).count() == len(TOKENS)
