"""Mapping stored raw records again, offline, after a release that maps them otherwise."""

from django.db import transaction
from django.utils import timezone

from . import hooks, registry, store, sync
from .base import Connector, Stream
from .engine import MayWrite, NobodyElse
from .models import Connection, RefusedRecord, SourceRecord

BATCH = 200


def remap(connection: Connection, lease: MayWrite | None = None) -> int:
    """Bring every row in line with today's mapping, batch by batch; return how many records were mapped.

    It can stop anywhere: each record tells with which version it was mapped.
    """
    service = registry.connector(connection.service)
    lease = lease or NobodyElse()
    streams = {stream.name: stream for stream in service.streams}
    done = 0
    for stream in streams.values():
        after = 0
        while True:
            with transaction.atomic():
                lease.advance()
                rows = list(
                    SourceRecord.objects.filter(
                        connection=connection,
                        stream=stream.name,
                        deleted_at=None,
                        map_version__lt=service.map_version,
                        pk__gt=after,
                    ).order_by("pk")[:BATCH]
                )
                if not rows:
                    break
                after = rows[-1].pk
                now = timezone.now()
                fetched, refused = sync.judge(stream, [row.raw for row in rows])
                stored = {
                    row.external_id: sync.Stored(
                        row.content_hash, row.source_version, False, row.map_version, row.produced
                    )
                    for row in rows
                }
                mapped, unmappable = store.map_records(service, stream, fetched)
                store.write_records(connection, service, stream, mapped, stored=stored, now=now)
                if refused or unmappable:
                    store.write_refused(connection, stream, [*refused, *unmappable], now)
                done += len(mapped)
        reconsider(connection, service, stream, lease)
    with transaction.atomic():
        lease.confirm()
        Connection.objects.filter(pk=connection.pk).update(mapped_with=service.map_version)
        hooks.tell_rooms(connection)
    return done


def reconsider(connection: Connection, service: Connector, stream: Stream, lease: MayWrite) -> None:
    """Look again at the records that were set aside: today's release may understand them."""
    with transaction.atomic():
        lease.advance()
        rows = list(RefusedRecord.objects.filter(connection=connection, stream=stream.name)[:5000])
        fetched, _ = sync.judge(stream, [row.raw for row in rows])
        stored = store.stored_of(connection, stream, [item.external_id for item in fetched])
        changes = sync.plan_page(stored, fetched, map_version=service.map_version)
        mapped, _ = store.map_records(service, stream, changes.to_write)
        store.write_records(connection, service, stream, mapped, stored=stored, now=timezone.now())
        RefusedRecord.objects.filter(
            connection=connection, stream=stream.name, external_id__in=[item.external_id for item, _ in mapped]
        ).delete()
