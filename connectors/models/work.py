"""Normalised rows: what the rooms read. A sync writes the columns named in `connectors.records`, and only those."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team, User

from .connection import Connection


class SourcedQuerySet(models.QuerySet[Any]):
    def live(self) -> Self:
        """Rows that the source still has."""
        return self.filter(deleted_at=None)


class Sourced(models.Model):
    """A row that a source owns. `deleted_at` is set when a full sweep no longer sees it; nothing is erased.

    The connection has no index of its own: the one that keeps (connection, external_id) unique begins with it.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=200)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        abstract = True


def ref(**options: Any) -> "models.CharField[str, str]":
    """Return a column that holds another row's external id of the same connection; empty means none."""
    return models.CharField(max_length=200, blank=True, default="", **options)


def numbers() -> "ArrayField[list[float], list[float]]":
    return ArrayField(models.FloatField(), default=list, blank=True)


def refs() -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=200), default=list, blank=True)


class PersonAccount(Sourced):
    """An account in a tool, and the person it belongs to once e-mail or an admin says so."""

    class Match(models.TextChoices):
        UNMATCHED = "unmatched", _("Not matched")
        EMAIL = "email", _("By e-mail")
        MANUAL = "manual", _("By hand")
        IGNORED = "ignored", _("Not a person")

    email = models.CharField(max_length=254, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")
    kind = models.CharField(max_length=10, default="member")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    # The hub's own columns, never written by a mapping
    person = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="accounts")
    match = models.CharField(max_length=10, choices=Match.choices, default=Match.UNMATCHED)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_personaccount_once")
        ]
        indexes = [
            models.Index(fields=["email"], name="connectors_account_email"),
            models.Index(
                fields=["connection", "name", "id"],
                condition=Q(match="unmatched", is_active=True, deleted_at=None),
                name="connectors_account_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id


class WorkTeam(Sourced):
    """A tool's team; `team` is the company's team it stands for."""

    key = models.CharField(max_length=40, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    has_cycles = models.BooleanField(default=False)
    estimation = models.CharField(max_length=20, blank=True, default="")
    parent_ref = ref()
    archived_at = models.DateTimeField(null=True, blank=True)
    # The hub's own column
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="work_teams")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workteam_once")]

    def __str__(self) -> str:
        return self.name


class WorkTeamMember(Sourced):
    team_ref = ref()
    account_ref = ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workteammember_once")
        ]


class WorkState(Sourced):
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20)
    team_ref = ref()
    position = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workstate_once")]


class WorkLabel(Sourced):
    name = models.CharField(max_length=200)
    is_group = models.BooleanField(default=False)
    parent_ref = ref()
    team_ref = ref()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_worklabel_once")]


class WorkCycle(Sourced):
    team_ref = ref()
    number = models.IntegerField()
    name = models.CharField(max_length=200, blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    scope_history = numbers()
    completed_scope_history = numbers()
    item_count_history = numbers()
    completed_item_count_history = numbers()
    uncompleted_refs = refs()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workcycle_once")]
        indexes = [models.Index(fields=["connection", "team_ref", "ends_at"], name="connectors_cycle_team")]


class WorkProject(Sourced):
    name = models.CharField(max_length=300)
    url = models.URLField(max_length=500, blank=True, default="")
    status_type = models.CharField(max_length=20, blank=True, default="")
    health = models.CharField(max_length=20, blank=True, default="")
    health_at = models.DateTimeField(null=True, blank=True)
    lead_ref = ref()
    team_refs = refs()
    initiative_refs = refs()
    start_on = models.DateField(null=True, blank=True)
    target_on = models.DateField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0)
    is_trashed = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workproject_once")
        ]


class WorkInitiative(Sourced):
    name = models.CharField(max_length=300)
    url = models.URLField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=20, blank=True, default="")
    health = models.CharField(max_length=20, blank=True, default="")
    owner_ref = ref()
    target_on = models.DateField(null=True, blank=True)
    is_trashed = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workinitiative_once")
        ]


class InitiativeProject(Sourced):
    initiative_ref = ref()
    project_ref = ref()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_initiativeproject_once")
        ]


class ProjectUpdate(Sourced):
    project_ref = ref()
    author_ref = ref()
    health = models.CharField(max_length=20, blank=True, default="")
    posted_at = models.DateTimeField()
    is_stale = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_projectupdate_once")
        ]


class WorkTemplate(Sourced):
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=40, blank=True, default="")
    team_ref = ref()
    last_applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_worktemplate_once")
        ]


class WorkItem(Sourced):
    """An issue as the tool has it now."""

    identifier = models.CharField(max_length=60)
    title = models.CharField(max_length=500, blank=True, default="")
    url = models.URLField(max_length=500, blank=True, default="")
    team_ref = ref()
    state_ref = ref()
    state_type = models.CharField(max_length=20, blank=True, default="")
    assignee_ref = ref()
    creator_ref = ref()
    project_ref = ref()
    cycle_ref = ref()
    parent_ref = ref()
    label_refs = refs()
    priority = models.SmallIntegerField(default=0)
    estimate = models.FloatField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    triage_started_at = models.DateTimeField(null=True, blank=True)
    triaged_at = models.DateTimeField(null=True, blank=True)
    cycle_entered_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    is_trashed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_workitem_once")]
        indexes = [
            models.Index(fields=["connection", "team_ref", "completed_at"], name="connectors_item_done"),
            models.Index(fields=["connection", "team_ref", "opened_at"], name="connectors_item_opened"),
        ]

    def __str__(self) -> str:
        return self.identifier


class StateSpan(Sourced):
    item_ref = ref()
    state_ref = ref()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_statespan_once")]
        indexes = [models.Index(fields=["connection", "item_ref"], name="connectors_span_item")]


class Transition(Sourced):
    item_ref = ref()
    field = models.CharField(max_length=20)
    before = models.CharField(max_length=200, blank=True, default="")
    after = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    actor_ref = ref()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="connectors_transition_once")]
        indexes = [models.Index(fields=["connection", "item_ref", "field"], name="connectors_transition_item")]


class ActivityDay(models.Model):
    """An account was seen on a day. `signal` tells how much that means: activity, sign_in, edit or last_seen."""

    account = models.ForeignKey(PersonAccount, models.CASCADE, related_name="days")
    day = models.DateField()
    signal = models.CharField(max_length=10)
    count = models.IntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day", "signal"], name="connectors_activityday_once")]
        indexes = [models.Index(fields=["day"], name="connectors_activityday_day")]
