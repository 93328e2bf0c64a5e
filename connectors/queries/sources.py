"""How each connection and each of its streams is doing, in words."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from connectors import registry, schedule
from connectors.base import Choosing, Connector, FailureClass, Mode, Stream
from connectors.failures import NEVER_LET_IN, Explained, explain
from connectors.models import (
    OPEN_STATES,
    Check,
    Connection,
    RefusedRecord,
    SourceMapping,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
from connectors.sync import in_order
from connectors.templatetags.moments import when
from hub.jobs.models import Job

from .jobs import given_up


@dataclass(frozen=True)
class Said:
    """A state as a badge: tone and words."""

    tone: str
    text: str | Promise


@dataclass(frozen=True)
class StreamRow:
    """One stream of a connection, as the page shows it."""

    stream: Stream
    state: StreamState | None  # where reading stands; None before the first run
    said: Said
    waits: str  # what it waits for and until when, or since when it fails
    last_good: datetime | None
    is_stale: bool
    is_paused: bool
    changed: str
    in_all: str
    refused: int
    next_run: datetime | None
    next_text: str
    failure: str
    note: "Note | None"  # why it failed and what to do
    sweep_gone: int
    sweep_alive: int

    @property
    def may_back_fill(self) -> bool:
        """True where the source can be asked what changed since a day; other streams are read whole each time."""
        return self.stream.mode == Mode.WINDOW and self.last_good is not None


@dataclass(frozen=True)
class Note:
    """What went wrong, what was kept, what to do."""

    tone: str
    title: str | Promise
    sentence: str
    action: str | Promise
    act: str
    stream: str = ""
    about: str = ""  # that stream's name
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
    tested: Note | None  # why the test failed

    @property
    def is_running(self) -> bool:
        return self.run is not None

    @property
    def is_moving(self) -> bool:
        """True while the page is worth asking for again."""
        checking = self.check is not None and self.check.state in OPEN_STATES
        return checking or self.run is not None

    @property
    def needs_somebody(self) -> bool:
        """True where nothing goes on, or something is missing, until a person acts."""
        return self.note is not None and self.note.tone == "bad"

    @property
    def may_run(self) -> bool:
        has_any = self.connection.reads_any_of(row.stream.name for row in self.rows)
        return self.connection.is_readable and self.run is None and has_any

    @property
    def may_back_fill(self) -> bool:
        return any(row.may_back_fill and not row.is_paused for row in self.rows)

    @property
    def is_mappable(self) -> bool:
        """True where an admin says which databases are read, and what they hold."""
        return self.connection.service in registry.mappable()

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
        Connection.wired()
        .annotate(open_run=is_open, is_mapped=Exists(SourceMapping.objects.filter(connection=OuterRef("pk"))))
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
    dead = given_up(connections)
    made_all = [
        Reading(
            one, states[one.pk], latest[one.pk], getattr(one, "open_run", None), refused[one.pk], dead[one.pk], now
        ).source()
        for one in connections
    ]
    return sorted(made_all, key=lambda one: {"bad": 0, "info": 1, "warn": 2}.get(one.said.tone, 3))


def unchosen(service: Connector) -> str:
    """Say what it means that nothing of a service is chosen yet."""
    if isinstance(service, Choosing):
        return _("It is not said yet what of %(service)s is read, so nothing of it is.") % {"service": service.name}
    return _("No database of %(service)s is mapped yet, so no page of it is read.") % {"service": service.name}


def grouped(number: int) -> str:
    """Write a count with its thousands apart, as the reader's language does."""
    return number_format(number, force_grouping=True)


def tone_of(failure: str) -> str:
    """Say how grave a failure is: what mends itself, or what the plan leaves out, needs nobody at eight o’clock."""
    if failure == FailureClass.STREAM_UNAVAILABLE:
        return "neutral"
    return "warn" if explain(failure).is_retried else "bad"


def brought(run: StreamRun) -> str:
    """Say in words what one reading of a stream brought: “340 read: 12 new, 3 changed”."""
    parts = []
    if run.new:
        parts.append(ngettext("%(count)s new", "%(count)s new", run.new) % {"count": grouped(run.new)})
    if run.changed:
        parts.append(ngettext("%(count)s changed", "%(count)s changed", run.changed) % {"count": grouped(run.changed)})
    if run.gone:
        parts.append(ngettext("%(count)s gone", "%(count)s gone", run.gone) % {"count": grouped(run.gone)})
    read = ngettext("%(count)s read", "%(count)s read", run.seen) % {"count": grouped(run.seen)}
    return _("%(read)s: %(changes)s") % {"read": read, "changes": ", ".join(parts) or _("nothing new")}


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
        if self.run is None:  # while one is under way, rows keep their places
            rows = tuple(sorted(rows, key=lambda row: {"bad": 0, "warn": 1}.get(row.said.tone, 2)))
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
            check=(check := getattr(self.connection, "check_result", None)),
            tested=self.note_of(self.why(check.failure, rows), "bad") if check and check.failure else None,
        )

    def service(self) -> Connector | None:
        try:
            return registry.connector(self.connection.service)
        except registry.UnknownService:
            return None

    def said(self, rows: tuple[StreamRow, ...], note: Note | None) -> Said:  # noqa: PLR0911 — one line a state
        if not self.connection.is_active:
            return self.pausing if self.run is not None else Said("neutral", pgettext("sync", "Paused"))
        if self.connection.auth != Connection.Auth.OK:
            return Said("bad", _("Needs a new token"))
        if self.run is not None and self.is_waiting:
            return Said("warn", _("Waits"))
        if self.run is not None:
            return Said("info", State.RUNNING.label if self.run.state == State.RUNNING else State.QUEUED.label)
        if note is not None:
            return Said(note.tone, note.title)
        read = [row for row in rows if not row.is_paused]
        if any(row.last_good is None for row in read):
            return Said("none", _("Never read"))
        if any(row.is_stale for row in read):
            return Said("bad", _("Out of date"))
        if any(row.refused for row in read):
            return Said("warn", State.PARTLY.label)
        if rows and not read:
            return Said("neutral", pgettext("sync", "Paused"))
        return Said("ok", State.DONE.label)

    @property
    def pausing(self) -> Said:
        """The state of what was paused while a worker is at it: it ends within a page."""
        return Said("info", _("Pausing…"))

    @property
    def has_choice(self) -> bool:
        """True where somebody said what of the service is read, by naming it or by mapping it."""
        return bool(self.connection.chosen) or getattr(self.connection, "is_mapped", False)

    @property
    def is_waiting(self) -> bool:
        return self.connection.pause_until is not None and self.connection.pause_until > self.now

    def is_about_to_read(self, stream: Stream) -> bool:
        """True where a run is queued that will read the stream; it names its streams when it begins."""
        run = self.run
        return run is not None and run.state == State.QUEUED and (not run.only or stream.name in run.only)

    def row(self, stream: Stream) -> StreamRow:
        state = self.states.get(stream.name)
        last = self.latest.get(stream.name)
        in_run = last if self.run is not None and last is not None and last.run_id == self.run.pk else None
        good = state.last_success_at if state else None
        is_stale = good is None or self.now - good > stream.period * 2
        is_paused = stream.name in self.connection.paused_streams
        refused = self.refused.get(stream.name, 0)
        kept = state.kept if state else 0
        is_read = in_run is not None and in_run.state in OPEN_STATES
        is_next = is_read or (in_run is None and self.is_about_to_read(stream))
        failure = state.failure if state and not is_paused else ""
        if is_paused and not is_read:
            said, waits = Said("neutral", pgettext("sync", "Paused")), ""
        else:
            said, waits = self.stream_said(state, last, in_run, is_stale, refused), self.waits(state, last, in_run)
            if is_read and (is_paused or not self.connection.is_active):
                said, waits = self.pausing, ""
            if stream.is_chosen and not self.has_choice and not is_read and not failure:
                said, waits = Said("warn", _("Waits for you")), _("nothing is chosen yet")
        return StreamRow(
            stream=stream,
            state=state,
            said=said,
            waits=waits,
            last_good=good,
            is_stale=is_stale,
            is_paused=is_paused,
            changed=self.changed(state, last, in_run),
            in_all=ngettext("%(count)s in all", "%(count)s in all", kept) % {"count": grouped(kept)} if good else "",
            refused=refused,
            next_run=None if is_paused else self.next_run(is_read=is_next),
            next_text=_("When it is resumed") if is_paused else self.next_text(is_read=is_next),
            failure=failure,
            note=self.note_of(explain(failure), tone_of(failure)) if failure else None,
            sweep_gone=state.sweep_gone if state else 0,
            sweep_alive=state.sweep_alive if state else 0,
        )

    def stream_said(  # noqa: PLR0911 — one line a state
        self, state: StreamState | None, last: StreamRun | None, in_run: StreamRun | None, is_stale: bool, refused: int
    ) -> Said:
        if in_run is not None and in_run.state in OPEN_STATES:
            if self.is_waiting and in_run.state == State.RUNNING:
                return Said("warn", _("Waits"))
            tone = "info" if in_run.state == State.RUNNING else "neutral"
            return Said(tone, State(in_run.state).label)
        if state is not None and state.failure:
            return Said(tone_of(state.failure), explain(state.failure).title)
        if last is not None and last.state == State.SKIPPED:
            return Said("warn", State.SKIPPED.label)
        if state is None or state.last_success_at is None:
            return Said("none", _("Never read"))
        if is_stale:
            return Said("warn", _("Out of date"))
        if refused:
            text = ngettext("%(count)s set aside", "%(count)s set aside", refused) % {"count": grouped(refused)}
            return Said("warn", text)
        return Said("ok", State.DONE.label)

    def waits(self, state: StreamState | None, last: StreamRun | None, in_run: StreamRun | None) -> str:
        """Say what this stream waits for and until when, or since when it fails; empty when all is well."""
        if in_run is not None and in_run.state in OPEN_STATES:
            if self.is_waiting:
                return _("until: %(moment)s") % {"moment": when(self.connection.pause_until)}
            return _("for its turn") if in_run.state == State.QUEUED else ""
        if state is not None and state.failure:
            return _("since: %(moment)s") % {"moment": when(state.failing_since)} if state.failing_since else ""
        if last is not None and last.state == State.SKIPPED:
            return self.why_skipped(last)
        return ""

    def why_skipped(self, last: StreamRun) -> str:
        """Say why a run left a stream out: the source failed as a whole, or a stream that comes first did."""
        if last.failure:
            return str(explain(last.failure).title)
        service = self.service()
        names = {stream.name: str(stream.label) for stream in service.streams} if service else {}
        needed = [names[name] for name in last.detail.removeprefix("needs ").split(", ") if name in names]
        return _("waits for: %(streams)s") % {"streams": ", ".join(needed)} if needed else ""

    def changed(self, state: StreamState | None, last: StreamRun | None, in_run: StreamRun | None) -> str:
        """Say in words what the latest run brought."""
        if in_run is not None and in_run.state == State.RUNNING:
            return ngettext("%(count)s read so far", "%(count)s read so far", in_run.seen) % {
                "count": grouped(in_run.seen)
            }
        if last is None or state is None or state.last_success_at is None:
            return ""
        if state.failure or last.state in (State.SKIPPED, State.QUEUED):
            return _("Nothing since")
        return brought(last)

    def next_run(self, *, is_read: bool) -> datetime | None:
        if not self.connection.is_active or self.connection.auth != Connection.Auth.OK:
            return None
        if is_read:
            return self.connection.pause_until if self.is_waiting else None
        return self.next_round

    @cached_property
    def next_round(self) -> datetime:
        """When the connection is read again by itself: at night, or sooner after a failure that mends itself."""
        last = max(self.latest.values(), key=lambda one: one.run_id, default=None)
        failures = max((one.consecutive_failures for one in self.states.values() if one.failure), default=0)
        retried = any(one.failure and explain(one.failure).is_retried for one in self.states.values())
        if failures and retried and last is not None and last.ended_at is not None:
            return min(last.ended_at + schedule.retry_after_failures(failures), next_night(self.now))
        return next_night(self.now)

    def next_text(self, *, is_read: bool) -> str:
        if not self.connection.is_active:
            return _("When it is resumed")
        if self.connection.auth != Connection.Auth.OK:
            return _("After a new token")
        return _("Now") if is_read and not self.is_waiting else ""

    def note(self, service: Connector | None, rows: tuple[StreamRow, ...]) -> Note | None:
        if service is None:
            return Note("bad", _("Unknown service"), _("This release of the hub has no connector for it."), "", "")
        if not self.connection.is_active:
            return None
        if self.is_waiting:
            return self.note_of(explain(self.connection.pause_reason), "warn")
        if self.connection.auth != Connection.Auth.OK:
            return self.note_of(self.why(FailureClass.AUTH_INVALID, rows), "bad")
        if self.run is not None:
            return None
        failed, choice = self.note_of_failure(rows), self.note_of_choice(service, rows)
        return choice if failed is not None and failed.tone == "neutral" and choice is not None else failed or choice

    def why(self, failure: str, rows: tuple[StreamRow, ...]) -> Explained:
        """Return the words for a failure; a token that never opened anything has no values to keep."""
        is_first = failure == FailureClass.AUTH_INVALID and all(row.last_good is None for row in rows)
        return NEVER_LET_IN if is_first else explain(failure)

    def note_of_failure(self, rows: tuple[StreamRow, ...]) -> Note | None:
        """Say what is wrong with the stream that most needs somebody."""
        failed = [row for row in rows if row.failure]
        if not failed:
            return None
        worst = next((row for row in failed if not explain(row.failure).is_retried), failed[0])
        sweep = ""
        if worst.sweep_gone:
            sweep = _("%(gone)s of %(alive)s are no longer listed.") % {
                "gone": grouped(worst.sweep_gone),
                "alive": grouped(worst.sweep_alive),
            }
        return self.note_of(explain(worst.failure), tone_of(worst.failure), worst.stream, sweep)

    def note_of_choice(self, service: Connector, rows: tuple[StreamRow, ...]) -> Note | None:
        """Say that nothing of it is chosen yet, where that is so: then all is well and nothing is read."""
        if self.has_choice or not any(row.stream.is_chosen and not row.is_paused for row in rows):
            return None
        if isinstance(service, Choosing):
            action, act = _("Say which: %(things)s.") % {"things": service.choice.label}, "choose"
        else:
            action, act = _("Say what its databases hold."), "map"
        return Note("warn", _("Waits for you"), unchosen(service), action, act)

    def note_of(self, told: Explained, tone: str, stream: Stream | None = None, sweep: str = "") -> Note:
        service = self.service()
        name = {"service": service.name if service else self.connection.service}
        sentence, action = str(told.sentence) % name, str(told.action) % name
        if stream is None:
            return Note(tone, told.title, sentence, action, told.act)
        return Note(tone, told.title, sentence, action, told.act, stream.name, capfirst(str(stream.label)), sweep)

    def progress(self) -> tuple[int, int]:
        """Return how many records this run has read, and how many it will at a guess (0: no idea)."""
        if self.run is None:
            return 0, 0
        mine = [made for made in self.latest.values() if made.run_id == self.run.pk]
        seen = sum(made.seen for made in mine)
        if self.run.reason in (SyncRun.Reason.FIRST, SyncRun.Reason.BACKFILL):
            return seen, 0
        done = sum(made.seen for made in mine if made.state not in OPEN_STATES)
        waiting = [made.stream for made in mine if made.state in OPEN_STATES and made.stream in self.states]
        rest = sum(self.states[name].kept for name in waiting)
        expected = done + rest
        return seen, expected if expected >= seen else 0
