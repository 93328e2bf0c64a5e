"""The services this hub knows; the only module that imports them."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from .base import Announcing, Choosing, Connector, Selective

if TYPE_CHECKING:
    from .models import Connection

SERVICES = ("github", "jira", "linear", "notion", "productboard")


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


def connector_for(connection: "Connection") -> Connector:
    """Return the connector of a connection; where it reads only what an admin chose, it knows what that is."""
    made = connector(connection.service)
    if isinstance(made, Choosing):
        from .queries.choices import named

        return made.bound(named(connection, made.streams))
    if not isinstance(made, Selective):
        return made
    from .mappings.queries import chosen

    return made.bound(chosen(connection))


def all() -> list[Connector]:
    """Return every connector, by name."""
    return sorted((connector(key) for key in (*SERVICES, *_extra)), key=lambda one: one.name)


@cache
def mappable() -> tuple[str, ...]:
    """Return the keys of the services whose databases an admin maps."""
    return tuple(made.key for made in all() if not isinstance(made, Choosing) and isinstance(made, Selective))


@cache
def choosing(key: str) -> Choosing | None:
    """Return the connector of a service whose things an admin names, None for any other."""
    try:
        made = connector(key)
    except UnknownService:
        return None
    return made if isinstance(made, Choosing) else None


@cache
def reading(stream: str) -> tuple[str, ...]:
    """Return the keys of the services that have a stream of this name."""
    return tuple(made.key for made in all() if any(one.name == stream for one in made.streams))


@cache
def announcing(key: str) -> Announcing | None:
    """Return the connector of a service that can announce changes, None for any other."""
    try:
        made = connector(key)
    except UnknownService:
        return None
    return made if isinstance(made, Announcing) else None


_extra: dict[str, Connector] = {}


def add(made: Connector) -> None:
    """Register a connector from outside the house: a package of one's own, or a test."""
    _extra[made.key] = made
    _forget()


def remove(key: str) -> None:
    """Take away what `add` brought."""
    _extra.pop(key, None)
    _forget()


def _forget() -> None:
    for held in (connector, mappable, choosing, reading, announcing):
        held.cache_clear()
