"""`manage.py first_sync`: connect to the sandbox and read it for the first time."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connectors import actions, registry
from connectors.models import Connection, State, SyncRun


class Command(BaseCommand):
    """Makes the demo's connection where there is none, and its first run; a second call changes nothing."""

    help = "Connect the sandbox (or the service at --url) and enqueue its first sync; --wait stays until it is over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", default="linear")
        parser.add_argument("--url", default="")
        parser.add_argument("--token", default="lin_api_sandbox")
        parser.add_argument("--wait", type=int, default=0, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"] or settings.SANDBOX_URL
        service = registry.connector(options["service"])
        connection = Connection.objects.filter(service=service.key).order_by("pk").first()
        if connection is None:
            connection = actions.connect(
                service=service.key, label=service.name, secret=options["token"], by=None, base_url=url
            )
            self.stdout.write(f"{service.name} is connected; its first sync is queued.")
        else:
            self.stdout.write(f"{service.name} is connected already.")
        if options["wait"]:
            self.wait(connection, options["wait"])

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
