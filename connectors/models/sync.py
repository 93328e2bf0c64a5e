"""How syncs are going, and what they brought: runs, where each stream stands, and the raw records."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from connectors.base import Notice
from connectors.reasons import unsaid
from hub.core.models import Timestamped
from hub.people.models import User

from .connection import Connection


class State(models.TextChoices):
    """How a run, or one stream of it, is doing."""

    QUEUED = "queued", pgettext_lazy("sync", "Waiting")
    RUNNING = "running", pgettext_lazy("sync", "Running")
    DONE = "done", pgettext_lazy("sync", "Synced")
    PARTLY = "partly", pgettext_lazy("sync", "Partly synced")
    FAILED = "failed", pgettext_lazy("sync", "Failed")
    SKIPPED = "skipped", pgettext_lazy("sync", "Not read")
    PAUSED = "paused", pgettext_lazy("sync", "Paused")  # left off because a person said so


OPEN_STATES = (State.QUEUED, State.RUNNING)


class Counted(models.Model):
    """What a run met. `seen` records were read; each is new, changed or unchanged, or it was refused."""

    seen = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    stale = models.PositiveIntegerField(default=0)  # older than what is stored; not written
    gone = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    points = models.PositiveIntegerField(default=0)
    waited_seconds = models.FloatField(default=0)

    class Meta:
        abstract = True


COUNTERS = (
    "seen", "new", "changed", "unchanged", "stale", "gone", "refused", "pages", "requests", "points", "waited_seconds",
)  # fmt: skip


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def open(self) -> Self:
        """Runs that wait or are under way."""
        return self.filter(state__in=OPEN_STATES)


class SyncRun(Counted):
    """One pass over a connection. A night has one slot; a second row for it can't exist."""

    class Reason(models.TextChoices):
        FIRST = "first", _("First sync")
        NIGHT = "night", _("At night")
        HAND = "hand", _("By hand")
        RETRY = "retry", _("Tried again")
        BACKFILL = "backfill", _("Back-fill")
        WEBHOOK = "webhook", _("Announced by the tool")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    slot = models.CharField(max_length=60)  # "night:2026-11-23"; one run per connection and slot
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    only = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # streams asked for; empty: all
    job = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    resumed = models.PositiveIntegerField(default=0)  # times another worker took over
    failure = models.CharField(max_length=30, blank=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        constraints = [
            models.UniqueConstraint(fields=["connection", "slot"], name="connectors_syncrun_one_per_slot"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state__in=["queued", "running"]), name="connectors_syncrun_one_open"
            ),
        ]
        indexes = [models.Index(fields=["connection", "-id"], name="connectors_syncrun_latest")]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.slot}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class StreamRun(Counted):
    """One stream's part of a run."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="streams")
    stream = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True)  # technical, for the drill-down
    notices = models.JSONField(default=list, blank=True)  # of `connectors.base.Notice`: its text and values

    class Meta:
        verbose_name = _("stream run")
        verbose_name_plural = _("stream runs")
        constraints = [models.UniqueConstraint(fields=["run", "stream"], name="connectors_streamrun_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.stream}"

    @property
    def told(self) -> list[str]:
        """The notices, in the reader's language."""
        return [str(Notice(**row)) for row in self.notices]


class StreamState(Timestamped):
    """Where reading stands. Written in the same transaction as the rows of each page."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="streams")
    stream = models.CharField(max_length=40)
    watermark = models.DateTimeField(null=True, blank=True)  # all changes before it are stored
    # The pass under way; `upper` is fixed when it starts
    run = models.ForeignKey(SyncRun, models.SET_NULL, null=True, blank=True, related_name="+")
    is_sweeping = models.BooleanField(default=False)
    upper = models.DateTimeField(null=True, blank=True)
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    page_token = models.TextField(blank=True)
    window_pages = models.PositiveIntegerField(default=0)
    empty_pages = models.PositiveIntegerField(default=0)  # in a row, each promising more
    window_seen = models.PositiveIntegerField(default=0)
    window_refused = models.PositiveIntegerField(default=0)
    token_prints = ArrayField(models.BigIntegerField(), default=list, blank=True)  # of this window: a loop shows
    restarts = models.PositiveIntegerField(default=0)  # of this window, after a refused page token
    # What is known of the whole
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_sweep_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=30, blank=True)
    failure_detail = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    sweep_gone = models.PositiveIntegerField(default=0)  # rows an implausible sweep would have marked
    sweep_alive = models.PositiveIntegerField(default=0)
    sweep_confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    sweep_confirmed_at = models.DateTimeField(null=True, blank=True)
    needs_full_read = models.BooleanField(default=False)  # a sweep met records that the windows never brought
    kept = models.PositiveIntegerField(default=0)  # live records stored

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="connectors_streamstate_once")]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.stream}"


class SeenPage(models.Model):
    """The ids of one page of a pass that lists everything; gone when the pass ends. One row a page survives a kill."""

    state = models.ForeignKey(StreamState, models.CASCADE, related_name="seen_pages")
    page = models.PositiveIntegerField()
    ids = ArrayField(models.CharField(max_length=200))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["state", "page"], name="connectors_seenpage_once")]

    def __str__(self) -> str:
        return f"{self.state_id} {self.page}"


class SourceRecord(models.Model):
    """What a source last said of one thing, as it said it."""

    class Reason(models.TextChoices):
        SWEPT = "swept", _("no longer listed")
        WEBHOOK = "webhook", _("announced")
        UNMAPPED = "unmapped", _("no longer chosen")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    stream = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    raw = models.JSONField()
    content_hash = models.CharField(max_length=32)
    source_version = models.DateTimeField(null=True, blank=True)
    produced = ArrayField(models.CharField(max_length=240), default=list)  # "StateSpan:<external id>"
    map_version = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()  # when the hub last stored another content
    deleted_at = models.DateTimeField(null=True, blank=True)
    deletion_reason = models.CharField(max_length=10, choices=Reason.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "stream", "external_id"], name="connectors_sourcerecord_once")
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.external_id}"


class RefusedRecord(models.Model):
    """A record that does not look as it must. The last good one stays; a better one takes this row away."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refused_records")
    stream = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    path = models.CharField(max_length=200, blank=True)
    # Why, as `connectors.base.Notice`. The database fills it in for workers of the release before
    notice = models.JSONField(default=unsaid, db_default=Value(unsaid(), models.JSONField()))
    reason = models.CharField(max_length=500, blank=True)  # why, as the check itself put it: technical
    raw = models.JSONField()
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = _("refused record")
        verbose_name_plural = _("refused records")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "stream", "external_id"], name="connectors_refusedrecord_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.external_id}"

    @property
    def why(self) -> str:
        """The reason, in the reader's language."""
        return str(Notice(**self.notice))


class SchemaObservation(models.Model):
    """A path met in a stream's records, with the JSON types seen there."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    stream = models.CharField(max_length=40)
    path = models.CharField(max_length=200)
    types = ArrayField(models.CharField(max_length=10))
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "stream", "path"], name="connectors_schemaobservation_once")
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.path}"


class DailySnapshot(models.Model):
    """Values whose history the source does not keep, as they stood at the end of `day`.

    A day without a row means: as on the latest earlier day that has one. So an unchanged record costs nothing.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    stream = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    day = models.DateField()
    values = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "stream", "external_id", "day"], name="connectors_dailysnapshot_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.external_id} {self.day}"


class Check(Timestamped):
    """One *Test the connection*: asked by a person, answered by a worker, shown by polling."""

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="check_result")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    account = models.CharField(max_length=200, blank=True)
    workspace = models.CharField(max_length=200, blank=True)
    unavailable = models.JSONField(default=dict, blank=True)
    failure = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.connection_id} {self.state}"
