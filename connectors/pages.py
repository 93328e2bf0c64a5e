"""Writing one page: what changed is stored, what can't be used is set aside, and what is new is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_noop

from . import reasons, store, sync
from .base import Notice, Page
from .models import RefusedRecord, SchemaObservation, SeenPage
from .records import Record
from .sync import Fetched, Refused

if TYPE_CHECKING:
    from .reading import Pass


@dataclass(frozen=True)
class Fresh:
    """A page as fetched, its records judged and mapped."""

    page: Page
    good: list[Fetched]
    refused: list[Refused]
    mapped: list[tuple[Fetched, list[Record]]]
    unmappable: list[Refused]


def write_page(reading: "Pass", fresh: Fresh, now: datetime) -> None:
    """Compare the records with what is stored, write those that changed, set aside those that can't be used."""
    stream, state, counts = reading.stream, reading.state, reading.stream_run
    fetched, refused = fresh.good, list(fresh.refused)
    stored = store.stored_of(reading.connection, stream, [item.external_id for item in fetched])
    changes = sync.plan_page(stored, fetched, map_version=reading.engine.connector.map_version)
    if stream.on_change is not None and changes.changed:
        held = store.raw_of(reading.connection, stream, [item.external_id for item in changes.changed])
        for item in changes.changed:
            reading.note(stream.on_change(held[item.external_id], item.record))
    to_write = {item.external_id for item in changes.to_write}
    mapped = [(item, records) for item, records in fresh.mapped if item.external_id in to_write]
    refused += [item for item in fresh.unmappable if item.external_id in to_write]
    try:
        with transaction.atomic():
            store.write_records(reading.connection, reading.engine.connector, stream, mapped, stored=stored, now=now)
    except (DataError, IntegrityError, ValueError, OverflowError):
        refused += write_one_by_one(reading, mapped, stored, now)
    not_written = {item.external_id for item in refused}
    if refused:
        store.write_refused(reading.connection, stream, refused, now)
        reading.has_refused = True
    listed = {item.external_id for item in fetched} | not_written
    if reading.has_refused:
        RefusedRecord.objects.filter(
            connection=reading.connection, stream=stream.name, external_id__in=listed - not_written
        ).delete()
    counts.seen += len(listed)
    counts.new += sum(item.external_id not in not_written for item in changes.new)
    counts.changed += sum(item.external_id not in not_written for item in changes.changed)
    counts.unchanged += len(changes.unchanged)
    counts.stale += len(changes.stale)
    counts.refused += len(refused)
    state.window_seen += len(listed)
    state.window_refused += len(refused)
    if reading.lists_everything:
        SeenPage.objects.update_or_create(state=state, page=state.window_pages, defaults={"ids": sorted(listed)})
    observe(reading, changes.to_write[:5], now)


def write_one_by_one(
    reading: "Pass",
    mapped: Sequence[tuple[Fetched, list[Record]]],
    stored: dict[str, sync.Stored],
    now: datetime,
) -> list[Refused]:
    """A value that the database can't hold is in this page: find its record and set only that aside."""
    refused = []
    for item, records in mapped:
        try:
            with transaction.atomic():
                store.write_records(
                    reading.connection,
                    reading.engine.connector,
                    reading.stream,
                    [(item, records)],
                    stored=stored,
                    now=now,
                )
        except (DataError, IntegrityError, ValueError, OverflowError) as error:
            told = Notice(reasons.UNSTORABLE)
            refused.append(Refused(item.external_id, item.record, "", told, reasons.detail_of(error)))
    return refused


def observe(reading: "Pass", items: Sequence[Fetched], now: datetime) -> None:
    """Notice fields that were never seen before."""
    found: dict[str, set[str]] = {}
    for item in items:
        for path, kind in sync.paths_of(item.record).items():
            if kind != "null" and kind not in reading.known_paths.get(path, ()) and len(path) <= 200:
                found.setdefault(path, set()).add(kind)
    if not found:
        return
    is_first = not reading.state.kept
    for path, kinds in sorted(found.items()):
        is_new = path not in reading.known_paths
        reading.known_paths.setdefault(path, set()).update(kinds)
        if not is_first:
            new, other = (
                gettext_noop("A new field: %(path)s (%(types)s)"),
                gettext_noop("Another type of value: %(path)s (%(types)s)"),
            )
            reading.note([Notice(new if is_new else other, {"path": path, "types": ", ".join(sorted(kinds))})])
    SchemaObservation.objects.bulk_create(
        [
            SchemaObservation(
                connection=reading.connection,
                stream=reading.stream.name,
                path=path,
                types=sorted(reading.known_paths[path]),
                first_seen_at=now,
            )
            for path in sorted(found)
        ],
        update_conflicts=True,
        unique_fields=["connection", "stream", "path"],
        update_fields=["types"],
    )
