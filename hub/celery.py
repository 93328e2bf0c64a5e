"""The Celery application: carries ids of jobs, nothing else. Beat runs the dispatcher (hub/jobs/beat.py)."""

import gc
import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_process_init
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


@worker_process_init.connect
def leave_what_is_loaded(**_given: Any) -> None:
    """Take what every process of a worker has loaded out of the search for garbage: it stays anyway."""
    gc.freeze()


@task_postrun.connect
def let_go(**_given: Any) -> None:
    """Free what a failed request held; by itself Python would look for it after many jobs.

    A traceback and the retries around it hold each other, and with them the answer, which may weigh 20 MB.
    """
    gc.collect()
