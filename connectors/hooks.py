"""What rooms want to know of a sync, without the wires knowing the rooms."""

from collections.abc import Callable

from .models import Connection

_after_sync: list[Callable[[Connection], None]] = []


def after_sync(react: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """Call `react(connection)` in the transaction that ends each sync run which changed or confirmed data.

    It must only enqueue work (a row), never do it. Register it in the room's `apps.py` `ready()`.
    """
    if react not in _after_sync:
        _after_sync.append(react)
    return react


def tell_rooms(connection: Connection) -> None:
    """Let every room enqueue what follows from this sync."""
    for react in _after_sync:
        react(connection)
