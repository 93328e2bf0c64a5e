"""The wires: the only code that talks to other machines."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "connectors"
