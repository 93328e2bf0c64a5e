"""What people and the clock do with connections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from hub.activity.actions import record
from hub.jobs import worker
from hub.jobs.models import Job
from hub.people.models import User

from . import hooks, registry, schedule, store
from .failures import explain
from .models import (
    OPEN_STATES,
    Check,
    Connection,
    DueStream,
    RefusedRecord,
    SourceRecord,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
from .secrets import seal
from .transport import origin
from .webhooks import marks

COOL_DOWN = timedelta(minutes=5)


class TooSoon(Exception):
    """A run by hand ended less than five minutes ago; `until` is when the next may start."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class NotConnected(Exception):
    """The connection or all that was asked for is paused, or it needs a new token."""


class UnderWay(Exception):
    """A run is open: where it stands can’t be moved."""


class HasRead(Exception):
    """Something was read of the connection: figures may stand on it, so it can be paused alone."""


class TokenNeeded(Exception):
    """The connection would lead elsewhere, and its token goes to no other address than the one it was given for."""


@transaction.atomic
def connect(*, service: str, label: str, secret: str, by: User | None, base_url: str = "") -> Connection:
    """Make a connection, test it and read everything for the first time."""
    connection = Connection(
        service=service,
        label=label,
        base_url=base_url,
        connected_by=by,
        mapped_with=registry.connector(service).map_version,
    )
    connection.save()
    seal(connection, secret)
    connection.save(update_fields=["secret", "secret_hint", "secret_print"])
    record(by=by, verb="connected", on=connection)
    if by is not None:
        test(connection=connection, by=by)
    start_run(connection, SyncRun.Reason.FIRST, slot="first", by=by)
    return connection


@transaction.atomic
def remove(*, connection: Connection, by: User) -> None:
    """Take away a connection that never read anything, and its token. Raises HasRead, or UnderWay while it is tried."""
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    if has_read(connection):
        raise HasRead
    if connection.runs.open().exists() or Check.objects.filter(connection=connection, state__in=OPEN_STATES).exists():
        raise UnderWay
    record(by=by, verb="deleted", on=connection)
    connection.delete()


def has_read(connection: Connection) -> bool:
    """Tell whether anything of it was ever stored."""
    return SourceRecord.objects.filter(connection=connection).exists()


@transaction.atomic
def edit(*, connection: Connection, label: str, base_url: str, secret: str, by: User) -> None:
    """Change what a connection is called, where it leads, and its token (empty: as it is). Nothing else is written.

    Raises TokenNeeded for another place without its own token.
    """
    stored = Connection.objects.get(pk=connection.pk)
    is_moved = place_of(stored, base_url) != place_of(stored, stored.base_url)
    if is_moved and not secret:
        raise TokenNeeded
    fields = ["label", "base_url", "updated_at"]
    if is_moved:
        begin_elsewhere(connection)
        connection.workspace_name = connection.workspace_url = ""
        fields += ["workspace_name", "workspace_url"]
    if secret:
        renew_secret(connection=connection, secret=secret, by=by)
    if is_moved or not secret:
        changes = {"address": (stored.base_url, base_url)} if is_moved else {}
        record(by=by, verb="edited", on=connection, changes=changes)
    if Connection.objects.select_for_update().get(pk=connection.pk).base_url != stored.base_url:
        raise TokenNeeded  # somebody else moved it meanwhile: another token is kept by now
    connection.label, connection.base_url = label, base_url
    connection.save(update_fields=fields)


def place_of(connection: Connection, base_url: str) -> tuple[str, str | None, int | None]:
    """Return the server that an address leads to; an empty one leads to the service's own."""
    try:
        return origin(base_url or registry.connector(connection.service).base_url)
    except registry.UnknownService:
        return origin(base_url)


def begin_elsewhere(connection: Connection) -> None:
    """Leave all behind that was read at another address: it belongs to another company, though ids may be the same.

    What was read leaves the figures at once; no mark, list or version of it bears on what is read at the new address.
    """
    now = timezone.now()
    leave_alone(connection)
    for run in connection.runs.open():
        run.streams.filter(state__in=OPEN_STATES).update(state=State.PAUSED, ended_at=now)
        SyncRun.objects.filter(pk=run.pk).update(state=State.PAUSED, ended_at=now)
    for left in (StreamState, RefusedRecord, DueStream):
        left.objects.filter(connection=connection).delete()
    store.leave_behind(connection, now)
    hooks.tell_rooms(connection)


@transaction.atomic
def renew_secret(*, connection: Connection, secret: str, by: User) -> None:
    """Put in a new token, test it, and fetch what was missed. A run under way goes on with it, and waits no longer."""
    for run in connection.runs.open():
        if run.job is not None:
            worker.hurry(run.job)
    test(connection=connection, by=by)
    seal(connection, secret)
    connection.auth = Connection.Auth.OK
    connection.pause_until, connection.pause_reason = None, ""
    connection.save(
        update_fields=["secret", "secret_hint", "secret_print", "auth", "pause_until", "pause_reason", "updated_at"]
    )
    record(by=by, verb="renewed_token", on=connection)
    start_run(connection, SyncRun.Reason.HAND, slot=f"token:{timezone.now():%Y%m%d%H%M%S%f}", by=by)


@transaction.atomic
def choose(*, connection: Connection, names: Sequence[str], by: User | None) -> bool:
    """Say by name what of a connection is read; return False where that was so already.

    What is named for the first time is read whole. What is no longer named leaves the figures at once; naming it again
    brings it back.
    """
    made = registry.choosing(connection.service)
    connection.refresh_from_db(fields=["chosen"])
    if made is None or named(connection) == list(names):
        return False
    leave_alone(connection)
    if connection.is_readable and by is not None:
        test(connection=connection, by=by)
    connection.refresh_from_db(fields=["chosen"], from_queryset=Connection.objects.select_for_update())
    held = {one["name"]: one for one in connection.chosen}
    now = timezone.now()
    asked_at = after_what_is_read(connection, now)
    connection.chosen = [held.get(name, {"name": name, "asked_at": asked_at.isoformat()}) for name in names]
    connection.save(update_fields=["chosen", "updated_at"])
    record(by=by, verb="chose", on=connection, changes={"chosen": (sorted(held), sorted(names))})
    if dropped := sorted(held.keys() - set(names)):
        begin_lists_anew(connection)
        store.drop(connection, {f"raw__{made.choice.kept_as}__in": dropped}, now)
        hooks.tell_rooms(connection)
    if connection.is_readable and names:
        start_run(connection, SyncRun.Reason.HAND, slot=f"choice:{now:%Y%m%d%H%M%S%f}", by=by)
    return True


def named(connection: Connection) -> list[str]:
    return [one["name"] for one in connection.chosen]


def after_what_is_read(connection: Connection, now: datetime) -> datetime:
    """Return a moment that no pass under way reads up to: what is asked for then is read whole by a later one.

    A pass may have left pages behind that would have held it, and the clock that set its end may be ahead of ours.
    """
    ends = StreamState.objects.filter(connection=connection).exclude(upper=None).values_list("upper", flat=True)
    return max([now, *(end for end in ends if end is not None)])


@transaction.atomic
def test(*, connection: Connection, by: User) -> Check:
    """Ask a worker to test the connection; the page polls for what it finds. A test under way begins anew.

    Before the connection's row is locked, as with `leave_off`.
    """
    from .tasks import check_connection

    worker.begin_anew(check_connection, connection_id=connection.pk, priority=20)
    check, _ = Check.objects.update_or_create(
        connection=connection,
        defaults={
            "state": State.QUEUED, "asked_by": by, "account": "", "workspace": "",
            "unavailable": {}, "failure": "", "detail": "",
        },
    )  # fmt: skip
    return check


@transaction.atomic
def run_now(*, connection: Connection, by: User | None, only: tuple[str, ...] = ()) -> SyncRun:
    """Start a run by hand. A run that is open already is returned as it is.

    Raises TooSoon within five minutes of the last run by hand, NotConnected when it can't work at all.
    """
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    if not connection.is_readable or not connection.reads_any_of(only or streams_of(connection)):
        raise NotConnected
    under_way = connection.runs.open().first()
    if under_way is not None:
        return under_way
    now = timezone.now()
    recent = connection.runs.filter(reason=SyncRun.Reason.HAND, ended_at__gt=now - COOL_DOWN)
    last = recent.exclude(state=State.PAUSED).order_by("-id").first()
    if last is not None and last.ended_at is not None and last.only == list(only) and not last.failure:
        raise TooSoon(last.ended_at + COOL_DOWN)
    made = start_run(connection, SyncRun.Reason.HAND, slot=f"hand:{now:%Y%m%d%H%M%S%f}", by=by, only=only)
    assert made is not None
    if by is not None:
        record(by=by, verb="asked_for_sync", on=connection)
    return made


def start_run(
    connection: Connection, reason: str, *, slot: str, by: User | None = None, only: tuple[str, ...] = ()
) -> SyncRun | None:
    """Write down a run and its job, in one transaction; None when the slot is taken or a run is open.

    Two clocks, or a clock and a person, may ask at once: the constraints let one of them through.
    """
    from .tasks import sync_connection

    try:
        with transaction.atomic():
            run = SyncRun.objects.create(
                connection=connection, reason=reason, slot=slot, requested_by=by, only=list(only)
            )
            job = sync_connection.enqueue(
                run_key=f"sync:{run.pk}", run_id=run.pk, priority=10 if reason == SyncRun.Reason.HAND else 0
            )
            run.job = job.pk
            run.save(update_fields=["job"])
            return run
    except IntegrityError:
        return None


def streams_of(connection: Connection) -> tuple[str, ...]:
    """Return the names of a connection's streams; none where this release has no connector for it."""
    try:
        return tuple(stream.name for stream in registry.connector(connection.service).streams)
    except registry.UnknownService:
        return ()


@transaction.atomic
def back_fill(*, connection: Connection, since: date, streams: tuple[str, ...], by: User) -> SyncRun:
    """Read again all that changed in the source since a day, in the streams named. What did not change is not written.

    A stream that was never read has no place to go back from: it is read whole anyway.
    Raises NotConnected where nothing can be read, UnderWay while a run is open.
    """
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    if not connection.is_readable or not connection.reads_any_of(streams):
        raise NotConnected
    now = timezone.now()
    midnight = schedule.slot_on(since, 0, ZoneInfo(settings.COMPANY_TIME_ZONE))
    run = start_run(
        connection, SyncRun.Reason.BACKFILL, slot=f"backfill:{since}:{now:%Y%m%d%H%M%S%f}", by=by, only=streams
    )
    if run is None:
        raise UnderWay
    held = StreamState.objects.filter(connection=connection, stream__in=streams, watermark__gt=midnight)
    held.update(watermark=midnight, page_token="")
    record(by=by, verb="back_filled", on=connection, why=f"{since} {', '.join(streams)}")
    return run


@transaction.atomic
def switch(*, connection: Connection, on: bool, by: User) -> None:
    """Pause a source or take it up again. Nothing that was read is touched; a run under way ends within a page."""
    if not on:
        leave_off(connection.runs.open())
    connection.is_active = on
    connection.save(update_fields=["is_active", "updated_at"])
    if on:
        go_on(connection, by=by)
    record(by=by, verb="resumed" if on else "paused", on=connection)


@transaction.atomic
def switch_stream(*, connection: Connection, stream: str, on: bool, by: User) -> None:
    """Pause one stream or take it up again. A run that is at it leaves it off within a page, and reads the others."""
    if not on:
        leave_off(connection.runs.open().filter(streams__stream=stream, streams__state=State.RUNNING))
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    paused = {*connection.paused_streams} - {stream} if on else {*connection.paused_streams, stream}
    connection.paused_streams = sorted(paused)
    connection.save(update_fields=["paused_streams", "updated_at"])
    if on:
        go_on(connection, by=by, stream=stream)
    else:
        waiting = StreamRun.objects.filter(run__connection=connection, run__state__in=OPEN_STATES, stream=stream)
        waiting.filter(state=State.QUEUED).delete()
    record(by=by, verb="resumed" if on else "paused", on=connection, why=stream)


def go_on(connection: Connection, *, by: User, stream: str = "") -> None:
    """Read again what the latest run left off because of a pause (or only one stream of it)."""
    last = connection.runs.order_by("-id").first()
    if last is None or last.state != State.PAUSED or not connection.is_readable:
        return
    left = last.streams.filter(state=State.PAUSED).values_list("stream", flat=True)
    only = tuple(name for name in left if stream in ("", name))
    if only and connection.reads_any_of(only):
        start_run(connection, SyncRun.Reason.HAND, slot=f"resumed:{last.pk}:{stream}", by=by, only=only)


def leave_off(runs: Iterable[SyncRun]) -> None:
    """Have the workers of these runs look again at what they are to read.

    Before a connection's row is locked: a worker, too, locks its job first.
    """
    for run in runs:
        if run.job is not None:
            worker.call_back(run.job)


def leave_alone(connection: Connection) -> None:
    """Have nobody write what is read of this connection, or mapped anew, until what comes next is committed.

    As with `leave_off`, before its row is locked; whoever was at it then looks again.
    """
    from .tasks import remap_connection

    leave_off(connection.runs.open())
    worker.call_back_all(remap_connection, connection_id=connection.pk)


def begin_lists_anew(connection: Connection, *streams: str) -> None:
    """Have half-read lists read from their first page: the next one may lie in what is no longer to be read.

    Whoever reads them has been told to leave off.
    """
    half_read = StreamState.objects.filter(connection=connection).exclude(page_token="")
    if streams:
        half_read = half_read.filter(stream__in=streams)
    half_read.update(
        page_token="", window_pages=0, empty_pages=0, window_seen=0, window_refused=0, token_prints=[]
    )  # as `reading.Pass.rewind`


@transaction.atomic
def confirm_sweep(*, connection: Connection, stream: str, by: User) -> SyncRun | None:
    """Accept that so many records are gone: the next full listing may mark them. Read it at once."""
    now = timezone.now()
    changed = (
        StreamState.objects.filter(connection=connection, stream=stream)
        .exclude(sweep_gone=0)
        .update(sweep_confirmed_by=by, sweep_confirmed_at=now)
    )
    if not changed:
        return None
    record(by=by, verb="confirmed_sweep", on=connection, why=stream)
    return start_run(
        connection, SyncRun.Reason.HAND, slot=f"confirm:{stream}:{now:%Y%m%d%H%M%S%f}", by=by, only=(stream,)
    )


@transaction.atomic
def retry_job(*, job: Job, connection: Connection, by: User) -> None:
    """Give failed work another try. A run that was closed meanwhile can't go on: there is another one.

    Nothing happens to what is no longer given up: somebody else asked first.
    """
    if not Job.objects.select_for_update().filter(pk=job.pk, state=Job.State.DEAD).exists():
        return
    closed = connection.runs.filter(job=job.pk).exclude(state__in=OPEN_STATES).first()
    if closed is None:
        worker.retry(job)
    else:
        start_run(connection, SyncRun.Reason.HAND, slot=f"again:{job.pk}", by=by, only=tuple(closed.only))
        job.delete()
    record(by=by, verb="retried", on=connection, why=job.kind)


@dataclass(frozen=True)
class Ticked:
    """What one tick started."""

    night: int = 0
    retries: int = 0
    remaps: int = 0
    announced: int = 0


def tick(now: datetime | None = None) -> Ticked:
    """Start whatever is due, as the database tells: tonight's run, a missed one, another try, a new mapping, news.

    Safe to call at any time, from any number of places: each slot exists once.
    """
    from .tasks import remap_connection

    now = now or timezone.now()
    close_orphans()
    zone = ZoneInfo(settings.COMPANY_TIME_ZONE)
    day, moment = schedule.latest_slot(now, settings.SYNC_HOUR, zone)
    marked = marks.waiting()
    night = retries = remaps = announced = 0
    for connection in Connection.objects.filter(is_active=True, auth=Connection.Auth.OK).order_by("pk"):
        try:
            service = registry.connector(connection.service)
        except registry.UnknownService:
            continue
        if not connection.reads_any_of(stream.name for stream in service.streams):
            continue
        if connection.mapped_with < service.map_version:
            remap_connection.enqueue(
                run_key=f"remap:{connection.pk}:{service.map_version}", connection_id=connection.pk
            )
            remaps += 1
        if connection.runs.filter(state__in=OPEN_STATES).exists():
            continue
        last = connection.runs.order_by("-id").first()
        if connection.created_at <= moment and not connection.runs.filter(slot=f"night:{day}").exists():
            marks.make_sweeps_due(connection)
            night += start_run(connection, SyncRun.Reason.NIGHT, slot=f"night:{day}") is not None
        elif last is not None and is_retry_due(last, now):
            retries += start_run(connection, SyncRun.Reason.RETRY, slot=f"retry:{last.pk}") is not None
        elif connection.pk in marked and (only := marks.due(connection, service, now)):
            slot = f"webhook:{now:%Y%m%d%H%M}"
            announced += start_run(connection, SyncRun.Reason.WEBHOOK, slot=slot, only=only) is not None
    return Ticked(night, retries, remaps, announced)


def is_retry_due(last: SyncRun, now: datetime) -> bool:
    """Tell whether a failed run is to be tried again by itself: where that can help, ever more rarely."""
    if last.ended_at is None or not last.failure or not explain(last.failure).is_retried:
        return False
    failures = max((state.consecutive_failures for state in last.connection.streams.all() if state.failure), default=1)
    return now >= last.ended_at + schedule.retry_after_failures(failures)


def close_orphans() -> None:
    """End runs whose job was given up, so that the next can start."""
    for run in SyncRun.objects.open().exclude(job=None):
        job = Job.objects.filter(pk=run.job).first() if run.job else None
        if job is None or job.state in (Job.State.DEAD, Job.State.DONE):
            now = timezone.now()
            is_open = SyncRun.objects.filter(pk=run.pk, state__in=OPEN_STATES)
            if not is_open.update(state=State.FAILED, ended_at=now, failure="bug"):
                continue  # it ended by itself meanwhile
            detail = job.error if job else ""
            run.streams.filter(state__in=OPEN_STATES).update(
                state=State.FAILED, ended_at=now, failure="bug", detail=detail
            )
            StreamState.objects.filter(connection=run.connection, run=run).update(
                failure="bug",
                failure_detail=detail[:1000],
                failing_since=Coalesce("failing_since", now),
                consecutive_failures=F("consecutive_failures") + 1,
            )
