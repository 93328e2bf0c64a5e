"""`manage.py sandbox`: the stand-in of outside services, served until Ctrl-C."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections

from connectors.sandbox.announce import announce
from connectors.sandbox.departments import ALL
from connectors.sandbox.history import NotAHistory, history_world
from connectors.sandbox.jira.wire import JiraWire
from connectors.sandbox.life import demo_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.server import Sandbox, serve

ANNOUNCE_EVERY = 5.0  # seconds: how soon a changed endpoint is followed


class Command(BaseCommand):
    """Serve a world over HTTP, so that the hub has something true to sync from."""

    help = "Serve stand-ins of outside services: the demo company, or a real history from a CSV."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8100, help="port on the loopback address (8100)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--seed", type=int, default=1, help="another seed is another company life (1)")
        parser.add_argument("--scale", type=float, default=1.0, help="how many times the usual number of issues (1)")
        parser.add_argument("--history", type=Path, help="CSV of real tasks: id, project, created_date, finished_date")
        parser.add_argument("--announce", action="store_true", help="send webhooks to the hub, where it has them on")
        parser.add_argument("--requests-per-hour", type=int, default=2_500, help="Linear's budget of requests (2500)")
        parser.add_argument("--points-per-hour", type=int, default=3_000_000, help="its budget of points (3000000)")

    def handle(self, *args: Any, **options: Any) -> None:
        life = None
        if options["history"]:
            try:
                world = history_world(options["history"])
            except (OSError, NotAHistory) as error:
                raise CommandError(f"{options['history']}: {error}") from error
        else:
            world, life = demo_world(seed=options["seed"], scale=options["scale"], departments=ALL)
        stop = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        limits = {"request_limit": options["requests_per_hour"], "point_limit": options["points_per_hour"]}
        try:
            wires = [] if life else [JiraWire(world)]  # in the demo, departments bring their own
            with serve(
                world, options["port"], host=options["host"], life=life, ticks_every=1.0, wires=wires, **limits
            ) as sandbox:  # fmt: skip
                issues = len(world.rows("Issue"))
                self.stdout.write(f"Sandbox of Linear at {sandbox.url}/graphql: {issues} issues, key {KEY}")
                for name in sorted(set(sandbox.wires) - {"linear"}):
                    self.stdout.write(f"Sandbox of {name.capitalize()} at {sandbox.url}{sandbox.wires[name].paths[0]}")
                self.stdout.flush()
                while not stop.wait(ANNOUNCE_EVERY if options["announce"] else None):
                    self.announce(sandbox)
        except OSError as error:
            raise CommandError(f"Port {options['port']} can't be used ({error.strerror}). Try --port.") from error

    def announce(self, sandbox: Sandbox) -> None:
        """Follow the hub's endpoints; a database that is away for a moment is asked again."""
        close_old_connections()
        try:
            if begun := announce(sandbox):
                self.stdout.write(f"Webhooks: {begun} more of the stand-ins announce changes to the hub.")
                self.stdout.flush()
        except OperationalError as error:
            self.stderr.write(f"Webhooks: the hub's database does not answer ({error}).")
