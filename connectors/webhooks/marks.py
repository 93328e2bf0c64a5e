"""What is due because somebody announced it: marked by `intake`, read by one run for all, soon but not often."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, Subquery

from connectors import schedule
from connectors.base import Connector
from connectors.models import Connection, DueStream, StreamRun, StreamState, SyncRun
from connectors.sync import BEGINNING

REST = timedelta(minutes=5)  # between two announced runs of a connection, at least
REST_FACTOR = 10  # and so many times as long as the last one took
LONGEST_REST = timedelta(hours=1)  # however long that was


def waiting() -> set[int]:
    """Return the connections that have something marked. One query, however many there are."""
    return set(DueStream.objects.exclude(announced_at=None).values_list("connection", flat=True))


def due(connection: Connection, service: Connector, now: datetime) -> tuple[str, ...]:
    """Return the streams of a connection that a run is to read now; none while it should rest or wait."""
    rows = unread(connection)
    if not rows or (connection.pause_until and connection.pause_until > now) or rests_until(connection) > now:
        return ()
    wanted = rows - {*connection.paused_streams} - failing(connection, now)
    return tuple(stream.name for stream in service.streams if stream.name in wanted)


def unread(connection: Connection) -> set[str]:
    """Return the marked streams. A mark ends when a run, whoever asked for it, began to read its stream after it."""
    mine = DueStream.objects.filter(connection=connection)
    begun = StreamRun.objects.filter(run__connection=connection, stream=OuterRef("stream")).exclude(started_at=None)
    begun_at = Subquery(begun.order_by("-run_id").values("started_at")[:1])
    mine.filter(announced_at__lt=begun_at).update(announced_at=None)
    mine.filter(announced_at=None, needs_sweep=False).delete()
    return set(mine.exclude(announced_at=None).values_list("stream", flat=True))


def rests_until(connection: Connection) -> datetime:
    """Return until when no other announced run starts: news comes soon, but a busy source isn't read without end."""
    last = (
        SyncRun.objects.filter(connection=connection, reason=SyncRun.Reason.WEBHOOK)
        .exclude(ended_at=None)
        .order_by("-id")
        .first()
    )
    if last is None or last.ended_at is None:
        return BEGINNING
    took = last.ended_at - (last.started_at or last.ended_at)
    return last.ended_at + min(max(REST, REST_FACTOR * took), LONGEST_REST)


def failing(connection: Connection, now: datetime) -> set[str]:
    """Return the streams that failed lately: news doesn't quicken the pace of further tries."""
    states = StreamState.objects.filter(connection=connection).exclude(failure="")
    tried = StreamRun.objects.filter(run__connection=connection, stream=OuterRef("stream")).exclude(ended_at=None)
    rows = states.annotate(tried_at=Subquery(tried.order_by("-run_id").values("ended_at")[:1]))
    return {
        state.stream
        for state in rows
        if state.tried_at and now < state.tried_at + schedule.retry_after_failures(state.consecutive_failures)
    }


@transaction.atomic
def make_sweeps_due(connection: Connection) -> None:
    """Have the night's run list every id of the streams in which something was deleted since the last night."""
    told = DueStream.objects.select_for_update().filter(connection=connection, needs_sweep=True)
    streams = list(told.values_list("stream", flat=True))
    if streams:
        StreamState.objects.filter(connection=connection, stream__in=streams).update(last_sweep_at=None)
        DueStream.objects.filter(connection=connection, stream__in=streams).update(needs_sweep=False)
