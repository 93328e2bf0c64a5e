"""What the sync pages, and the shell around every page, want to know."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, FilteredRelation, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hub.jobs.models import Job

from . import registry, schedule
from .base import Connector, FailureClass, Stream
from .failures import Explained, explain
from .models import (
    OPEN_STATES,
    Check,
    Connection,
    DailySnapshot,
    PersonAccount,
    RefusedRecord,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
from .sync import in_order, masked

STALE_AFTER = timedelta(days=2)  # two periods without a good run


class Freshness(NamedTuple):
    """How fresh the hub's data is: the latest good read, and how many of its sources are fresh."""

    as_of: datetime | None
    fresh: int
    total: int


class Standing(NamedTuple):
    """How the sources stand, as the shell around every page tells it."""

    freshness: Freshness
    failing: int  # connections that need somebody's attention
    unmatched: int  # accounts that belong to nobody we know


def standing(now: datetime | None = None, *, counts_unmatched: bool = False) -> Standing:
    """Tell how the sources stand, by what is stored and not by what the clock says it did. One query.

    Accounts are counted only where asked for: once for all connections, without a join to them.
    """
    now = now or timezone.now()
    loose = PersonAccount.objects.filter(deleted_at=None, is_active=True, match=PersonAccount.Match.UNMATCHED)
    by_connection = loose.order_by().values("connection").annotate(count=Count("pk"))
    waiting = ArraySubquery(by_connection.values(row=JSONObject(connection="connection", count="count")))
    rows = Connection.objects.filter(is_active=True).annotate(
        oldest=Min("streams__last_success_at"),
        latest=Max("streams__last_success_at"),
        count=Count("streams"),
        never=Count("streams", filter=Q(streams__last_success_at=None)),
        good=Count("streams", filter=Q(streams__failure__in=("", FailureClass.STREAM_UNAVAILABLE))),
    )
    known = ["pk", "auth", "oldest", "latest", "count", "never", "good"]
    if counts_unmatched:
        rows, known = rows.annotate(waiting=waiting), [*known, "waiting"]
    as_of, total, fresh, failing, unmatched = None, 0, 0, 0, 0
    for pk, auth, oldest, latest, count, never, good, *waits in rows.order_by().values_list(*known):
        total += 1
        if latest is not None and (as_of is None or latest > as_of):
            as_of = latest
        fresh += oldest is not None and not never and now - oldest <= STALE_AFTER
        failing += auth != Connection.Auth.OK or good < count  # what the plan leaves out is no failure
        unmatched += sum(row["count"] for rows_waiting in waits for row in rows_waiting if row["connection"] == pk)
    return Standing(Freshness(as_of, fresh, total), failing, unmatched)


def freshness(now: datetime | None = None) -> Freshness:
    """Tell how fresh the sources are. One query."""
    return standing(now).freshness


def snapshot_on(connection: Connection, stream: str, day: date) -> dict[str, dict[str, Any]]:
    """Return what the kept values of each record were on a day: external id → values."""
    rows = (
        DailySnapshot.objects.filter(connection=connection, stream=stream, day__lte=day)
        .order_by("external_id", "-day")
        .distinct("external_id")
    )
    return dict(rows.values_list("external_id", "values"))


@dataclass(frozen=True)
class Said:
    """A state as a badge: tone and words."""

    tone: str
    text: str | Promise


@dataclass(frozen=True)
class StreamRow:
    """One stream of a connection, as the page shows it."""

    stream: Stream
    said: Said
    last_good: datetime | None
    is_stale: bool
    changed: str
    refused: int
    next_run: datetime | None
    next_text: str
    failure: str
    sweep_gone: int
    sweep_alive: int


@dataclass(frozen=True)
class Note:
    """What went wrong, what was kept, what to do."""

    tone: str
    title: str | Promise
    sentence: str
    action: str | Promise
    act: str
    stream: str = ""
    sweep: str = ""


@dataclass(frozen=True)
class Source:
    """One connection with its streams."""

    connection: Connection
    service: str
    said: Said
    rows: tuple[StreamRow, ...]
    run: SyncRun | None  # the one under way
    seen: int
    expected: int
    note: Note | None
    dead: tuple[Job, ...]
    check: Check | None

    @property
    def is_running(self) -> bool:
        return self.run is not None

    @property
    def is_moving(self) -> bool:
        """True while the page is worth asking for again."""
        checking = self.check is not None and self.check.state in OPEN_STATES
        return checking or self.run is not None

    @property
    def may_run(self) -> bool:
        return self.connection.is_active and self.connection.auth == Connection.Auth.OK and self.run is None

    @property
    def fresh_count(self) -> int:
        return sum(not row.is_stale for row in self.rows)


def next_night(now: datetime | None = None) -> datetime:
    """Return when the next night's sync is due."""
    return schedule.next_slot(now or timezone.now(), settings.SYNC_HOUR, ZoneInfo(settings.COMPANY_TIME_ZONE))


def sources(pk: int | None = None) -> list[Source]:
    """Return every connection with how it is doing (or only one), those that need somebody first."""
    now = timezone.now()
    is_open = FilteredRelation("runs", condition=Q(runs__state__in=OPEN_STATES))  # one at most
    found = (
        Connection.objects.annotate(open_run=is_open)
        .select_related("connected_by", "check_result", "open_run")  # type: ignore[misc]  # the filtered relation above
        .order_by("label", "pk")
    )
    if pk is not None:
        found = found.filter(pk=pk)
    connections = list(found)
    keys = [one.pk for one in connections]
    states: dict[int, dict[str, StreamState]] = defaultdict(dict)
    refused: dict[int, dict[str, int]] = defaultdict(dict)
    set_aside = (
        RefusedRecord.objects.filter(connection=OuterRef("connection"), stream=OuterRef("stream"))
        .values("stream")
        .annotate(n=Count("pk"))
        .values("n")
    )
    for state in StreamState.objects.filter(connection__in=keys).annotate(refused=Subquery(set_aside)):
        states[state.connection_id][state.stream] = state
        refused[state.connection_id][state.stream] = state.refused or 0
    latest: dict[int, dict[str, StreamRun]] = defaultdict(dict)
    runs = StreamRun.objects.filter(run__connection__in=keys).annotate(owner=F("run__connection_id"))
    for made in runs.order_by("run__connection_id", "stream", "-run_id").distinct("run__connection_id", "stream"):
        latest[made.owner][made.stream] = made
    dead: dict[int, list[Job]] = defaultdict(list)
    for job in dead_jobs():
        owner = job_owner(job)
        if owner is not None:
            dead[owner].append(job)
    made_all = [
        Reading(
            one, states[one.pk], latest[one.pk], getattr(one, "open_run", None), refused[one.pk], dead[one.pk], now
        ).source()
        for one in connections
    ]
    return sorted(made_all, key=lambda one: {"bad": 0, "info": 1, "warn": 2}.get(one.said.tone, 3))


def grouped(number: int) -> str:
    """Write a count with its thousands apart, as the reader's language does."""
    return number_format(number, force_grouping=True)


def dead_jobs() -> list[Job]:
    """Return the wires' failed jobs, latest first."""
    rows = Job.objects.filter(state=Job.State.DEAD, kind__startswith="connectors.").order_by("-finished_at")
    return list(rows[:100])


def job_owner(job: Job) -> int | None:
    """Return the connection that a job belongs to."""
    if "connection_id" in job.payload:
        return int(job.payload["connection_id"])
    if "run_id" in job.payload:
        return SyncRun.objects.filter(pk=job.payload["run_id"]).values_list("connection_id", flat=True).first()
    return None


@dataclass(frozen=True)
class Reading:
    """Turns the rows of one connection into words."""

    connection: Connection
    states: dict[str, StreamState]
    latest: dict[str, StreamRun]
    run: SyncRun | None
    refused: dict[str, int]
    dead: list[Job]
    now: datetime

    def source(self) -> Source:
        service = self.service()
        rows = tuple(self.row(stream) for stream in (in_order(service.streams) if service else ()))
        note = self.note(service, rows)
        seen, expected = self.progress()
        return Source(
            connection=self.connection,
            service=service.name if service else self.connection.service,
            said=self.said(rows, note),
            rows=rows,
            run=self.run,
            seen=seen,
            expected=expected,
            note=note,
            dead=tuple(self.dead),
            check=getattr(self.connection, "check_result", None),
        )

    def service(self) -> Connector | None:
        try:
            return registry.connector(self.connection.service)
        except registry.UnknownService:
            return None

    def said(self, rows: tuple[StreamRow, ...], note: Note | None) -> Said:  # noqa: PLR0911 — one line a state
        if not self.connection.is_active:
            return Said("neutral", pgettext("sync", "Off"))
        if self.connection.auth != Connection.Auth.OK:
            return Said("bad", _("Needs a new token"))
        if self.run is not None and self.is_waiting:
            return Said("warn", _("Waits"))
        if self.run is not None:
            return Said("info", State.RUNNING.label if self.run.state == State.RUNNING else State.QUEUED.label)
        if note is not None:
            return Said(note.tone, note.title)
        if any(row.last_good is None for row in rows):
            return Said("none", _("Never read"))
        if any(row.is_stale for row in rows):
            return Said("bad", _("Out of date"))
        if any(row.refused for row in rows):
            return Said("warn", State.PARTLY.label)
        return Said("ok", State.DONE.label)

    @property
    def is_waiting(self) -> bool:
        return self.connection.pause_until is not None and self.connection.pause_until > self.now

    def row(self, stream: Stream) -> StreamRow:
        state = self.states.get(stream.name)
        last = self.latest.get(stream.name)
        in_run = last if self.run is not None and last is not None and last.run_id == self.run.pk else None
        good = state.last_success_at if state else None
        is_stale = good is None or self.now - good > stream.period * 2
        return StreamRow(
            stream=stream,
            said=self.stream_said(state, in_run, is_stale, self.refused.get(stream.name, 0)),
            last_good=good,
            is_stale=is_stale,
            changed=self.changed(state, last, in_run),
            refused=self.refused.get(stream.name, 0),
            next_run=self.next_run(),
            next_text=self.next_text(),
            failure=state.failure if state else "",
            sweep_gone=state.sweep_gone if state else 0,
            sweep_alive=state.sweep_alive if state else 0,
        )

    def stream_said(self, state: StreamState | None, in_run: StreamRun | None, is_stale: bool, refused: int) -> Said:
        if in_run is not None and in_run.state in OPEN_STATES:
            tone = "info" if in_run.state == State.RUNNING else "neutral"
            return Said(tone, State(in_run.state).label)
        if state is not None and state.failure:
            return Said("bad", explain(state.failure).title)
        if state is None or state.last_success_at is None:
            return Said("none", _("Never read"))
        if is_stale:
            return Said("warn", _("Out of date"))
        if refused:
            text = ngettext("%(count)s set aside", "%(count)s set aside", refused) % {"count": refused}
            return Said("warn", text)
        return Said("ok", State.DONE.label)

    def changed(self, state: StreamState | None, last: StreamRun | None, in_run: StreamRun | None) -> str:
        """Say in words what the latest run brought."""
        if in_run is not None and in_run.state == State.RUNNING:
            return ngettext("%(count)s read so far", "%(count)s read so far", in_run.seen) % {
                "count": grouped(in_run.seen)
            }
        kept = state.kept if state else 0
        if state is not None and state.failure:
            return _("Nothing since; %(count)s kept") % {"count": grouped(kept)}
        if last is None or state is None or state.last_success_at is None:
            return ""
        parts = []
        if last.new:
            parts.append(ngettext("%(count)s new", "%(count)s new", last.new) % {"count": grouped(last.new)})
        if last.changed:
            parts.append(
                ngettext("%(count)s changed", "%(count)s changed", last.changed) % {"count": grouped(last.changed)}
            )
        if last.gone:
            parts.append(ngettext("%(count)s gone", "%(count)s gone", last.gone) % {"count": grouped(last.gone)})
        if not parts:
            parts.append(_("nothing new"))
        in_all = ngettext("%(count)s in all", "%(count)s in all", kept) % {"count": grouped(kept)}
        return _("%(changes)s; %(in_all)s") % {"changes": ", ".join(parts), "in_all": in_all}

    def next_run(self) -> datetime | None:
        if not self.connection.is_active or self.connection.auth != Connection.Auth.OK:
            return None
        if self.run is not None:
            return self.connection.pause_until if self.is_waiting else None
        last = max(self.latest.values(), key=lambda one: one.run_id, default=None)
        failures = max((one.consecutive_failures for one in self.states.values() if one.failure), default=0)
        retried = any(one.failure and explain(one.failure).is_retried for one in self.states.values())
        if failures and retried and last is not None and last.ended_at is not None:
            return min(last.ended_at + schedule.retry_after_failures(failures), next_night(self.now))
        return next_night(self.now)

    def next_text(self) -> str:
        if not self.connection.is_active:
            return _("When it is on again")
        if self.connection.auth != Connection.Auth.OK:
            return _("After the token")
        return "" if self.run is None or self.is_waiting else _("Now")

    def note(self, service: Connector | None, rows: tuple[StreamRow, ...]) -> Note | None:
        name = service.name if service else self.connection.service
        if service is None:
            return Note("bad", _("Unknown service"), _("This release of the hub has no connector for it."), "", "")
        if not self.connection.is_active:
            return None
        if self.is_waiting:
            told = explain(self.connection.pause_reason)
            return Note("warn", told.title, str(told.sentence) % {"service": name}, told.action, told.act)
        if self.connection.auth != Connection.Auth.OK:
            return self.note_of(explain("auth_invalid"), name, "bad")
        failed = [row for row in rows if row.failure]
        if not failed or self.run is not None:
            return None
        worst = next((row for row in failed if not explain(row.failure).is_retried), failed[0])
        sweep = ""
        if worst.sweep_gone:
            sweep = _("%(gone)s of %(alive)s are no longer listed.") % {
                "gone": worst.sweep_gone,
                "alive": worst.sweep_alive,
            }
        told = explain(worst.failure)
        return Note(
            "warn" if told.is_retried else "bad",
            told.title,
            str(told.sentence) % {"service": name},
            str(told.action) % {"service": name},
            told.act,
            worst.stream.name,
            sweep,
        )

    def note_of(self, told: Explained, name: str, tone: str) -> Note:
        return Note(tone, told.title, str(told.sentence) % {"service": name}, told.action, told.act)

    def progress(self) -> tuple[int, int]:
        """Return how many records this run has read, and how many it will at a guess (0: no idea)."""
        if self.run is None:
            return 0, 0
        mine = [made for made in self.latest.values() if made.run_id == self.run.pk]
        seen = sum(made.seen for made in mine)
        if self.run.reason == SyncRun.Reason.FIRST:
            return seen, 0
        done = sum(made.seen for made in mine if made.state not in OPEN_STATES)
        waiting = [made.stream for made in mine if made.state in OPEN_STATES and made.stream in self.states]
        rest = sum(self.states[name].kept for name in waiting)
        expected = done + rest
        return seen, expected if expected >= seen else 0


@dataclass(frozen=True)
class ShownRefused:
    """A refused record, with what is personal put out of sight."""

    record: RefusedRecord
    shown: Any


def refused_records(connection: Connection, *, limit: int = 50) -> list[ShownRefused]:
    """Return the latest records that were set aside."""
    try:
        service = registry.connector(connection.service)
    except registry.UnknownService:
        return []
    personal = {stream.name: stream.personal for stream in service.streams}
    rows = RefusedRecord.objects.filter(connection=connection).order_by("-last_at", "pk")[:limit]
    return [ShownRefused(row, masked(row.raw, personal.get(row.stream, ()))) for row in rows]


def requests_last_day(connection: Connection) -> int:
    """Return how many requests the last day took."""
    since = timezone.now() - timedelta(days=1)
    total = connection.runs.filter(created_at__gt=since).aggregate(n=Sum("requests"))["n"]
    return int(total or 0)
