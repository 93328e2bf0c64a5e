"""Files that become rows: uploaded, or read from an address every night."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "hub.imports"
    label = "imports"

    def ready(self) -> None:
        from .kinds import register
        from .people import People

        register(People())
