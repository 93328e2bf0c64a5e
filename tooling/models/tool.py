"""A tool, what it is for, what it is called, and who keeps it true."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import FilteredRelation, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from connectors.models import Connection
from hub.core.http import address_of
from hub.core.models import Timestamped, Versioned
from hub.people.models import Team, User

if TYPE_CHECKING:
    from .adoption import AdoptionRollup


def localized(thing: models.Model, field: str) -> str:
    """Return `field` in the reader's language, in the other one where that is all there is."""
    first, second = ("fr", "en") if (get_language() or "").startswith("fr") else ("en", "fr")
    return str(getattr(thing, f"{field}_{first}") or getattr(thing, f"{field}_{second}"))


class Vendor(Timestamped):
    """Who makes a tool."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    website = models.URLField(_("website"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("vendor")
        verbose_name_plural = _("vendors")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tooling_vendor_name")]

    def __str__(self) -> str:
        return self.name


class CapabilityQuerySet(models.QuerySet["Capability"]):
    def families(self) -> Self:
        """The upper level: Strategy, Discovery …"""
        return self.filter(parent=None)

    def jobs(self) -> Self:
        """The lower level, which tools are for."""
        return self.exclude(parent=None)


class Capability(Timestamped):
    """A job that tools are for. Two levels: a family (no parent), and the capabilities in it."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("family"), null=True, blank=True, related_name="children"
    )
    name_en = models.CharField(_("name, English"), max_length=120)
    name_fr = models.CharField(_("name, French"), max_length=120, blank=True)
    intent_en = models.CharField(_("intent, English"), max_length=200, blank=True)  # “I want to …”
    intent_fr = models.CharField(_("intent, French"), max_length=200, blank=True)
    sort = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = CapabilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        ordering = ["sort", "name_en", "pk"]
        constraints = [
            models.UniqueConstraint("parent", Lower("name_en"), name="tooling_capability_name", nulls_distinct=False),
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="tooling_capability_not_its_own_family"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address_of("tooling:capability_detail")(self.slug)

    @property
    def name(self) -> str:
        return localized(self, "name")

    @property
    def intent(self) -> str:
        return localized(self, "intent")


class ToolQuerySet(models.QuerySet["Tool"]):
    def in_estate(self) -> Self:
        """Tools the company has a stake in: neither an untouched suggestion nor history."""
        return self.filter(is_starter=False).exclude(lifecycle__in=[Tool.Lifecycle.RETIRED, Tool.Lifecycle.REJECTED])

    def with_owner(self) -> Self:
        """Join the main owner (at most one) as `owner_link`."""
        return self.annotate(
            owner_link=FilteredRelation(
                "owners", condition=Q(owners__is_primary=True, owners__role=ToolOwner.Role.BUSINESS)
            )
        )

    def with_capability(self) -> Self:
        """Join the main capability (at most one) as `capability_link`."""
        return self.annotate(
            capability_link=FilteredRelation("capability_links", condition=Q(capability_links__is_primary=True))
        )

    def with_adoption(self) -> Self:
        """Join the company's current 30-day adoption (at most one) as `adoption`."""
        return self.annotate(
            adoption=FilteredRelation(
                "rollups", condition=Q(rollups__is_current=True, rollups__team=None, rollups__window=30)
            )
        )


class Tool(Timestamped, Versioned):
    """Something the company makes product with.

    `lifecycle` says whether it is in the estate, `ring` whether one should pick it: two axes, never one field. `ring`
    and `ring_since` repeat the strongest of the current company-wide StandardDecisions, written by the same action.
    """

    class Kind(models.TextChoices):
        SAAS = "saas", _("Online service")
        INTERNAL = "internal", _("Made in house")
        DESKTOP = "desktop", _("Desktop application")
        EXTENSION = "extension", _("Extension")

    class Lifecycle(models.TextChoices):
        DISCOVERED = "discovered", _("Discovered")
        IN_REVIEW = "in_review", _("Being assessed")
        PILOT = "pilot", _("Pilot")
        ACTIVE = "active", _("In use")
        RETIRING = "retiring", _("Retiring")
        RETIRED = "retired", _("Retired")
        REJECTED = "rejected", _("Rejected")

    class Ring(models.TextChoices):
        ADOPT = "adopt", _("Standard")
        TRIAL = "trial", _("Trial")
        ASSESS = "assess", _("Candidate")
        HOLD = "hold", _("Hold")

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=80)
    vendor = models.ForeignKey(
        Vendor, models.SET_NULL, verbose_name=_("vendor"), null=True, blank=True, related_name="tools"
    )
    summary_en = models.CharField(_("what it is for, English"), max_length=200, blank=True)
    summary_fr = models.CharField(_("what it is for, French"), max_length=200, blank=True)
    how_to_en = models.TextField(_("how we use it, English"), max_length=20_000, blank=True)
    how_to_fr = models.TextField(_("how we use it, French"), max_length=20_000, blank=True)
    website = models.URLField(_("website"), max_length=300, blank=True)
    login_url = models.URLField(_("address to open"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.SAAS)
    lifecycle = models.CharField(
        _("lifecycle"), max_length=10, choices=Lifecycle.choices, default=Lifecycle.DISCOVERED, editable=False
    )
    lifecycle_since = models.DateField(_("in this state since"), default=timezone.localdate, editable=False)
    ring = models.CharField(_("standing"), max_length=10, choices=Ring.choices, blank=True, editable=False)
    ring_since = models.DateField(_("standing since"), null=True, blank=True, editable=False)
    successor = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("successor"), null=True, blank=True, related_name="predecessors"
    )
    is_starter = models.BooleanField(_("starter, not yet adopted"), default=False, editable=False)
    capabilities: "models.ManyToManyField[Capability, ToolCapability]" = models.ManyToManyField(
        Capability, through="ToolCapability", related_name="tools"
    )

    # Filled by the queryset's with_owner(), with_capability() and with_adoption() where there is such a row.
    owner_link: "ToolOwner | None" = None
    capability_link: "ToolCapability | None" = None
    adoption: "AdoptionRollup | None" = None

    objects = ToolQuerySet.as_manager()

    class Meta:
        verbose_name = _("tool")
        verbose_name_plural = _("tools")
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tooling_tool_name", violation_error_message=_("A tool of this name exists.")
            ),
            models.CheckConstraint(condition=~Q(successor=models.F("id")), name="tooling_tool_not_its_own_successor"),
            models.CheckConstraint(
                condition=Q(ring="", ring_since=None) | (~Q(ring="") & Q(ring_since__isnull=False)),
                name="tooling_tool_ring_has_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["is_starter", "lifecycle"], name="tooling_tool_estate"),
            models.Index(fields=["name", "id"], name="tooling_tool_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address_of("tooling:tool_detail")(self.slug)

    @property
    def summary(self) -> str:
        return localized(self, "summary")

    @property
    def how_to(self) -> str:
        return localized(self, "how_to")

    @property
    def open_url(self) -> str:
        """Where *Open* leads: the address people sign in at, else the website."""
        return self.login_url or self.website

    @property
    def is_over(self) -> bool:
        """True once nobody is meant to use it."""
        return self.lifecycle in (self.Lifecycle.RETIRED, self.Lifecycle.REJECTED)

    @property
    def next_moves(self) -> list[Lifecycle]:
        """The lifecycle states it may move to from here, in the order they are offered."""
        return MOVES[self.Lifecycle(self.lifecycle)]

    def move(self, to: Lifecycle, *, on: date) -> None:
        """Put the tool into another state of its life. The caller has checked that the move is allowed."""
        self.lifecycle = to
        self.lifecycle_since = on
        self.is_starter = False
        self.version += 1
        self.save(update_fields=["lifecycle", "lifecycle_since", "is_starter", "version", "updated_at"])

    def is_owned_by(self, user: User) -> bool:
        """True for those who keep it true: its business or admin owner, and the lead of a team that owns it."""
        is_loaded = "owners" in getattr(self, "_prefetched_objects_cache", {})
        owners = self.owners.all() if is_loaded else self.owners.select_related("team")
        return any(owner.is_kept_by(user) for owner in owners)


_L = Tool.Lifecycle
MOVES: dict[Tool.Lifecycle, list[Tool.Lifecycle]] = {
    _L.DISCOVERED: [_L.IN_REVIEW, _L.ACTIVE, _L.REJECTED],
    _L.IN_REVIEW: [_L.PILOT, _L.ACTIVE, _L.REJECTED],
    _L.PILOT: [_L.ACTIVE, _L.RETIRING, _L.REJECTED],
    _L.ACTIVE: [_L.RETIRING],
    _L.RETIRING: [_L.RETIRED, _L.ACTIVE],
    _L.RETIRED: [_L.IN_REVIEW],
    _L.REJECTED: [_L.IN_REVIEW],
}
# People lose something, or a decision is taken back: these need a reason of ten characters or more.
MOVES_WITH_REASON: frozenset[tuple[Tool.Lifecycle, Tool.Lifecycle]] = frozenset(
    (before, after)
    for before, afters in MOVES.items()
    for after in afters
    if after in (_L.REJECTED, _L.RETIRING)
    or (before, after) in {(_L.RETIRING, _L.ACTIVE), (_L.RETIRED, _L.IN_REVIEW), (_L.REJECTED, _L.IN_REVIEW)}
)


class ToolAlias(Timestamped):
    """Another name of a tool. Unique however it is spelt; C and C++ stay two."""

    tool = models.ForeignKey(Tool, models.CASCADE, verbose_name=_("tool"), related_name="aliases")
    text = models.CharField(_("alias"), max_length=80)
    key = models.CharField(max_length=80, unique=True, editable=False)  # normalized(text)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["text", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(key=""), name="tooling_alias_says_something")]

    def __str__(self) -> str:
        return self.text


class ToolCapability(models.Model):
    """A tool does a job; `note` says where it should not be picked for it."""

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="capability_links")
    capability = models.ForeignKey(Capability, models.CASCADE, verbose_name=_("capability"), related_name="tool_links")
    is_primary = models.BooleanField(_("main"), default=False)
    not_for_en = models.CharField(_("when not, English"), max_length=200, blank=True)
    not_for_fr = models.CharField(_("when not, French"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("capability of a tool")
        verbose_name_plural = _("capabilities of tools")
        constraints = [
            models.UniqueConstraint(fields=["tool", "capability"], name="tooling_toolcapability_once"),
            models.UniqueConstraint(
                fields=["tool"], condition=Q(is_primary=True), name="tooling_toolcapability_one_main"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} · {self.capability}"

    @property
    def not_for(self) -> str:
        return localized(self, "not_for")


class ToolOwner(Timestamped):
    """A person or a team that answers for a tool in one role."""

    class Role(models.TextChoices):
        BUSINESS = "business", _("Owner")
        ADMIN = "admin", _("Administrator")
        CHAMPION = "champion", _("Champion")

    tool = models.ForeignKey(Tool, models.CASCADE, verbose_name=_("tool"), related_name="owners")
    person = models.ForeignKey(
        User, models.CASCADE, verbose_name=_("person"), null=True, blank=True, related_name="tools_owned"
    )
    team = models.ForeignKey(
        Team, models.CASCADE, verbose_name=_("team"), null=True, blank=True, related_name="tools_owned"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.BUSINESS)
    is_primary = models.BooleanField(_("main"), default=True)

    class Meta:
        verbose_name = _("owner of a tool")
        verbose_name_plural = _("owners of tools")
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, team__isnull=False) | Q(person__isnull=False, team=None),
                name="tooling_owner_person_or_team",
            ),
            models.UniqueConstraint(
                fields=["tool", "role"], condition=Q(is_primary=True), name="tooling_owner_one_main_per_role"
            ),
            models.UniqueConstraint(
                fields=["tool", "role", "person"], condition=Q(team=None), name="tooling_owner_person_once"
            ),
            models.UniqueConstraint(
                fields=["tool", "role", "team"], condition=Q(person=None), name="tooling_owner_team_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        holder = self.person or self.team
        return str(holder)

    def is_kept_by(self, user: User) -> bool:
        """True where `user` answers for the tool through this row: as the owner, or as the lead of the team that is."""
        is_theirs = self.person_id == user.pk or (self.team is not None and self.team.lead_id == user.pk)
        return is_theirs and self.role in (self.Role.BUSINESS, self.Role.ADMIN)


class Workspace(Timestamped):
    """One tenant of a tool; `connection` is the wire that reads it, if there is one."""

    tool = models.ForeignKey(Tool, models.CASCADE, verbose_name=_("tool"), related_name="workspaces")
    name = models.CharField(_("name"), max_length=120)
    url = models.URLField(_("address"), max_length=300, blank=True)
    connection = models.OneToOneField(
        Connection, models.SET_NULL, verbose_name=_("connection"), null=True, blank=True, related_name="workspace"
    )

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["tool", "name"], name="tooling_workspace_once")]

    def __str__(self) -> str:
        return self.name
