"""The demo company: people, tools and targets that make every page alive."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "hub.demo"
