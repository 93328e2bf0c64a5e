"""The tool list's URL grammar."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hub.core.http import row_id
from hub.people.models import User

from .models import AdoptionRollup, Capability, Tool, ToolAlias, ToolCapability, ToolOwner, normalized
from .queries import LargeTeam

NOBODY = "none"
SHOWS = {
    "": _("Our tools"),
    "starter": _("Starter suggestions"),
    "past": _("Retired or rejected"),
    "all": pgettext_lazy("tools", "All"),
}


@dataclass(frozen=True)
class Chip:
    """One active filter: what it says, and the query string of this page without it."""

    name: str
    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Way:
    """A way out of a list filtered to nothing: taking this one chip away gives `count` tools."""

    chip: Chip
    count: int


class ToolFilter(django_filters.FilterSet):  # type: ignore[misc, name-defined]
    """Narrows the tools by what the query string says; a value it does not know is left out of account."""

    q = django_filters.CharFilter(label=_("Search"), method="search")  # type: ignore[no-untyped-call]
    capability = django_filters.CharFilter(label=_("For"), method="for_capability")  # type: ignore[no-untyped-call]
    standing = django_filters.CharFilter(label=_("Standing"), method="with_standing")  # type: ignore[no-untyped-call]
    lifecycle = django_filters.CharFilter(label=_("Lifecycle"), method="with_lifecycle")  # type: ignore[no-untyped-call]
    team = django_filters.CharFilter(label=_("Used by"), method="used_by")  # type: ignore[no-untyped-call]
    owner = django_filters.CharFilter(label=_("Owner"), method="owned_by")  # type: ignore[no-untyped-call]

    class Meta:
        model = Tool
        fields: tuple[str, ...] = ()

    def __init__(self, data: QueryDict, *, user: User, jobs: "list[Capability]", teams: "list[LargeTeam]") -> None:
        super().__init__(data, queryset=Tool.objects.all())
        self.user = user
        self.jobs = {job.slug: job for job in jobs}
        self.teams = {team.slug: team for team in teams}
        self.show = data.get("show", "") if data.get("show", "") in SHOWS else ""

    def filter_queryset(self, queryset: "QuerySet[Tool]") -> "QuerySet[Tool]":
        """Narrow by everything that is asked for. A past state asked for by name needs no `show=past` beside it."""
        found: QuerySet[Tool] = super().filter_queryset(self.shown(queryset))
        return found

    def shown(self, queryset: "QuerySet[Tool]") -> "QuerySet[Tool]":
        """Narrow to the part of the registry that is looked at, before any filter."""
        past = [Tool.Lifecycle.RETIRED.value, Tool.Lifecycle.REJECTED.value]
        if self.show == "starter":
            return queryset.filter(is_starter=True)
        if self.show == "past":
            return queryset.filter(lifecycle__in=past)
        if self.show == "all":
            return queryset
        queryset = queryset.filter(is_starter=False)
        return queryset if self.data.get("lifecycle") in past else queryset.exclude(lifecycle__in=past)

    def search(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        """Find by name, alias, what it is for, or the intent of a job it does; each word must be somewhere."""
        for word in value.split()[:6]:
            aliases = ToolAlias.objects.filter(tool=OuterRef("pk"), key__contains=normalized(word) or word)
            jobs = ToolCapability.objects.filter(tool=OuterRef("pk")).filter(
                Q(capability__name_en__icontains=word)
                | Q(capability__name_fr__icontains=word)
                | Q(capability__intent_en__icontains=word)
                | Q(capability__intent_fr__icontains=word)
            )
            queryset = queryset.filter(
                Q(name__icontains=word)
                | Q(summary_en__icontains=word)
                | Q(summary_fr__icontains=word)
                | Exists(aliases)
                | Exists(jobs)
            )
        return queryset

    def for_capability(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        job = self.jobs.get(value)
        if job is None:
            return queryset
        return queryset.filter(Exists(ToolCapability.objects.filter(tool=OuterRef("pk"), capability=job)))

    def with_standing(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        if value == NOBODY:
            return queryset.filter(ring="")
        return queryset.filter(ring=value) if value in Tool.Ring.values else queryset

    def with_lifecycle(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        return queryset.filter(lifecycle=value) if value in Tool.Lifecycle.values else queryset

    def used_by(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        """Tools in which somebody of the team holds an account."""
        team = self.teams.get(value)
        if team is None:
            return queryset
        rollups = AdoptionRollup.objects.filter(
            tool=OuterRef("pk"), team=team.pk, window=30, is_current=True, holders__gt=0
        )
        return queryset.filter(Exists(rollups))

    def owned_by(self, queryset: "QuerySet[Tool]", _name: str, value: str) -> "QuerySet[Tool]":
        """Tools of one person; of nobody; or the reader's own."""
        owners = ToolOwner.objects.filter(tool=OuterRef("pk"), role=ToolOwner.Role.BUSINESS)
        if value == NOBODY:
            return queryset.filter(~Exists(owners.filter(is_primary=True)))
        if value == "me":
            return queryset.filter(Exists(owners.filter(person=self.user)))
        person = row_id(value)
        return queryset if person is None else queryset.filter(Exists(owners.filter(person=person)))

    def asked_owner(self) -> User | None:
        """Return the person whose tools are asked for by id; None for everybody, nobody and the reader."""
        person = row_id(self.data.get("owner", ""))
        return None if person is None else User.objects.filter(pk=person).first()

    def chips(self, owner: User | None) -> list[Chip]:
        """Return one chip for each filter that is on, said in words."""
        words = {
            "capability": {slug: job.name for slug, job in self.jobs.items()},
            "standing": {NOBODY: _("Not decided"), **dict(Tool.Ring.choices)},
            "lifecycle": dict(Tool.Lifecycle.choices),
            "team": {slug: team.name for slug, team in self.teams.items()},
            "owner": {NOBODY: _("Nobody"), "me": _("Me"), **({str(owner.pk): owner.name} if owner else {})},
        }
        chips = []
        for name, declared in self.filters.items():
            value = self.data.get(name, "").strip()
            said = f"“{value}”" if name == "q" else words[name].get(value)  # type: ignore[attr-defined]
            if value and said:
                chips.append(Chip(name, str(declared.label), str(said), self.query(without=(name, "page"))))
        return chips

    def query(self, *, without: tuple[str, ...] = (), **changed: str) -> str:
        """Return this page's query string, less some parameters and with others changed."""
        query = self.data.copy()
        for name in without:
            query.pop(name, None)
        for name, value in changed.items():
            query[name] = value
        return f"?{query.urlencode()}" if query else "?"

    def everywhere_count(self) -> int:
        """Return how many tools of the whole registry fit; nought where the whole is looked at already."""
        if self.show == "all":
            return 0
        data = self.data.copy()
        data["show"] = "all"
        whole: Any = ToolFilter(data, user=self.user, jobs=list(self.jobs.values()), teams=list(self.teams.values()))
        return int(whole.qs.count())

    def ways_out(self, chips: list[Chip]) -> list[Way]:
        """Say which single chip, taken away, would give tools again, and how many. One query a chip."""
        ways = []
        for chip in chips:
            data = self.data.copy()
            data.pop(chip.name)
            fewer: Any = ToolFilter(
                data, user=self.user, jobs=list(self.jobs.values()), teams=list(self.teams.values())
            )
            if count := fewer.qs.count():
                ways.append(Way(chip, count))
        return ways
