"""Running a sync: page after page, each in one transaction, so that it can die anywhere and be gone on with.

Fetching happens at least once; effects are idempotent. `sync` decides, `store` writes, `transport` speaks.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from hub.jobs.dispatch import LAST_WORDS
from hub.jobs.models import Job
from hub.jobs.work import TryLater

from . import hooks, store, sync
from .base import Connector, FailureClass, Json, Mode, Page, Request, Slice, SourceFailed, Stream, field_at
from .budget import MustWait, Pace
from .models import (
    COUNTERS,
    Connection,
    RefusedRecord,
    SchemaObservation,
    SeenPage,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
from .records import Record
from .secrets import SecretUnreadable, open_secret
from .sync import Fetched, Refused
from .transport import Transport, is_sandbox

log = structlog.get_logger()

TASK_SECONDS = 200.0  # then the job is queued again and another worker may go on
RESTARTS = 3  # of one window, when its page token is refused
FOLLOW_UPS = 500  # per record
NOTICES = 20
STOPS_ALL = (FailureClass.AUTH_INVALID, FailureClass.SOURCE_DOWN, FailureClass.SOURCE_SLOW)


class MayWrite(Protocol):
    """What a lease offers; see `hub.jobs.work.Lease`."""

    def confirm(self) -> None: ...


class NobodyElse:
    """Stands in for a lease where nobody else can be at work: commands and tests."""

    job_id = None

    def confirm(self) -> None:
        return


@dataclass(frozen=True)
class Fresh:
    """A page as fetched, its records judged and mapped."""

    page: Page
    good: list[Fetched]
    refused: list[Refused]
    mapped: list[tuple[Fetched, list[Record]]]
    unmappable: list[Refused]


@dataclass
class Pass:
    """One stream being read for one run."""

    engine: "Engine"
    stream: Stream
    state: StreamState
    stream_run: StreamRun
    known_paths: dict[str, set[str]] = field(default_factory=dict)
    has_refused: bool = True  # False: no record of this stream is set aside, so none needs taking back

    @property
    def part(self) -> Slice:
        """The slice being read."""
        if self.state.is_sweeping:
            return Slice(sweep=True)
        if self.stream.mode == Mode.FULL:
            return Slice()
        return Slice(self.state.window_start, self.state.window_end)

    @property
    def lists_everything(self) -> bool:
        return self.state.is_sweeping or self.stream.mode == Mode.FULL


@dataclass
class Engine:
    """Does one run of one connection."""

    run: SyncRun
    connector: Connector
    lease: MayWrite = field(default_factory=NobodyElse)
    clock: Callable[[], datetime] = timezone.now
    task_seconds: float = TASK_SECONDS
    ahead: bool = True  # fetch the next page while this one is written
    transport: Transport = field(init=False)
    counted: tuple[int, int, float] = (0, 0, 0.0)  # what of the transport's counts is written down already

    @property
    def connection(self) -> Connection:
        return self.run.connection

    def go(self) -> None:
        """Read every stream that is not done yet. Raises TryLater to be called again; ends the run otherwise."""
        self.deadline = monotonic() + self.task_seconds
        if not self.start():
            return
        try:
            secret = open_secret(self.connection)
            base_url = self.connection.base_url or self.connector.base_url
            budgets = () if is_sandbox(base_url) else self.connector.budgets
            pace = Pace(self.connection.secret_print, budgets)
            self.transport = Transport(self.connector, base_url, secret, pace)
        except (SecretUnreadable, SourceFailed) as error:
            kind = error.kind if isinstance(error, SourceFailed) else FailureClass.AUTH_INVALID
            self.fail_all(SourceFailed(kind, str(error)))
            return
        try:
            self.read_all()
        except MustWait as wait:
            self.wait_until(wait)
        finally:
            self.transport.close()
        self.finish()

    def start(self) -> bool:
        """Open the run; False when there is nothing to do any more."""
        now = self.clock()
        with transaction.atomic():
            self.lease.confirm()
            run = SyncRun.objects.select_for_update(of=("self",)).select_related("connection").get(pk=self.run.pk)
            self.run = run
            if not run.is_open:
                return False
            connection = run.connection
            if connection.pause_until and connection.pause_until > now:
                raise TryLater(connection.pause_reason or "paused", after=connection.pause_until - now)
            if run.state == State.QUEUED:
                run.state, run.started_at = State.RUNNING, now
            elif Job.objects.filter(pk__in=[getattr(self.lease, "job_id", None)], error=LAST_WORDS).exists():
                run.resumed += 1
            run.save(update_fields=["state", "started_at", "resumed"])
            for stream in self.streams:
                StreamState.objects.get_or_create(connection=connection, stream=stream.name)
                StreamRun.objects.get_or_create(run=run, stream=stream.name)
        if not connection.is_active:
            self.leave_off()
            return False
        if connection.auth != Connection.Auth.OK:
            self.fail_all(SourceFailed(FailureClass.AUTH_INVALID, "the connection needs a new token"))
            return False
        return True

    def leave_off(self) -> None:
        """End the run of a source that was paused meanwhile: that is nobody's failure."""
        left = self.run.streams.filter(state__in=(State.QUEUED, State.RUNNING))
        left.update(state=State.SKIPPED, detail="paused", ended_at=self.clock())
        self.finish()

    @property
    def streams(self) -> list[Stream]:
        chosen = sync.in_order(self.connector.streams, self.run.only)
        return [stream for stream in chosen if stream.name not in self.connection.paused_streams]

    def read_all(self) -> None:
        runs = {made.stream: made for made in self.run.streams.all()}
        states = {made.stream: made for made in StreamState.objects.filter(connection=self.connection)}
        unread = {name for name, made in runs.items() if made.state in (State.FAILED, State.SKIPPED)}
        stopped_by: SourceFailed | None = None
        for stream in self.streams:
            stream_run = runs[stream.name]
            if stream_run.state not in (State.QUEUED, State.RUNNING):
                continue
            missing = [name for name in stream.needs if name in unread]
            if stopped_by is not None or missing:
                self.skip(stream_run, stopped_by, missing)
                unread.add(stream.name)
                continue
            reading = Pass(self, stream, states[stream.name], stream_run)
            try:
                self.read_stream(reading)
            except SourceFailed as failed:
                self.fail_stream(reading, failed)
                unread.add(stream.name)
                if failed.kind in STOPS_ALL:
                    stopped_by = failed

    # One stream

    def read_stream(self, reading: Pass) -> None:
        """Read a stream to its end: its windows, and the sweep where one is due."""
        self.begin(reading)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as ahead:
            try:
                while self.read_part(reading, ahead):
                    pass
            except SourceFailed:
                raise
            except BaseException:
                self.transport.close()  # what is under way ahead of us is of no use any more
                raise

    def begin(self, reading: Pass) -> None:
        """Start a pass, or go on with the one that this run, or an earlier one, left unfinished."""
        state, now = reading.state, self.clock()
        with transaction.atomic():
            self.lease.confirm()
            if reading.stream_run.state == State.QUEUED:
                reading.stream_run.state, reading.stream_run.started_at = State.RUNNING, now
                reading.stream_run.save(update_fields=["state", "started_at"])
            if state.run_id != self.run.pk:
                goes_on = reading.stream.mode == Mode.WINDOW and not state.is_sweeping and state.page_token
                state.run = self.run
                state.window_seen = state.window_refused = state.restarts = 0
                if not goes_on:
                    state.is_sweeping = False
                    state.upper = now
                    self.open_window(reading)
                state.save()
        known = SchemaObservation.objects.filter(connection=self.connection, stream=reading.stream.name)
        reading.known_paths = {path: set(types) for path, types in known.values_list("path", "types")}
        reading.has_refused = RefusedRecord.objects.filter(
            connection=self.connection, stream=reading.stream.name
        ).exists()

    def open_window(self, reading: Pass) -> None:
        """Set the state to the first page of what comes next."""
        state = reading.state
        if reading.lists_everything:
            SeenPage.objects.filter(state=state).delete()
            state.window_start = state.window_end = None
        else:
            assert state.upper is not None
            part = sync.next_window(state.watermark, state.upper, reading.stream.window)
            state.window_start, state.window_end = part.start, part.end
        self.rewind(state)

    def rewind(self, state: StreamState) -> None:
        state.page_token = ""
        state.window_pages = state.empty_pages = state.window_seen = state.window_refused = 0
        state.token_prints = []

    def read_part(self, reading: Pass, ahead: ThreadPoolExecutor) -> bool:
        """Read one slice to its end; True while there is another one."""
        state = reading.state
        coming: Future[Fresh] | None = None
        while True:
            token = state.page_token or None
            try:
                fresh = coming.result() if coming is not None else self.fetch(reading.stream, reading.part, token)
            except SourceFailed as failed:
                if failed.kind != FailureClass.QUERY_REJECTED or token is None or state.restarts >= RESTARTS:
                    raise
                self.restart(reading)
                coming = None
                continue
            coming, page = None, fresh.page
            is_late = monotonic() > self.deadline
            if page.next_token and self.ahead and not is_late and not self.is_too_long(reading, state.window_pages + 1):
                coming = ahead.submit(self.fetch, reading.stream, reading.part, page.next_token)
            has_more = self.apply(reading, fresh)
            if has_more is not None:
                return has_more
            if coming is not None and state.page_token != page.next_token:
                coming = None  # the window was halved meanwhile
            if is_late:
                raise TryLater("The sync goes on in a moment.", after=timedelta())

    def fetch(self, stream: Stream, part: Slice, token: str | None) -> "Fresh":
        """Fetch one page, with the follow-ups that complete its records; judge and map it. Touches no database."""
        request = self.connector.request(stream, part, token)
        payload = self.ask(request)
        page = self.connector.read(stream, part, {**payload, **request.echo} if request.echo else payload)
        for more in page.more:
            held, steps = more, 0
            while held is not None:
                steps += 1
                if steps > FOLLOW_UPS:
                    raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "a nested list that never ends")
                held = held.merge(self.ask(held.request))  # type: ignore[assignment]
        if page.next_link:
            page = replace(page, next_token=self.transport.own_path(page.next_link))
        if part.sweep and not stream.sweep_reads:
            return Fresh(page, [], [], [], [])
        good, refused = sync.judge(stream, page.records)
        return Fresh(page, good, refused, *store.map_records(self.connector, stream, good))

    def ask(self, request: Request) -> Json:
        return self.transport.fetch(request)

    def is_too_long(self, reading: Pass, pages: int) -> bool:
        """Tell whether a window of which `pages` pages were read, and which has more, is to be halved."""
        state = reading.state
        return (
            not reading.lists_everything
            and state.watermark is not None
            and pages >= sync.PAGES_PER_WINDOW + reading.stream.spare_pages
            and state.window_start is not None
            and state.window_end is not None
            and sync.may_halve(state.window_start, state.window_end)
        )

    def restart(self, reading: Pass) -> None:
        """The source no longer knows our page token: read the window again, shorter if it was a long one."""
        state = reading.state
        with transaction.atomic():
            self.lease.confirm()
            state.restarts += 1
            if not reading.lists_everything and state.window_pages > sync.PAGES_PER_WINDOW:
                self.halve(state)
            SeenPage.objects.filter(state=state).delete()
            self.rewind(state)
            self.note(reading, ["The page token was refused; the window is read again."])
            state.save()
            reading.stream_run.save(update_fields=["notices"])

    def halve(self, state: StreamState) -> None:
        assert state.window_start is not None and state.window_end is not None
        if sync.may_halve(state.window_start, state.window_end):
            state.window_end = sync.halved(state.window_start, state.window_end)

    # One page

    def apply(self, reading: Pass, fresh: "Fresh") -> bool | None:
        """Write a page and where we stand after it, in one transaction.

        None: this slice has another page. True: another slice follows. False: the stream is read to its end.
        """
        state, page = reading.state, fresh.page
        now = self.clock()
        failed: SourceFailed | None = None
        outcome: bool | None = None
        before = {name: getattr(state, name) for name in STATE_FIELDS}
        counted = {name: getattr(reading.stream_run, name) for name in (*COUNTERS, "notices")}
        try:
            with transaction.atomic():
                self.lease.confirm()
                if state.is_sweeping and not reading.stream.sweep_reads:
                    self.note_swept(reading, page)
                else:
                    self.write_page(reading, fresh, now)
                self.note(reading, page.notices)
                failed = self.step(reading, page)
                if failed is None and page.next_token is None:
                    failed, outcome = self.end_slice(reading, now)
                # What did not change is left as it is in the database: a person may have answered meanwhile
                changed = [name for name, value in before.items() if getattr(state, name) != value]
                state.save(update_fields=[*changed, "updated_at"])
                self.count_requests(reading.stream_run)
                reading.stream_run.save()
        except BaseException:
            for name, value in before.items():
                setattr(state, name, value)
            for name, value in counted.items():
                setattr(reading.stream_run, name, value)
            raise
        if failed is not None:
            raise failed
        return outcome

    def write_page(self, reading: Pass, fresh: "Fresh", now: datetime) -> None:
        """Compare the records with what is stored, write those that changed, set aside those that can't be used."""
        stream, state, counts = reading.stream, reading.state, reading.stream_run
        fetched, refused = fresh.good, list(fresh.refused)
        stored = store.stored_of(self.connection, stream, [item.external_id for item in fetched])
        changes = sync.plan_page(stored, fetched, map_version=self.connector.map_version)
        if stream.on_change is not None and changes.changed:
            held = store.raw_of(self.connection, stream, [item.external_id for item in changes.changed])
            for item in changes.changed:
                self.note(reading, list(stream.on_change(held[item.external_id], item.record)))
        to_write = {item.external_id for item in changes.to_write}
        mapped = [(item, records) for item, records in fresh.mapped if item.external_id in to_write]
        refused += [item for item in fresh.unmappable if item.external_id in to_write]
        try:
            with transaction.atomic():
                store.write_records(self.connection, self.connector, stream, mapped, stored=stored, now=now)
        except (DataError, IntegrityError, ValueError, OverflowError):
            refused += self.write_one_by_one(stream, mapped, stored, now)
        not_written = {item.external_id for item in refused}
        if refused:
            store.write_refused(self.connection, stream, refused, now)
            reading.has_refused = True
        listed = {item.external_id for item in fetched} | not_written
        if reading.has_refused:
            RefusedRecord.objects.filter(
                connection=self.connection, stream=stream.name, external_id__in=listed - not_written
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
        self.observe(reading, changes.to_write[:5], now)

    def write_one_by_one(
        self,
        stream: Stream,
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
                        self.connection, self.connector, stream, [(item, records)], stored=stored, now=now
                    )
            except (DataError, IntegrityError, ValueError, OverflowError) as error:
                reason = f"Can’t be stored: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
                refused.append(Refused(item.external_id, item.record, "", reason[:500]))
        return refused

    def note_swept(self, reading: Pass, page: Page) -> None:
        """Keep the ids of a page; ids that the hub doesn't hold although their time has passed call for a full read."""
        state, stream = reading.state, reading.stream
        versions: dict[str, datetime | None] = {}
        for record in page.records:
            key = field_at(record, stream.key_path)
            if isinstance(key, str | int) and key != "":
                versions[str(key)[:200]] = sync.version_of(stream, record)
        SeenPage.objects.update_or_create(state=state, page=state.window_pages, defaults={"ids": list(versions)})
        for key in store.unknown_to_us(self.connection, stream, list(versions)):
            version = versions[key]
            is_older = version is not None and state.watermark is not None and version < state.watermark
            refused_before = RefusedRecord.objects.filter(
                connection=self.connection, stream=stream.name, external_id=key
            ).exists()
            if is_older and not refused_before:
                state.needs_full_read = True
                return

    def step(self, reading: Pass, page: Page) -> SourceFailed | None:
        """Move to the next page; return what is wrong with the way the source pages."""
        state = reading.state
        state.window_pages += 1
        if page.next_token is None:
            return None
        state.empty_pages = 0 if page.records or page.ends_list else state.empty_pages + 1
        held = state.token_prints or [0, 1, 0]
        watch = sync.LoopWatch(*held).after(page.next_token)
        if page.next_token == state.page_token or watch is None:
            return self.misbehaves(state, "the same page token came again")
        if state.empty_pages >= sync.EMPTY_PAGES:
            return self.misbehaves(state, "empty pages that promise more")
        if state.window_pages >= sync.PAGES_PER_PASS:
            return self.misbehaves(state, "pages without end")
        state.token_prints = [watch.mark, watch.power, watch.steps]
        state.page_token = page.next_token
        if self.is_too_long(reading, state.window_pages):
            self.halve(state)
            self.rewind(state)
        return None

    def misbehaves(self, state: StreamState, detail: str) -> SourceFailed:
        self.rewind(state)
        state.run = None
        return SourceFailed(FailureClass.SOURCE_MISBEHAVES, detail)

    # The end of a slice

    def end_slice(self, reading: Pass, now: datetime) -> tuple[SourceFailed | None, bool | None]:
        """Move the watermark or sweep; say whether another slice follows."""
        state, stream = reading.state, reading.stream
        if sync.is_drifting(seen=state.window_seen, refused=state.window_refused):
            detail = f"{state.window_refused} of {state.window_seen} records refused"
            self.rewind(state)
            state.run = None
            return SourceFailed(FailureClass.SCHEMA_DRIFT, detail), None
        if reading.lists_everything:
            failed = self.end_sweep(reading, now)
            if failed is None:
                self.succeed(reading, now)
            return failed, False
        assert state.window_end is not None and state.upper is not None
        is_first = state.watermark is None
        state.watermark = sync.moved_watermark(state.window_end, state.upper, stream.overlap)
        state.restarts = 0
        if state.window_end < state.upper:
            start = state.window_end
            state.window_start = start
            state.window_end = min(start + stream.window, state.upper) if not is_first else state.upper
            self.rewind(state)
            return None, True
        if is_first:
            state.last_sweep_at = now  # everything was just read
        if stream.sweep_every and (state.last_sweep_at is None or now - state.last_sweep_at >= stream.sweep_every):
            state.is_sweeping = True
            self.open_window(reading)
            return None, True
        self.succeed(reading, now)
        return None, False

    def end_sweep(self, reading: Pass, now: datetime) -> SourceFailed | None:
        """Mark what was not listed as gone, unless that is more than is believable."""
        state, stream = reading.state, reading.stream
        alive, still_seen = store.sweep_numbers(self.connection, stream, state.pk)
        is_confirmed = state.sweep_confirmed_at is not None
        if not is_confirmed and not sync.is_sweep_plausible(alive=alive, still_seen=still_seen):
            state.sweep_alive, state.sweep_gone = alive, alive - still_seen
            state.run = None
            self.rewind(state)
            SeenPage.objects.filter(state=state).delete()
            detail = f"{alive - still_seen} of {alive} records are no longer listed"
            return SourceFailed(FailureClass.SWEEP_IMPLAUSIBLE, detail)
        reading.stream_run.gone += store.sweep(self.connection, stream, state.pk, now) if alive > still_seen else 0
        SeenPage.objects.filter(state=state).delete()
        state.sweep_alive = state.sweep_gone = 0
        state.sweep_confirmed_at = state.sweep_confirmed_by = None
        state.last_sweep_at = now
        if state.is_sweeping and state.needs_full_read:
            state.watermark = None
            state.needs_full_read = False
            self.note(reading, ["Records with old dates have appeared; the next run reads everything again."])
        state.is_sweeping = False
        return None

    def succeed(self, reading: Pass, now: datetime) -> None:
        """Write down that the stream is read to its end."""
        state, done = reading.state, reading.stream_run
        self.rewind(state)
        state.run = None
        state.restarts = 0
        state.upper = state.window_start = state.window_end = None
        state.last_success_at = now
        state.failure = state.failure_detail = ""
        state.failing_since = None
        state.consecutive_failures = 0
        state.kept = store.live_count(self.connection, reading.stream)
        done.state = State.PARTLY if done.refused else State.DONE
        done.ended_at = now

    def observe(self, reading: Pass, items: Sequence[Fetched], now: datetime) -> None:
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
                what = "A new field" if is_new else "Another type of value"
                self.note(reading, [f"{what}: {path} ({', '.join(sorted(kinds))})"])
        SchemaObservation.objects.bulk_create(
            [
                SchemaObservation(
                    connection=self.connection,
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

    def note(self, reading: Pass, notices: Sequence[str]) -> None:
        kept = list(reading.stream_run.notices)
        for notice in notices:
            if notice not in kept and len(kept) < NOTICES:
                kept.append(notice[:300])
        reading.stream_run.notices = kept

    def count_requests(self, stream_run: StreamRun) -> None:
        """Move what the transport counted since the last page to the stream's run."""
        now = (self.transport.requests, self.transport.points, self.transport.pace.waited)
        requests, points, waited = self.counted
        stream_run.pages += 1
        stream_run.requests += now[0] - requests
        stream_run.points += now[1] - points
        stream_run.waited_seconds += now[2] - waited
        self.counted = now

    # The end of a run

    def fail_stream(self, reading: Pass, failed: SourceFailed) -> None:
        """Write down why a stream stopped. What was stored stays, with its date."""
        now = self.clock()
        log.warning(
            "sync.stream_failed", connection=self.connection.pk, stream=reading.stream.name, why=failed.kind.value
        )
        with transaction.atomic():
            self.lease.confirm()
            state = StreamState.objects.select_for_update().get(pk=reading.state.pk)
            state.failure = failed.kind
            state.failure_detail = failed.detail[:1000]
            state.failing_since = state.failing_since or now
            state.consecutive_failures += 1
            state.save(update_fields=["failure", "failure_detail", "failing_since", "consecutive_failures"])
            stream_run = reading.stream_run
            stream_run.state = State.FAILED
            stream_run.failure, stream_run.detail = failed.kind, failed.detail[:1000]
            stream_run.ended_at = now
            stream_run.save()
            if failed.kind == FailureClass.AUTH_INVALID:
                Connection.objects.filter(pk=self.connection.pk).update(auth=Connection.Auth.NEEDS_REAUTH)

    def skip(self, stream_run: StreamRun, stopped_by: SourceFailed | None, missing: Sequence[str]) -> None:
        with transaction.atomic():
            self.lease.confirm()
            stream_run.state = State.SKIPPED
            stream_run.failure = stopped_by.kind if stopped_by else ""
            stream_run.detail = "" if stopped_by else f"needs {', '.join(missing)}"
            stream_run.ended_at = self.clock()
            stream_run.save()

    def fail_all(self, failed: SourceFailed) -> None:
        """End the run before anything was read."""
        states = {made.stream: made for made in StreamState.objects.filter(connection=self.connection)}
        for stream_run in self.run.streams.exclude(state__in=[State.DONE, State.PARTLY]):
            stream = next((s for s in self.connector.streams if s.name == stream_run.stream), None)
            if stream is not None:
                self.fail_stream(Pass(self, stream, states[stream.name], stream_run), failed)
        self.finish()

    def wait_until(self, wait: MustWait) -> None:
        """Put the run off: the pause is kept with the connection, and the job comes back after it."""
        now = self.clock()
        with transaction.atomic():
            self.lease.confirm()
            Connection.objects.filter(pk=self.connection.pk).update(pause_until=wait.until, pause_reason=wait.kind)
        raise TryLater(wait.kind, after=max(timedelta(seconds=1), wait.until - now))

    def finish(self) -> None:
        """End the run: add it up, tie accounts to people, and tell the rooms, all in one transaction."""
        now = self.clock()
        with transaction.atomic():
            self.lease.confirm()
            run = self.run
            made = list(run.streams.all())
            good = [one for one in made if one.state in (State.DONE, State.PARTLY)]
            bad = [one for one in made if one.state in (State.FAILED, State.SKIPPED)]
            is_whole = not bad and not any(one.refused for one in good)
            run.state = State.DONE if is_whole and good else State.PARTLY if good else State.FAILED
            run.failure = next((one.failure for one in bad if one.failure), "")
            run.ended_at = now
            totals = run.streams.aggregate(**{f"sum_{name}": Sum(name) for name in COUNTERS})
            for name in COUNTERS:
                setattr(run, name, totals[f"sum_{name}"] or 0)
            run.save()
            Connection.objects.filter(pk=self.connection.pk).exclude(pause_until=None).update(
                pause_until=None, pause_reason=""
            )
            if good:
                store.match_people(self.connection)
                store.match_teams(self.connection)
                hooks.tell_rooms(self.connection)
        log.info("sync.finished", connection=self.connection.pk, run=run.pk, state=run.state, changed=run.changed)


STATE_FIELDS = tuple(
    made.attname for made in StreamState._meta.concrete_fields if made.name not in ("id", "created_at", "updated_at")
)


@contextmanager
def opened(connection: Connection, connector: Connector) -> Iterator[Transport]:
    """Open a transport for a single question, such as *Test the connection*."""
    base_url = connection.base_url or connector.base_url
    budgets = () if is_sandbox(base_url) else connector.budgets
    made = Transport(connector, base_url, open_secret(connection), Pace(connection.secret_print, budgets))
    try:
        yield made
    finally:
        with suppress(OSError):
            made.close()
