"""Sweeping: every id that the source lists, so that what it no longer lists is found gone, and never by mistake."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from . import store, sync
from .base import FailureClass, Notice, Page, SourceFailed, field_at
from .models import RefusedRecord, SeenPage

if TYPE_CHECKING:
    from .reading import Pass


def note_swept(reading: "Pass", page: Page) -> None:
    """Keep the ids of a page; ids that the hub doesn't hold although their time has passed call for a full read."""
    state, stream = reading.state, reading.stream
    versions: dict[str, datetime | None] = {}
    for record in page.records:
        key = field_at(record, stream.key_path)
        if isinstance(key, str | int) and key != "":
            versions[str(key)[:200]] = sync.version_of(stream, record)
    SeenPage.objects.update_or_create(state=state, page=state.window_pages, defaults={"ids": list(versions)})
    for key in store.unknown_to_us(reading.connection, stream, list(versions)):
        version = versions[key]
        is_older = version is not None and state.watermark is not None and version < state.watermark
        refused_before = RefusedRecord.objects.filter(
            connection=reading.connection, stream=stream.name, external_id=key
        ).exists()
        if is_older and not refused_before:
            state.needs_full_read = True
            return


def end_sweep(reading: "Pass", now: datetime) -> SourceFailed | None:
    """Mark what was not listed as gone, unless that is more than is believable."""
    state, stream = reading.state, reading.stream
    alive, still_seen = store.sweep_numbers(reading.connection, stream, state.pk)
    is_confirmed = state.sweep_confirmed_at is not None
    if not is_confirmed and not sync.is_sweep_plausible(alive=alive, still_seen=still_seen):
        state.sweep_alive, state.sweep_gone = alive, alive - still_seen
        state.run = None
        reading.rewind()
        SeenPage.objects.filter(state=state).delete()
        detail = f"{alive - still_seen} of {alive} records are no longer listed"
        return SourceFailed(FailureClass.SWEEP_IMPLAUSIBLE, detail)
    reading.stream_run.gone += store.sweep(reading.connection, stream, state.pk, now) if alive > still_seen else 0
    SeenPage.objects.filter(state=state).delete()
    state.sweep_alive = state.sweep_gone = 0
    state.sweep_confirmed_at = state.sweep_confirmed_by = None
    state.last_sweep_at = now
    if state.is_sweeping and state.needs_full_read:
        state.watermark = None
        state.needs_full_read = False
        reading.note(
            [Notice(gettext_noop("Records with old dates have appeared; the next run reads everything again."))]
        )
    state.is_sweeping = False
    return None
