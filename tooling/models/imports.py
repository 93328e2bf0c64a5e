"""A spreadsheet on its way in: a plan that people read before anything is written."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped
from hub.people.models import User

from .tool import Tool


class ImportPlan(Timestamped):
    """One uploaded file, how it is read, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being read")
        READY = "ready", _("To be decided")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Taken back")

    by = models.ForeignKey(User, models.SET_NULL, verbose_name=_("by"), null=True, related_name="import_plans")
    filename = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("content"), editable=False)
    encoding = models.CharField(_("encoding"), max_length=40)
    delimiter = models.CharField(_("separator"), max_length=1)
    is_repaired = models.BooleanField(_("garbled letters repaired"), default=False)
    header = models.JSONField(_("columns"), default=list)  # names as they stand in the file
    mapping = models.JSONField(_("mapping"), default=dict)  # {field: index of its column}
    notes = models.JSONField(_("notes"), default=list)  # [[code, values]] of hub.core.csv
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    missing_count = models.PositiveIntegerField(_("tools not in the file"), default=0)
    batch = models.UUIDField(_("batch"), null=True, blank=True, editable=False)  # of the events it left
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    applied_count = models.PositiveIntegerField(_("tools written"), default=0)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("tooling:import_detail", args=[self.pk])

    @property
    def is_busy(self) -> bool:
        """True while a worker has it."""
        return self.state in (self.State.WAITING, self.State.APPLYING)


class ImportRow(models.Model):
    """One line of the file and what applying it would do."""

    class Verdict(models.TextChoices):
        CREATE = "create", _("New")
        UPDATE = "update", _("Changed")
        UNCHANGED = "unchanged", _("Same")
        ERROR = "error", _("Error")

    plan = models.ForeignKey(ImportPlan, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"))
    title = models.CharField(_("name"), max_length=200)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    is_ticked = models.BooleanField(_("taken"), default=True)
    values = models.JSONField(default=dict)  # {field: value} as judged, ready to be written
    changes = models.JSONField(default=dict)  # {field: [before, after]}
    problems = models.JSONField(default=list)  # [[code, values]]
    tool = models.ForeignKey(Tool, models.SET_NULL, null=True, related_name="+")
    tool_version = models.PositiveIntegerField(null=True)  # judged against this, after applying: left at this

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        constraints = [models.UniqueConstraint(fields=["plan", "line"], name="tooling_importrow_once")]
        indexes = [models.Index(fields=["plan", "verdict", "line"], name="tooling_importrow_verdict")]

    def __str__(self) -> str:
        return f"{self.line} {self.title}"
