"""Work of the wires. Each function is safe to run twice."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from hub.jobs.work import work

from . import actions, checks, registry, remap
from .engine import Engine
from .models import Connection, SyncRun
from .webhooks import nights


@work(every=timedelta(minutes=1))
def start_due_syncs() -> None:
    """Start what is due, and count what nobody announced."""
    actions.tick()
    nights.count_missed()


@work(every=timedelta(days=1))
def forget_old_deliveries() -> None:
    """Forget what was announced long ago."""
    nights.forget_old(timezone.now())


@work(queue="sync", is_long=True)
def sync_connection(*, run_id: int, lease: Any = None) -> None:
    """Read a connection's streams, as far as one task goes; the job comes back until the run is over."""
    run = SyncRun.objects.select_related("connection").get(pk=run_id)
    engine = Engine(run, registry.connector_for(run.connection))
    if lease is not None:
        engine.lease = lease
    engine.go()


@work(queue="default", is_long=True, max_attempts=2, given_up=checks.give_up)
def check_connection(*, connection_id: int, lease: Any = None) -> None:
    """Test a connection and write down what was found."""
    checks.check(Connection.objects.get(pk=connection_id), lease)


@work(queue="sync", is_long=True)
def remap_connection(*, connection_id: int, lease: Any = None) -> None:
    """Map the stored raw records of a connection again, after a release that maps them otherwise. No requests."""
    remap.remap(Connection.objects.get(pk=connection_id), lease)
