"""One tool of a small company on its own wire, the hub's connection to it, and the nights."""

import itertools
from datetime import timedelta

from django.utils import timezone

from connectors import registry
from connectors.engine import Engine
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run

UNLIMITED = 10**9  # requests: where the clock stands still, no budget fills again


def finish(run, clock=timezone.now):
    """Read a run to its end, in as many goes as it asks for, and return it. Raises TryLater where it has to wait."""
    while True:
        try:
            Engine(run, registry.connector_for(run.connection), clock=clock).go()
        except TryLater as later:
            if later.after:
                raise
            continue
        run.refresh_from_db()
        return run


class Company:
    """What a tool's own `conftest.py` fills in. Its wire is found under `service` in the sandbox."""

    service = ""
    label = ""
    secret = ""
    between_syncs = timedelta(days=1)

    def __init__(self, sandbox):
        self.sandbox, self.clock = sandbox, sandbox.clock
        self.wire = sandbox.wires[self.service]
        self.connection = make_connection(self.service, secret=self.secret, label=self.label, base_url=sandbox.url)
        self.slots = itertools.count()

    def sync(self, after=None, **fields):
        """Let time pass, and run one whole sync; return the run."""
        self.clock.advance(self.between_syncs if after is None else after)
        self.connection.refresh_from_db()
        return finish(make_run(self.connection, slot=f"test:{next(self.slots)}", **fields), self.clock.now)

    def fail(self, action, operation=None, **fields):
        return self.sandbox.fail(action, operation, wire=self.service, **fields)

    def asked(self):
        """Return the operations of the requests since the last call."""
        names = [line.operation for line in self.wire.log]
        self.wire.log.clear()
        return names
