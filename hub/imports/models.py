"""A spreadsheet on its way in, and the addresses that are read again every night."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped, Versioned
from hub.people.models import User

GIVEN_UP_AFTER = timedelta(hours=1)  # so long no worker writes


class Feed(Timestamped, Versioned):
    """An address whose file is read every night. The token is encrypted and can be written, never read back."""

    kind = models.CharField(max_length=20)  # key in hub.imports.kinds
    label = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("address"), max_length=500)
    secret = models.BinaryField(_("token"), editable=False, default=b"")
    secret_hint = models.CharField(_("last four characters"), max_length=4, blank=True, editable=False)
    columns = models.JSONField(default=dict, editable=False)  # {field: name of its column}; empty: recognised anew
    is_whole = models.BooleanField(_("the file is the whole list"), default=False)
    is_active = models.BooleanField(_("on"), default=True)
    by = models.ForeignKey(User, models.SET_NULL, verbose_name=_("by"), null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True, editable=False)  # of the file that was applied last
    last_read_at = models.DateTimeField(_("last try"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last good read"), null=True, blank=True, editable=False)
    failure = models.CharField(max_length=30, blank=True, editable=False)  # a failure class
    detail = models.CharField(max_length=300, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)  # in a row

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("imports:feed_edit", args=[self.pk])

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)


class ImportPlan(Timestamped):
    """One file, how it is read, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being read")
        READY = "ready", _("To be decided")
        REFUSED = "refused", _("Can’t be read")
        STOPPED = "stopped", _("Interrupted")  # no worker brought the reading to its end
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Taken back")

    kind = models.CharField(max_length=20)  # key in hub.imports.kinds
    by = models.ForeignKey(User, models.SET_NULL, verbose_name=_("by"), null=True, related_name="import_plans")
    feed = models.ForeignKey(Feed, models.SET_NULL, verbose_name=_("address"), null=True, related_name="plans")
    filename = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("content"), editable=False)
    encoding = models.CharField(_("encoding"), max_length=40, blank=True)
    delimiter = models.CharField(_("separator"), max_length=1, blank=True)
    is_repaired = models.BooleanField(_("garbled letters repaired"), default=False)
    is_whole = models.BooleanField(_("the file is the whole list"), default=False)  # what it leaves out is closed
    header = models.JSONField(_("columns"), default=list)  # names as they stand in the file
    mapping = models.JSONField(_("mapping"), default=dict)  # {field: index of its column}
    notes = models.JSONField(_("notes"), default=list)  # [[code, values]] of hub.core.csv
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    missing_count = models.PositiveIntegerField(_("not in the file"), default=0)
    batch = models.UUIDField(_("batch"), null=True, blank=True, editable=False)  # of the events it left
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    applied_count = models.PositiveIntegerField(_("rows written"), default=0)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="imports_plan_latest"),
            models.Index(fields=["feed", "-id"], condition=~Q(feed=None), name="imports_plan_of_feed"),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("imports:plan_detail", args=[self.pk])

    @property
    def may_be_forgotten(self) -> bool:
        """True where nothing was written of it, and no worker is writing."""
        is_given_up = self.state == self.State.APPLYING and timezone.now() - self.updated_at > GIVEN_UP_AFTER
        unwritten = (self.State.WAITING, self.State.READY, self.State.REFUSED, self.State.STOPPED)
        return self.state in unwritten or is_given_up

    @property
    def is_busy(self) -> bool:
        """True while a worker has it."""
        return self.state in (self.State.WAITING, self.State.APPLYING)

    def finish(self, count: int) -> None:
        """Note that `count` rows were written. The file itself is of no use any more, and may hold personal data."""
        self.content = b""
        self.state = self.State.APPLIED
        self.applied_at = timezone.now()
        self.applied_count = count
        self.save()


class ImportRow(models.Model):
    """One line of the file and what applying it would do."""

    class Verdict(models.TextChoices):
        CREATE = "create", _("New")
        UPDATE = "update", _("Changed")
        CLOSE = "close", _("Closed")  # the whole list leaves it out
        UNCHANGED = "unchanged", _("Same")
        ERROR = "error", _("Error")

    plan = models.ForeignKey(ImportPlan, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"))  # above the file's last one: what the whole list leaves out
    title = models.CharField(_("name"), max_length=200)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    is_ticked = models.BooleanField(_("taken"), default=True)
    values = models.JSONField(default=dict)  # {field: value} as judged, ready to be written
    changes = models.JSONField(default=dict)  # {field: [before, after]}
    problems = models.JSONField(default=list)  # [[code, values]]
    target_id = models.BigIntegerField(null=True)  # of the thing it is about, in its kind's own table
    target_version = models.PositiveIntegerField(null=True)  # judged against this; after applying: left at this

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        constraints = [models.UniqueConstraint(fields=["plan", "line"], name="imports_importrow_once")]
        indexes = [models.Index(fields=["plan", "verdict", "line"], name="imports_importrow_verdict")]

    def __str__(self) -> str:
        return f"{self.line} {self.title}"
