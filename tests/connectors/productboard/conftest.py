"""A small company on Productboard's wire, and a quick way to sync it."""

import itertools
from datetime import timedelta

import pytest

from connectors import registry
from connectors.engine import Engine
from connectors.sandbox.history import small_world
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.wire import TOKEN, ProductboardWire
from connectors.sandbox.server import serve
from hub.jobs.work import TryLater
from tests.connectors.factories import make_connection, make_run

PLENTY = 10**9  # of requests a second: the clock stands still, and nothing refills


class Company:
    """A board on its wire, the hub's connection to it, and the nights."""

    def __init__(self, board, wire, sandbox):
        self.board, self.wire, self.sandbox = board, wire, sandbox
        self.connection = make_connection("productboard", secret=TOKEN, label="Productboard", base_url=sandbox.url)
        self.slots = itertools.count()

    def sync(self, after=timedelta(days=1), **fields):
        """Let time pass, and run one whole sync; return the run."""
        clock = self.board.clock
        clock.advance(after)
        self.connection.refresh_from_db()
        run = make_run(self.connection, slot=f"test:{next(self.slots)}", **fields)
        while True:
            try:
                Engine(run, registry.connector("productboard"), clock=clock.now).go()
            except TryLater as later:
                if later.after:
                    raise
                continue
            run.refresh_from_db()
            return run

    def fail(self, action, operation=None, **fields):
        return self.sandbox.fail(action, operation, wire="productboard", **fields)

    def asked(self):
        """Return the operations of the requests since the last call."""
        names = [line.operation for line in self.wire.log]
        self.wire.log.clear()
        return names


@pytest.fixture
def open_company(db, settings):
    """Return a function that serves a board (a small one, if none is given) and connects the hub to it."""
    opened = []

    def make(board=None, **switches):
        board = board or small_board(small_world())
        wire = ProductboardWire(board, **{"requests_per_second": PLENTY, **switches})
        served = serve(board.world, wires=[wire])
        sandbox = served.__enter__()
        opened.append(served)
        settings.SANDBOX_URL = sandbox.url
        return Company(board, wire, sandbox)

    yield make
    for served in reversed(opened):
        served.__exit__(None, None, None)


@pytest.fixture
def company(open_company):
    return open_company()
