"""Running a sync: page after page, each in one transaction, so that it can die anywhere and be gone on with.

Fetching happens at least once; effects are idempotent. `sync` decides, `store` writes, `transport` speaks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from hub.jobs.dispatch import LAST_WORDS
from hub.jobs.models import Job
from hub.jobs.work import TryLater

from . import hooks, store, sync
from .base import Connector, FailureClass, SourceFailed, Stream
from .budget import MustWait, Pace
from .models import (
    COUNTERS,
    Connection,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
from .reading import Pass
from .secrets import SecretUnreadable, open_secret
from .transport import Transport, is_sandbox

log = structlog.get_logger()

TASK_SECONDS = 200.0  # then the job is queued again and another worker may go on
STOPS_ALL = (FailureClass.AUTH_INVALID, FailureClass.SOURCE_DOWN, FailureClass.SOURCE_SLOW)


class MayWrite(Protocol):
    """What a lease offers; see `hub.jobs.work.Lease`."""

    def confirm(self) -> None: ...

    def advance(self) -> None: ...


class NobodyElse:
    """Stands in for a lease where nobody else can be at work: commands and tests."""

    job_id = None

    def confirm(self) -> None:
        return

    def advance(self) -> None:
        self.confirm()


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
            if connection.is_active and connection.pause_until and connection.pause_until > now:
                raise TryLater(connection.pause_reason or "paused", after=connection.pause_until - now)
            if run.state == State.QUEUED:
                run.state, run.started_at = State.RUNNING, now
            elif Job.objects.filter(pk__in=[getattr(self.lease, "job_id", None)], error=LAST_WORDS).exists():
                run.resumed += 1
            run.save(update_fields=["state", "started_at", "resumed"])
            for stream in self.streams:
                StreamState.objects.get_or_create(connection=connection, stream=stream.name)
                StreamRun.objects.get_or_create(run=run, stream=stream.name)
            left = run.streams.filter(state=State.RUNNING, stream__in=connection.paused_streams)
            left.update(state=State.PAUSED, ended_at=now)
        if not connection.is_active:
            self.leave_off()
            return False
        if connection.auth != Connection.Auth.OK:
            self.fail_all(SourceFailed(FailureClass.AUTH_INVALID, "the connection needs a new token"))
            return False
        return True

    def leave_off(self) -> None:
        """End the run of a source that was paused meanwhile: that is nobody's failure."""
        with transaction.atomic():
            self.lease.confirm()
            left = self.run.streams.filter(state__in=(State.QUEUED, State.RUNNING))
            left.update(state=State.PAUSED, ended_at=self.clock())
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
                reading.read()
            except SourceFailed as failed:
                if failed.kind == FailureClass.AUTH_INVALID and self.has_another_token():
                    raise TryLater("A new token was entered.", after=timedelta()) from failed
                self.fail_stream(reading, failed)
                unread.add(stream.name)
                if failed.kind in STOPS_ALL:
                    stopped_by = failed

    def has_another_token(self) -> bool:
        """Tell whether somebody entered another token since this task began."""
        return not Connection.objects.filter(pk=self.connection.pk, secret_print=self.connection.secret_print).exists()

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
                refused = Connection.objects.filter(pk=self.connection.pk, secret_print=self.connection.secret_print)
                refused.update(auth=Connection.Auth.NEEDS_REAUTH)

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
            if not bad and any(one.state == State.PAUSED for one in made):
                run.state = State.PAUSED
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
