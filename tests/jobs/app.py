"""The Celery application of the tests' own worker processes: the real one, with the tests' works and short leases."""

import os

import django

from hub.celery import app

django.setup()

if lease := os.environ.get("TEST_LEASE_SECONDS"):
    from hub.jobs import worker

    worker.LEASE_SECONDS = float(lease)
    worker.BEAT_SECONDS = float(lease) / 4

if toy_url := os.environ.get("TEST_TOY_URL"):
    from connectors import registry
    from tests.connectors.toy import Toy

    registry.add(Toy(toy_url))

__all__ = ["app"]
