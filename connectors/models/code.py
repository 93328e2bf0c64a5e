"""What a code host knows: changes that ask to be let in, releases, and deployments."""

from django.db import models

from .work import Sourced, ref, refs


class ChangeRequest(Sourced):
    """A pull request. `edited_at` is the source's own."""

    repository = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=500, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, default="open")
    is_draft = models.BooleanField(default=False)
    is_by_bot = models.BooleanField(default=False)
    author_ref = ref()
    base = models.CharField(max_length=255, blank=True, default="")
    item_keys = refs()
    opened_at = models.DateTimeField()
    edited_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    merged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_changerequest_once")
        ]
        indexes = [models.Index(fields=["connection", "repository", "opened_at"], name="connectors_change_repository")]

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


class Release(Sourced):
    """A release; `published_at` is empty while it is a draft."""

    repository = models.CharField(max_length=200)
    tag = models.CharField(max_length=255)
    name = models.CharField(max_length=300, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    is_draft = models.BooleanField(default=False)
    is_prerelease = models.BooleanField(default=False)
    author_ref = ref()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_release_once")]

    def __str__(self) -> str:
        return f"{self.repository} {self.tag}"


class Deployment(Sourced):
    """A deployment, and how it ended."""

    repository = models.CharField(max_length=200)
    environment = models.CharField(max_length=255)
    is_production = models.BooleanField(default=False)
    version = models.CharField(max_length=255, blank=True, default="")
    creator_ref = ref()
    outcome = models.CharField(max_length=10, default="pending")
    requested_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_deployment_once")]
        indexes = [models.Index(fields=["connection", "environment", "requested_at"], name="connectors_deployed_to")]

    def __str__(self) -> str:
        return f"{self.repository} → {self.environment}"
