"""`manage.py first_sync`: connect to the sandbox and read it for the first time."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connectors import actions, registry
from connectors.models import Connection, State, SyncRun

# What opens the sandbox's stand-ins
TOKENS = {
    "linear": "lin_api_sandbox",
    "notion": "ntn_sandbox",
    "productboard": "pb_sandbox_token",
    "github": "github_pat_sandbox",
}


class Command(BaseCommand):
    """Makes the demo's connection where there is none, and its first run; a second call changes nothing."""

    help = "Connect the sandbox (or the service at --url) and enqueue its first sync; --wait stays until it is over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", default="linear", help="which one; `all` that the sandbox stands in for")
        parser.add_argument("--url", default="")
        parser.add_argument("--token", default="", help="the sandbox's own, if not given")
        parser.add_argument("--wait", type=int, default=0, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        names = list(TOKENS) if options["service"] == "all" else [options["service"]]
        connections = [self.connect(name, **options) for name in names]
        for connection in connections if options["wait"] else ():
            self.wait(connection, options["wait"])

    def connect(self, name: str, **options: Any) -> Connection:
        """Return the connection of a service, made where there is none."""
        url = options["url"] or settings.SANDBOX_URL
        service = registry.connector(name)
        token = options["token"] or TOKENS.get(name, "")
        connection = Connection.objects.filter(service=service.key).order_by("pk").first()
        if connection is None:
            connection = actions.connect(service=service.key, label=service.name, secret=token, by=None, base_url=url)
            self.stdout.write(f"{service.name} is connected; its first sync is queued.")
        else:
            self.stdout.write(f"{service.name} is connected already.")
        return connection

    def wait(self, connection: Connection, seconds: int) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run = SyncRun.objects.filter(connection=connection).order_by("-id").first()
            if run is None or not run.is_open:
                break
            time.sleep(0.5)
        else:
            raise CommandError("The first sync is not over yet; it goes on.")
        if run is not None:
            self.stdout.write(f"{State(run.state).label}: {run.seen} records read, {run.new} new.")
