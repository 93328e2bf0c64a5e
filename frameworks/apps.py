"""The library: frameworks, templates and guides."""

from django.apps import AppConfig


class FrameworksConfig(AppConfig):
    name = "frameworks"
