"""The URL grammar of the people list."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import Membership, Role, Team, User, UserQuerySet

ACCESS = [
    ("open", _("Can sign in")),
    ("invited", _("Invited")),
    ("none", _("No access yet")),
    ("left", _("Left")),
]
SORTS = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "role": ("role", "name", "pk"),
    "-role": ("-role", "name", "pk"),
    "visit": ("-last_visit_at", "name", "pk"),
    "-visit": ("last_visit_at", "name", "pk"),
}


@dataclass(frozen=True)
class Chip:
    """One active filter: what it says, and which part of the URL takes it away."""

    name: str
    value: str
    text: str


class PeopleFilter(django_filters.FilterSet):  # type: ignore[name-defined,misc]
    """`?q=` words, `?team=` slug, `?role=`, `?access=`; several of a kind widen it. Who left shows if asked for."""

    q = django_filters.CharFilter(method="by_words", label=_("Search the people"))  # type: ignore[no-untyped-call]
    team = django_filters.ModelMultipleChoiceFilter(  # type: ignore[no-untyped-call]
        queryset=Team.objects.order_by("name", "pk"), to_field_name="slug", method="by_team", label=_("Team")
    )
    role = django_filters.MultipleChoiceFilter(  # type: ignore[no-untyped-call]
        choices=Role.choices, label=_("Role")
    )
    access = django_filters.MultipleChoiceFilter(  # type: ignore[no-untyped-call]
        choices=ACCESS, method="by_access", label=_("Access")
    )

    class Meta:
        model = User
        fields = ("q", "team", "role", "access")

    def by_words(self, people: UserQuerySet, name: str, words: str) -> UserQuerySet:
        return people.matching(words)

    def by_team(self, people: UserQuerySet, name: str, teams: QuerySet[Team]) -> UserQuerySet:
        if not teams:
            return people
        return people.filter(pk__in=Membership.objects.on(timezone.localdate()).filter(team__in=teams).values("person"))

    def by_access(self, people: UserQuerySet, name: str, states: list[str]) -> UserQuerySet:
        return people.filter(access__in=states) if states else people  # type: ignore[misc]

    def filter_queryset(self, people: UserQuerySet) -> UserQuerySet:
        found: UserQuerySet = super().filter_queryset(people)
        return found if self.form.cleaned_data.get("access") else found.filter(is_active=True)

    @property
    def ordering(self) -> tuple[str, ...]:
        """The order that `?sort=` asks for; by name if it asks for none we know."""
        return SORTS.get(self.data.get("sort", ""), SORTS["name"])

    @property
    def chips(self) -> list[Chip]:
        """The active filters in words."""
        self.form.is_valid()
        chosen: dict[str, Any] = self.form.cleaned_data
        roles, states = dict(Role.choices), dict(ACCESS)
        found = [Chip("q", "", f"“{chosen['q']}”")] if chosen.get("q") else []
        found += [Chip("team", team.slug, team.name) for team in chosen.get("team") or ()]
        found += [Chip("role", key, str(roles[key])) for key in chosen.get("role") or ()]
        found += [Chip("access", key, str(states[key])) for key in chosen.get("access") or ()]
        return found


@dataclass(frozen=True)
class Way:
    """A filter that, taken away alone, would show `count` people."""

    chip: Chip
    count: int


def ways_out(data: QueryDict, people: UserQuerySet) -> list[Way]:
    """For a search that found nobody: which single filter to take away, and how many people that would show."""
    ways = []
    for chip in PeopleFilter(data, queryset=people).chips:
        rest = data.copy()
        rest.setlist(chip.name, [value for value in rest.getlist(chip.name) if chip.value and value != chip.value])
        count = PeopleFilter(rest, queryset=people).qs.count()
        if count:
            ways.append(Way(chip, count))
    return ways
