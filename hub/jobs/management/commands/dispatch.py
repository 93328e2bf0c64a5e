"""`manage.py dispatch`: a dispatcher of its own, where beat is not run."""

import time
from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand

from hub.jobs.beat import PAUSE_SECONDS
from hub.jobs.dispatch import Dispatcher


class Command(BaseCommand):
    """Publishes due jobs until it is stopped; any number may run beside beat."""

    help = "Publish the ids of due jobs to the workers, for ever (--once: a single round)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        current_app.loader.import_default_modules()
        dispatcher = Dispatcher()
        while True:
            done = dispatcher.round()
            if options["once"]:
                self.stdout.write(f"sent {done.sent}, taken back {done.requeued}")
                return
            time.sleep(PAUSE_SECONDS)
