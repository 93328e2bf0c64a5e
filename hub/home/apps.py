"""The front page of each role, the shell around every page, and the styleguide."""

from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "hub.home"
