"""The ground every room stands on."""

from django.apps import AppConfig

from .database import read_moments_faster


class CoreConfig(AppConfig):
    name = "hub.core"

    def ready(self) -> None:
        read_moments_faster()
