"""Connections for tests."""

from connectors import actions
from connectors.models import Connection, SyncRun
from connectors.secrets import seal

SECRET = "toy_canary_0123456789abcd"


def make_connection(service="toy", *, secret=SECRET, **fields):
    connection = Connection.objects.create(service=service, label=fields.pop("label", "Toy"), mapped_with=1, **fields)
    seal(connection, secret)
    connection.save()
    return connection


def make_run(connection, slot="test", reason=SyncRun.Reason.HAND, **fields):
    run = actions.start_run(connection, reason, slot=slot, **fields)
    assert run is not None
    return run
