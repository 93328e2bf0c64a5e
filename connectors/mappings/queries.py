"""What is mapped, and what the mapping pages want to know."""

from connectors.models import Connection, SourceMapping, StreamState

PAGES = "pages"  # the stream that reads what is mapped


def chosen(connection: Connection) -> dict[str, list[str]]:
    """Return which databases a connection reads, and whose history was not read to its end yet.

    The pages' watermark says up to when everything is stored: what was mapped after it waits for a whole reading.
    """
    mapped = list(
        SourceMapping.objects.filter(connection=connection).order_by("pk").values_list("source_ref", "asked_at")
    )
    state = StreamState.objects.filter(connection=connection, stream=PAGES).only("watermark").first()
    read_up_to = state.watermark if state else None
    return {
        "data_sources": [ref for ref, _ in mapped],
        "unread": [ref for ref, asked_at in mapped if read_up_to is None or asked_at > read_up_to],
    }
