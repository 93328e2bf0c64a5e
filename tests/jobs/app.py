"""The Celery application of the tests' own worker processes: the real one, with the tests' works and short leases."""

import json
import os
import signal
from functools import partial
from urllib.request import urlopen

import django
import stamina
from celery.signals import worker_process_init
from django.conf import settings

from connectors.sandbox.clock import moment
from hub.celery import app
from hub.local.processes import tie

tie(signal.SIGKILL, parent=int(os.environ["TEST_PARENT"]))()
tie_to_worker = tie(signal.SIGKILL)
django.setup()


@worker_process_init.connect
def end_with_the_worker(**_given):
    """Have a process of the pool die with its worker, however that ends."""
    tie_to_worker()


if lease := os.environ.get("TEST_LEASE_SECONDS"):
    from hub.jobs import worker

    worker.LEASE_SECONDS = float(lease)
    worker.BEAT_SECONDS = float(lease) / 4

app.conf.worker_soft_shutdown_timeout = float(os.environ["TEST_SOFT_SECONDS"])
if not os.environ["TEST_RECYCLES"]:
    app.conf.worker_max_tasks_per_child = None

if toy_url := os.environ.get("TEST_TOY_URL"):
    from connectors import registry
    from tests.connectors.toy import Toy

    registry.add(Toy(toy_url))

if sandbox_url := os.environ.get("TEST_SANDBOX_URL"):
    from connectors import tasks

    def sandbox_time():
        """Ask the sandbox what time it is in its world."""
        with urlopen(f"{sandbox_url}/_control/clock") as answer:
            return moment(json.load(answer)["now"])

    settings.SANDBOX_URL = sandbox_url
    tasks.Engine = partial(tasks.Engine, clock=sandbox_time)
    stamina.set_testing(True, attempts=6, cap=True)  # as often as ever, but without sitting still in between

__all__ = ["app"]
