"""The services this hub knows; the only module that imports them."""

from functools import cache
from importlib import import_module

from .base import Connector

SERVICES = ("linear",)


class UnknownService(Exception):
    """No connector of that name in this release."""


@cache
def connector(key: str) -> Connector:
    """Return the connector of a service. Raises UnknownService."""
    if key in _extra:
        return _extra[key]
    if key not in SERVICES:
        raise UnknownService(key)
    made: Connector = import_module(f"connectors.services.{key}").connector
    return made


def all() -> list[Connector]:
    """Return every connector, by name."""
    return sorted((connector(key) for key in (*SERVICES, *_extra)), key=lambda one: one.name)


_extra: dict[str, Connector] = {}


def add(made: Connector) -> None:
    """Register a connector from outside the house: a package of one's own, or a test."""
    _extra[made.key] = made
    connector.cache_clear()


def remove(key: str) -> None:
    """Take away what `add` brought."""
    _extra.pop(key, None)
    connector.cache_clear()
