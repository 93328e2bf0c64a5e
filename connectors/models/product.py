"""What a product-management tool knows: what is planned, what it is for, and what customers said."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .work import Sourced, ref, refs


class ProductItem(Sourced):
    """A product, component, feature, initiative, objective, key result or release, as the tool has it now.

    Its status, dates, health and progress are also kept per day (`DailySnapshot`): the tool keeps no history of them.
    """

    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=500, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=100, blank=True, default="")
    status_ref = ref()
    owner_ref = ref()
    owner_email = models.CharField(max_length=254, blank=True, default="")
    team_refs = refs()
    parent_ref = ref()
    is_archived = models.BooleanField(default=False)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    granularity = models.CharField(max_length=10, blank=True, default="")
    health = models.CharField(max_length=20, blank=True, default="")
    health_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(null=True, blank=True)
    metric_start = models.FloatField(null=True, blank=True)
    metric_target = models.FloatField(null=True, blank=True)
    metric_current = models.FloatField(null=True, blank=True)
    outside_urls = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    numbers = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), blank=True)
    opened_at = models.DateTimeField()
    edited_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_productitem_once")
        ]
        indexes = [models.Index(fields=["connection", "kind", "status"], name="connectors_productitem_kind")]

    def __str__(self) -> str:
        return self.name or self.external_id


class ProductField(Sourced):
    """A field of its own that a company gave to a kind of item: `ProductItem.numbers` is keyed by its `ref`."""

    kind = models.CharField(max_length=20)
    ref = ref()
    name = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_productfield_once")
        ]

    def __str__(self) -> str:
        return self.name or self.ref


class ProductLink(Sourced):
    item_ref = ref()
    target_ref = ref()
    kind = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_productlink_once")
        ]
        indexes = [models.Index(fields=["connection", "item_ref"], name="connectors_productlink_item")]


class Feedback(Sourced):
    """A note: that somebody said something, when, and whether it was heard. Never what was said."""

    kind = models.CharField(max_length=20, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    is_processed = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)
    owner_ref = ref()
    creator_ref = ref()
    customer_ref = ref()
    source = models.CharField(max_length=60, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    opened_at = models.DateTimeField()
    edited_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_feedback_once")]
        indexes = [models.Index(fields=["connection", "opened_at"], name="connectors_feedback_opened")]


class FeedbackLink(Sourced):
    feedback_ref = ref()
    item_ref = ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_feedbacklink_once")
        ]
        indexes = [
            models.Index(fields=["connection", "feedback_ref"], name="connectors_feedbacklink_note"),
            models.Index(fields=["connection", "item_ref"], name="connectors_feedbacklink_item"),
        ]


class AccountDay(Sourced):
    """What an account did in the tool on a day, as the tool itself counts it."""

    account_ref = ref()
    day = models.DateField()
    is_active = models.BooleanField(default=False)
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_accountday_once")]
        indexes = [models.Index(fields=["connection", "day"], name="connectors_accountday_day")]
