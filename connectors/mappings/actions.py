"""Saying what a database holds. What is said is an admin's word; taking it back takes the pages out of the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from connectors import actions as wires
from connectors import hooks
from connectors.models import Connection, Document, DocumentSource, SourceMapping, SourceRecord, SyncRun
from hub.activity.actions import record
from hub.activity.models import Event
from hub.people.models import User

from .queries import PAGES

Kept = dict[str, Any]
Change = tuple[Kept | None, Kept | None]  # before, after


@dataclass(frozen=True)
class Said:
    """A mapping that was saved or removed, and the batch under which that can be undone."""

    mapping: SourceMapping
    batch: UUID


@transaction.atomic
def map_source(
    *,
    source: DocumentSource,
    meaning: str,
    fields: Mapping[str, str],
    held: Sequence[str],
    by: User | None,
    now: datetime | None = None,
) -> Said:
    """Say what a database holds and which of its properties (by id) means what; its pages are then read.

    Pages that are stored already are kept: the next run finds them unchanged. One run is asked for at once, unless one
    is under way, after which the next one reads them.
    """
    before = held_mapping(source)
    names = {str(one["id"]): str(one["name"]) for one in source.properties}
    mapping, _ = SourceMapping.objects.update_or_create(
        connection_id=source.connection_id,
        source_ref=source.external_id,
        defaults={
            "meaning": meaning,
            "fields": dict(fields),
            "names": {ref: names[ref] for ref in fields.values() if ref in names},
            "held": list(held),
            "mapped_by": by,
            "asked_at": now or timezone.now(),
        },
    )
    batch = keep(mapping, "mapped_source", (before, as_kept(mapping)), by)
    follow_up(mapping.connection, by)
    return Said(mapping, batch)


@transaction.atomic
def unmap_source(*, mapping: SourceMapping, by: User | None) -> Said:
    """No longer read a database. Its pages leave the figures at once; mapping it again brings them back."""
    wires.leave_alone(mapping.connection)
    wires.begin_lists_anew(mapping.connection, PAGES)
    batch = keep(mapping, "unmapped_source", (as_kept(mapping), None), by)
    now = timezone.now()
    pages = Document.objects.live().filter(connection=mapping.connection, source_ref=mapping.source_ref)
    SourceRecord.objects.filter(
        connection=mapping.connection,
        stream=PAGES,
        external_id__in=pages.values("external_id"),
        deleted_at=None,
    ).update(deleted_at=now, deletion_reason=SourceRecord.Reason.UNMAPPED)
    pages.update(deleted_at=now)
    mapping.delete()
    hooks.tell_rooms(mapping.connection)
    return Said(mapping, batch)


@transaction.atomic
def undo(*, connection: Connection, batch: UUID, by: User) -> SourceMapping | None:
    """Put a mapping of a connection back as it was before the act of `batch`; None where there is nothing to do."""
    event = Event.objects.filter(batch=batch, kind=SourceMapping._meta.label_lower).first()
    if event is None:
        return None
    before, after = event.changes["mapping"]
    at = before or after
    if at["connection"] != connection.pk:
        return None
    source = DocumentSource.objects.filter(connection=at["connection"], external_id=at["source_ref"]).first()
    mapping = SourceMapping.objects.filter(connection=at["connection"], source_ref=at["source_ref"]).first()
    if before is None:
        if mapping is None:
            return None
        return unmap_source(mapping=mapping, by=by).mapping
    if source is None:
        return None
    return map_source(
        source=source, meaning=before["meaning"], fields=before["fields"], held=before["held"], by=by
    ).mapping


def follow_up(connection: Connection, by: User | None) -> None:
    """Have the pages read soon, and the figures made of what is stored already."""
    if connection.is_readable:
        slot = f"mapping:{timezone.now():%Y%m%d%H%M%S%f}"
        wires.start_run(connection, SyncRun.Reason.HAND, slot=slot, by=by, only=(PAGES,))
    hooks.tell_rooms(connection)


def held_mapping(source: DocumentSource) -> Kept | None:
    """Return how a database is mapped so far, locked until the transaction ends."""
    mapping = (
        SourceMapping.objects.select_for_update()
        .filter(connection=source.connection_id, source_ref=source.external_id)
        .first()
    )
    return as_kept(mapping) if mapping else None


def as_kept(mapping: SourceMapping) -> Kept:
    """Return a mapping in plain values, for the record."""
    return {
        "connection": mapping.connection_id,
        "source_ref": mapping.source_ref,
        "meaning": str(mapping.meaning),
        "fields": mapping.fields,
        "held": mapping.held,
    }


def keep(mapping: SourceMapping, verb: str, change: Change, by: User | None) -> UUID:
    """Record an act under a batch of its own, and return that."""
    batch = uuid4()
    record(by=by, verb=verb, on=mapping, changes={"mapping": change}, batch=batch)
    return batch
