"""Tools: the registry of what the company standardises."""

from django.apps import AppConfig


class ToolingConfig(AppConfig):
    name = "tooling"

    def ready(self) -> None:
        from connectors.hooks import after_sync

        from . import tasks

        after_sync(tasks.after_sync)
