"""People, teams, memberships, roles and rights."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "hub.people"
