"""Django's admin: one rule for everything in it."""

from tests.access import Rule

ACCESS = {"admin:": Rule(who=frozenset({"admin"}))}
