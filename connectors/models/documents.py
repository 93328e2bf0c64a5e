"""What a documents tool knows: its databases, what an admin says they hold, and the pages in them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped
from hub.people.models import User

from .connection import Connection
from .work import Sourced, ref


class DocumentSource(Sourced):
    """A database of pages; `properties` is its schema: {"id", "name", "type", "options"} each."""

    name = models.CharField(max_length=300, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    properties = models.JSONField(default=list, blank=True)
    is_trashed = models.BooleanField(default=False)
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_documentsource_once")
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class Document(Sourced):
    """A page of a mapped database. `values` holds its properties by their id, which a rename does not change."""

    source_ref = ref()
    title = models.CharField(max_length=500, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    creator_ref = ref()
    editor_ref = ref()
    opened_at = models.DateTimeField()
    edited_at = models.DateTimeField()
    is_trashed = models.BooleanField(default=False)
    values = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_document_once")]
        indexes = [models.Index(fields=["connection", "source_ref", "edited_at"], name="connectors_document_source")]

    def __str__(self) -> str:
        return self.title or self.external_id


class SourceMapping(Timestamped):
    """What a database holds, and which of its properties means what: an admin's word, without which no figure is made.

    `fields` names properties by id: {"date": "a%3Bc", "team": …}; `mappings.meanings` lists them for each meaning.
    `names` keeps what each was called when it was chosen, so that one that is gone can be told by its name.
    `held` are the ids of the status values that count as done, decided or held (`true` for a checkbox).
    `asked_at` is when it last changed: until the pages' watermark has passed it, their whole history is read.
    """

    class Meaning(models.TextChoices):
        INTERVIEWS = "interviews", _("Interviews")
        INSIGHTS = "insights", _("Insights")
        DECISIONS = "decisions", _("Decisions")
        EXPERIMENTS = "experiments", _("Experiments")
        DOCUMENTS = "documents", _("Documents")
        POLICIES = "policies", _("Policies")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mappings")
    source_ref = models.CharField(max_length=200)
    meaning = models.CharField(_("what it holds"), max_length=20, choices=Meaning.choices)
    fields = models.JSONField(default=dict, blank=True)
    names = models.JSONField(default=dict, blank=True)
    held = models.JSONField(default=list, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    mapped_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("mapping")
        verbose_name_plural = _("mappings")
        constraints = [models.UniqueConstraint(fields=["connection", "source_ref"], name="connectors_mapping_once")]

    def __str__(self) -> str:
        return f"{self.source_ref}: {self.meaning}"
