"""The ground every room stands on."""

from django.apps import AppConfig

from .catalogs import join_catalogs
from .database import read_moments_faster


class CoreConfig(AppConfig):
    name = "hub.core"

    def ready(self) -> None:
        read_moments_faster()
        join_catalogs()
