"""The Celery application: carries ids of jobs, nothing else. Beat runs the dispatcher (hub/jobs/beat.py)."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_scheduler = "hub.jobs.beat:Scheduler"
# A worker serves all three unless told otherwise with -Q; one slow source can't starve the rest where there are two.
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in ("default", "sync", "webhook")]
app.conf.task_default_queue = "default"
app.autodiscover_tasks()


@setup_logging.connect
def log_as_events(**_given: Any) -> None:
    """Have workers and beat log as the web does, masked; Celery would set up handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
