"""Who did what, when and why."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "hub.activity"
