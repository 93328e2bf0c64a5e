"""What an admin named on a connection's form, and whose history each stream still lacks."""

from collections.abc import Iterable
from datetime import datetime

from connectors.base import Stream
from connectors.models import Connection, StreamState


def named(connection: Connection, streams: Iterable[Stream]) -> dict[str, list[str]]:
    """Return what is chosen, and under each stream's name what was chosen after its watermark: that is read whole."""
    watermarks = dict(StreamState.objects.filter(connection=connection).values_list("stream", "watermark"))
    asked = [(str(one["name"]), datetime.fromisoformat(one["asked_at"])) for one in connection.chosen]
    found = {"chosen": [name for name, _ in asked]}
    for stream in streams:
        read_up_to = watermarks.get(stream.name)
        found[stream.name] = [name for name, at in asked if read_up_to is None or at > read_up_to]
    return found
