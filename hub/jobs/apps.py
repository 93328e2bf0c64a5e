"""Work as rows: what a worker has to do is in the database before anyone is told."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "hub.jobs"
