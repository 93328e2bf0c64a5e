"""Tools: the registry of what the company standardises."""

from django.apps import AppConfig


class ToolingConfig(AppConfig):
    name = "tooling"
