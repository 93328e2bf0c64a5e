"""One search over every room; each room declares what it offers in its own `search.py`."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SearchConfig(AppConfig):
    name = "hub.search"

    def ready(self) -> None:
        autodiscover_modules("search")
