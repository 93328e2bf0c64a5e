"""What workers share and what they must not: a token's budget, and the token itself."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as django_settings

from connectors import registry
from connectors.base import FailureClass
from connectors.engine import Engine
from connectors.models import Connection, State
from connectors.sandbox.clock import moment
from connectors.sandbox.history import small_world
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.wire import SCOPES, TOKEN, ProductboardWire
from connectors.sandbox.server import serve
from connectors.secrets import fingerprint
from tests.connectors.asking import LIMIT
from tests.connectors.factories import make_connection, make_run

OTHER = "pb_sandbox_token_of_another_company"
EACH, WORKERS, SHARE = 18, 2, 0.6


class Listening(ProductboardWire):
    """Keeps who asked, which the log of a wire leaves out."""

    def __init__(self, board, **switches):
        super().__init__(board, **switches)
        self.heard = []

    def answer(self, method, path, headers, body):
        self.heard.append(headers["authorization"])
        return super().answer(method, path, headers, body)


@pytest.mark.slow
def test_two_workers_of_one_token_never_ask_more_than_their_share(clean_redis):
    world = small_world()
    world.clock.set(None)
    wire = ProductboardWire(small_board(world), requests_per_second=LIMIT)
    environment = os.environ | {"REDIS_URL": django_settings.REDIS_URL, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with serve(world, wires=[wire]) as sandbox:
        command = [sys.executable, "-m", "tests.connectors.asking", sandbox.url, str(EACH)]
        workers = [
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _one in range(WORKERS)
        ]
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            worker.communicate(timeout=60)
            assert worker.returncode == 0

    times = [moment(line.at) for line in wire.log]
    assert len(times) == EACH * WORKERS
    assert {line.status for line in wire.log} == {200}  # not once was it told to wait
    busiest = max(sum(start <= at < start + timedelta(seconds=1) for at in times) for start in times)
    assert busiest <= LIMIT * SHARE + WORKERS  # each may have had one request under way, counted late
    assert times[-1] - times[0] >= timedelta(seconds=(EACH * WORKERS / (LIMIT * SHARE)) - 1.1)


def read(connection, stream, slot):
    run = make_run(connection, slot=slot, only=(stream,))
    Engine(run, registry.connector("productboard")).go()
    run.refresh_from_db()
    return run


def test_the_token_of_one_company_never_serves_another(db, settings, clean_redis):
    world = small_world()
    wire = Listening(small_board(world), requests_per_second=10**9)
    wire.grant(OTHER, SCOPES - {"members:pii:read"})
    with serve(world, wires=[wire]) as sandbox:
        settings.SANDBOX_URL = sandbox.url
        ours, theirs = (
            make_connection("productboard", secret=secret, label=secret[-7:], base_url=sandbox.url)
            for secret in (TOKEN, OTHER)
        )
        for stream in registry.connector("productboard").streams:  # in turns, in one worker
            for connection, secret in ((ours, TOKEN), (theirs, OTHER)):
                wire.heard.clear()
                assert read(connection, stream.name, stream.name).state == State.DONE
                assert set(wire.heard) == {f"Bearer {secret}"}

        assert fingerprint(TOKEN) != fingerprint(OTHER)
        assert {one.secret_print for one in (ours, theirs)} == {fingerprint(TOKEN), fingerprint(OTHER)}

        # Not even where somebody moves the sealed token to the other's row
        Connection.objects.filter(pk=theirs.pk).update(secret=Connection.objects.get(pk=ours.pk).secret)
        wire.heard.clear()
        run = read(Connection.objects.get(pk=theirs.pk), "teams", "moved")
        assert (run.state, run.failure) == (State.FAILED, FailureClass.AUTH_INVALID)
        assert wire.heard == []
