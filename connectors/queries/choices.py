"""What an admin named on a connection's form, and whose history each stream still lacks."""

from collections.abc import Iterable
from datetime import datetime

from connectors.base import Stream
from connectors.models import Connection, StreamState


def named(connection: Connection, streams: Iterable[Stream]) -> dict[str, list[str]]:
    """Return what is chosen, and under each stream's name what it has not read from its beginning yet.

    A finished window ends an overlap after the watermark, at the start of its run: what was asked for before that was
    read by it.
    """
    watermarks = dict(StreamState.objects.filter(connection=connection).values_list("stream", "watermark"))
    asked = [(str(one["name"]), datetime.fromisoformat(one["asked_at"])) for one in connection.chosen]
    found = {"chosen": [name for name, _ in asked]}
    for stream in streams:
        watermark = watermarks.get(stream.name)
        read_up_to = watermark and watermark + stream.overlap
        found[stream.name] = [name for name, at in asked if read_up_to is None or at >= read_up_to]
    return found
