"""Reading one stream: window after window, page after page, and the sweep where one is due.

Each page is one transaction with where we stand after it; the next one is fetched while it is written.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_noop

from hub.jobs.work import TryLater

from . import pages, store, sweeps, sync
from .base import FailureClass, Mode, Notice, Page, Slice, SourceFailed, Stream
from .models import COUNTERS, Connection, RefusedRecord, SchemaObservation, SeenPage, State, StreamRun, StreamState
from .pages import Fresh

if TYPE_CHECKING:
    from .engine import Engine

RESTARTS = 3  # of one window, when its page token is refused
FOLLOW_UPS = 500  # per record
NOTICES = 20
STATE_FIELDS = tuple(
    made.attname for made in StreamState._meta.concrete_fields if made.name not in ("id", "created_at", "updated_at")
)


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
    def connection(self) -> Connection:
        return self.engine.connection

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

    def read(self) -> None:
        """Read a stream to its end: its windows, and the sweep where one is due."""
        if not self.begin():
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as ahead:
            try:
                while self.read_part(ahead):
                    pass
            except SourceFailed:
                raise
            except BaseException:
                self.engine.transport.close()  # what is under way ahead of us is of no use any more
                raise

    def begin(self) -> bool:
        """Start a pass, or go on with the one that this run, or an earlier one, left unfinished.

        False where the stream was paused meanwhile.
        """
        now = self.engine.clock()
        with transaction.atomic():
            self.engine.lease.confirm()
            if self.stream_run.state == State.QUEUED:
                self.stream_run.state, self.stream_run.started_at = State.RUNNING, now
                waiting = StreamRun.objects.filter(pk=self.stream_run.pk, state=State.QUEUED)
                if not waiting.update(state=State.RUNNING, started_at=now):
                    return False
            # Streams before this one took their time: a person may have answered something meanwhile
            state = self.state = StreamState.objects.select_for_update().get(pk=self.state.pk)
            if state.run_id != self.engine.run.pk:
                goes_on = self.stream.mode == Mode.WINDOW and not state.is_sweeping and state.page_token
                state.run = self.engine.run
                state.window_seen = state.window_refused = state.restarts = 0
                if not goes_on:
                    state.is_sweeping = False
                    state.upper = now
                    self.open_window()
                state.save()
        known = SchemaObservation.objects.filter(connection=self.connection, stream=self.stream.name)
        self.known_paths = {path: set(types) for path, types in known.values_list("path", "types")}
        self.has_refused = RefusedRecord.objects.filter(connection=self.connection, stream=self.stream.name).exists()
        return True

    def open_window(self) -> None:
        """Set the state to the first page of what comes next."""
        state = self.state
        if self.lists_everything:
            SeenPage.objects.filter(state=state).delete()
            state.window_start = state.window_end = None
        else:
            assert state.upper is not None
            part = sync.next_window(state.watermark, state.upper, self.stream.window)
            state.window_start, state.window_end = part.start, part.end
        self.rewind()

    def rewind(self) -> None:
        self.state.page_token = ""
        self.state.window_pages = self.state.empty_pages = self.state.window_seen = self.state.window_refused = 0
        self.state.token_prints = []

    def read_part(self, ahead: ThreadPoolExecutor) -> bool:
        """Read one slice to its end; True while there is another one."""
        state = self.state
        coming: Future[Fresh] | None = None
        while True:
            token = state.page_token or None
            try:
                fresh = coming.result() if coming is not None else self.fetch(self.stream, self.part, token)
            except SourceFailed as failed:
                if failed.kind != FailureClass.QUERY_REJECTED or token is None or state.restarts >= RESTARTS:
                    raise
                self.restart()
                coming = None
                continue
            coming, page = None, fresh.page
            is_late = monotonic() > self.engine.deadline
            if page.next_token and self.engine.ahead and not is_late and not self.is_too_long(state.window_pages + 1):
                coming = ahead.submit(self.fetch, self.stream, self.part, page.next_token)
            has_more = self.apply(fresh)
            if has_more is not None:
                return has_more
            if coming is not None and state.page_token != page.next_token:
                coming = None  # the window was halved meanwhile
            if is_late:
                raise TryLater("The sync goes on in a moment.", after=timedelta())

    def fetch(self, stream: Stream, part: Slice, token: str | None) -> Fresh:
        """Fetch one page, with the follow-ups that complete its records; judge and map it. Touches no database."""
        request = self.engine.connector.request(stream, part, token)
        payload = self.engine.transport.fetch(request)
        page = self.engine.connector.read(stream, part, {**payload, **request.echo} if request.echo else payload)
        for more in page.more:
            held, steps = more, 0
            while held is not None:
                steps += 1
                if steps > FOLLOW_UPS:
                    raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "a nested list that never ends")
                held = held.merge(self.engine.transport.fetch(held.request))  # type: ignore[assignment]
        if page.next_link:
            page = replace(page, next_token=self.engine.transport.own_path(page.next_link))
        if part.sweep and not stream.sweep_reads:
            return Fresh(page, [], [], [], [])
        good, refused = sync.judge(stream, page.records)
        return Fresh(page, good, refused, *store.map_records(self.engine.connector, stream, good))

    def is_too_long(self, read: int) -> bool:
        """Tell whether a window of which `read` pages were read, and which has more, is to be halved."""
        state = self.state
        return (
            not self.lists_everything
            and state.watermark is not None
            and read >= sync.PAGES_PER_WINDOW + self.stream.spare_pages
            and state.window_start is not None
            and state.window_end is not None
            and sync.may_halve(state.window_start, state.window_end)
        )

    def restart(self) -> None:
        """The source no longer knows our page token: read the window again, shorter if it was a long one."""
        state = self.state
        before = {name: getattr(state, name) for name in STATE_FIELDS}
        with transaction.atomic():
            self.engine.lease.confirm()
            state.restarts += 1
            if not self.lists_everything and state.window_pages > sync.PAGES_PER_WINDOW:
                self.halve()
            SeenPage.objects.filter(state=state).delete()
            self.rewind()
            self.note([Notice(gettext_noop("The page token was refused; the window is read again."))])
            self.keep_changed(before)
            self.stream_run.save(update_fields=["notices"])

    def halve(self) -> None:
        assert self.state.window_start is not None and self.state.window_end is not None
        if sync.may_halve(self.state.window_start, self.state.window_end):
            self.state.window_end = sync.halved(self.state.window_start, self.state.window_end)

    # One page

    def apply(self, fresh: Fresh) -> bool | None:
        """Write a page and where we stand after it, in one transaction.

        None: this slice has another page. True: another slice follows. False: the stream is read to its end.
        """
        state, page = self.state, fresh.page
        now = self.engine.clock()
        failed: SourceFailed | None = None
        outcome: bool | None = None
        before = {name: getattr(state, name) for name in STATE_FIELDS}
        counted = {name: getattr(self.stream_run, name) for name in (*COUNTERS, "notices")}
        try:
            with transaction.atomic():
                self.engine.lease.advance()
                if state.is_sweeping and not self.stream.sweep_reads:
                    sweeps.note_swept(self, page)
                else:
                    pages.write_page(self, fresh, now)
                self.note(page.notices)
                failed = self.step(page)
                if failed is None and page.next_token is None:
                    failed, outcome = self.end_slice(now)
                self.keep_changed(before)
                self.count_requests(self.stream_run)
                self.stream_run.save()
        except BaseException:
            for name, value in before.items():
                setattr(state, name, value)
            for name, value in counted.items():
                setattr(self.stream_run, name, value)
            raise
        if failed is not None:
            raise failed
        return outcome

    def keep_changed(self, before: Mapping[str, Any]) -> None:
        """Save what changed of the state; the rest is left as it is stored: a person may have answered meanwhile."""
        changed = [name for name, value in before.items() if getattr(self.state, name) != value]
        self.state.save(update_fields=[*changed, "updated_at"])

    def step(self, page: Page) -> SourceFailed | None:
        """Move to the next page; return what is wrong with the way the source pages."""
        state = self.state
        state.window_pages += 1
        if page.next_token is None:
            return None
        state.empty_pages = 0 if page.records or page.ends_list else state.empty_pages + 1
        held = state.token_prints or [0, 1, 0]
        watch = sync.LoopWatch(*held).after(page.next_token)
        if page.next_token == state.page_token or watch is None:
            return self.misbehaves("the same page token came again")
        if state.empty_pages >= sync.EMPTY_PAGES:
            return self.misbehaves("empty pages that promise more")
        if state.window_pages >= sync.PAGES_PER_PASS:
            return self.misbehaves("pages without end")
        state.token_prints = [watch.mark, watch.power, watch.steps]
        state.page_token = page.next_token
        if self.is_too_long(state.window_pages):
            self.halve()
            self.rewind()
        return None

    def misbehaves(self, detail: str) -> SourceFailed:
        self.rewind()
        self.state.run = None
        return SourceFailed(FailureClass.SOURCE_MISBEHAVES, detail)

    # The end of a slice

    def end_slice(self, now: datetime) -> tuple[SourceFailed | None, bool | None]:
        """Move the watermark or sweep; say whether another slice follows."""
        state, stream = self.state, self.stream
        if sync.is_drifting(seen=state.window_seen, refused=state.window_refused):
            detail = f"{state.window_refused} of {state.window_seen} records refused"
            self.rewind()
            state.run = None
            return SourceFailed(FailureClass.SCHEMA_DRIFT, detail), None
        if self.lists_everything:
            failed = sweeps.end_sweep(self, now)
            if failed is None:
                self.succeed(now)
            return failed, False
        assert state.window_end is not None and state.upper is not None
        is_first = state.watermark is None
        state.watermark = sync.moved_watermark(state.window_end, state.upper, stream.overlap)
        state.restarts = 0
        if state.window_end < state.upper:
            start = state.window_end
            state.window_start = start
            state.window_end = min(start + stream.window, state.upper) if not is_first else state.upper
            self.rewind()
            return None, True
        if is_first:
            state.last_sweep_at = now  # everything was just read
        begun = self.stream_run.started_at
        if begun is not None and state.upper < begun:  # this run went on with an earlier one's window: now its own
            state.upper = begun
            self.open_window()
            return None, True
        if stream.sweep_every and (state.last_sweep_at is None or now - state.last_sweep_at >= stream.sweep_every):
            state.is_sweeping = True
            self.open_window()
            return None, True
        self.succeed(now)
        return None, False

    def succeed(self, now: datetime) -> None:
        """Write down that the stream is read to its end."""
        state, done = self.state, self.stream_run
        self.rewind()
        state.run = None
        state.restarts = 0
        state.upper = state.window_start = state.window_end = None
        state.last_success_at = now
        state.failure = state.failure_detail = ""
        state.failing_since = None
        state.consecutive_failures = 0
        state.kept = store.live_count(self.connection, self.stream)
        done.state = State.PARTLY if done.refused else State.DONE
        done.ended_at = now

    def note(self, notices: Iterable[Notice]) -> None:
        kept = list(self.stream_run.notices)
        for notice in notices:
            values = {name: one[:200] if isinstance(one, str) else one for name, one in notice.values.items()}
            row = {"text": notice.text, "values": values}
            if row not in kept and len(kept) < NOTICES:
                kept.append(row)
        self.stream_run.notices = kept

    def count_requests(self, stream_run: StreamRun) -> None:
        """Move what the transport counted since the last page to the stream's run."""
        now = (self.engine.transport.requests, self.engine.transport.points, self.engine.transport.pace.waited)
        requests, points, waited = self.engine.counted
        stream_run.pages += 1
        stream_run.requests += now[0] - requests
        stream_run.points += now[1] - points
        stream_run.waited_seconds += now[2] - waited
        self.engine.counted = now
