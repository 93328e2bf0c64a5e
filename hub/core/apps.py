"""The ground every room stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "hub.core"
