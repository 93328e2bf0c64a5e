"""Who did what, when and why."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "hub.activity"

    def ready(self) -> None:
        from hub.people import journal

        from .actions import record

        journal.keep_with(record)
