"""The Celery application: carries ids of jobs, nothing else. Beat runs the dispatcher (hub/jobs/beat.py)."""

import os

from celery import Celery
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_scheduler = "hub.jobs.beat:Scheduler"
# A worker serves all three unless told otherwise with -Q; one slow source can't starve the rest where there are two.
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in ("default", "sync", "webhook")]
app.conf.task_default_queue = "default"
app.autodiscover_tasks()
