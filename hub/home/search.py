"""What the palette finds in the shell: its pages, by what the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Value, When
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team, User
from hub.search.registry import Hit, Source, register


@dataclass(frozen=True)
class Page:
    """A page of the hub: where, its name, its icon, who may (a right, or everybody), other words for it."""

    name: str
    title: str | Promise
    icon: str
    right: str = ""
    words: str | Promise = ""


PAGES = (
    Page("home:home", _("Home"), "home", words=_("start queue overview")),
    Page("tooling:tool_list", _("Tools"), "tools", "tooling.see_tools", _("software apps registry")),
    Page("tooling:capability_list", _("Which tool for this job?"), "ask", "tooling.see_tools", _("capability guide")),
    Page("kpis:overview", _("KPIs"), "kpis", "kpis.see_kpis", _("figures metrics indicators")),
    Page("kpis:leadership", _("Leadership figures"), "kpis", "kpis.see_leadership", _("dashboard board")),
    Page("frameworks:library", _("Library"), "library", words=_("frameworks templates playbooks")),
    Page("onboarding:journeys", _("Onboarding"), "onboarding", words=_("journey newcomer first day")),
    Page("people:profile", _("Your profile"), "people", words=_("account language theme")),
    Page("account_change_password", _("Change the password"), "key"),
    Page("people:privacy", _("What we measure, and why"), "lock", words=_("privacy data personal")),
    Page("people:person_list", _("People"), "people", "people.see_people", _("colleagues directory")),
    Page("people:team_list", _("Teams"), "people", "people.see_directory", _("squads groups")),
    Page("people:invite", _("Invite somebody"), "plus", "people.invite", _("new person")),
    Page("accounts:account_list", _("Unmatched accounts"), "link", "people.match_accounts", _("match people")),
    Page("connectors:sync_list", _("Syncs"), "sync", "connectors.see_syncs", _("connections sources freshness")),
    Page("connectors:connection_create", _("Connect a service"), "plus", "connectors.edit_connection", _("token")),
    Page("tooling:tool_create", _("Add a tool"), "plus", "tooling.create_tool", _("new tool")),
    Page(
        "imports:plan_list",
        _("Imports"),
        "download",
        "imports.see_imports",
        _("CSV Excel spreadsheet upload tools people seats"),
    ),
    Page("home:styleguide", _("Styleguide"), "settings", "home.see_styleguide", _("parts colours")),
)


def find_pages(words: str, reader: User, limit: int) -> Sequence[Hit]:
    """Find pages by name or another word for them; with no words, those that everybody uses."""
    asked = words.casefold()
    hits = []
    for page in PAGES:
        if page.right and not reader.has_perm(page.right):
            continue
        rank = nearness(asked, str(page.title).casefold(), str(page.words).casefold())
        if rank:
            hits.append(Hit(reverse(page.name), str(page.title), icon=page.icon, rank=rank))
    return sorted(hits, key=lambda hit: -hit.rank)[:limit]


def nearness(asked: str, title: str, others: str) -> float:
    """Return how near a page is to what was typed, 0 for not at all."""
    if not asked or title.startswith(asked):
        return 0.85
    if any(word.startswith(asked) for word in title.split()):
        return 0.6
    return 0.35 if any(word.startswith(asked) for word in others.split()) else 0.0


def find_people(words: str, reader: User, limit: int) -> Sequence[Hit]:
    """Find colleagues by name, e-mail or job title; the nearest name first. The people's own room stands too low."""
    if not words.strip() or not reader.has_perm("people.see_directory"):
        return ()
    starts = Case(When(name__istartswith=words.strip(), then=Value(0)), default=Value(1))
    people = User.objects.active().matching(words).only("pk", "name", "email", "job_title")
    return [
        Hit(
            person.get_absolute_url(),
            person.name,
            person.job_title or person.email,
            icon="people",
            rank=0.8 if person.name.casefold().startswith(words.strip().casefold()) else 0.5,
        )
        for person in people.order_by(starts, "name", "pk")[:limit]
    ]


def find_teams(words: str, reader: User, limit: int) -> Sequence[Hit]:
    """Find teams by name: who is in them, and where they belong."""
    if not words.strip() or not reader.has_perm("people.see_directory"):
        return ()
    teams = Team.objects.filter(is_active=True, name__icontains=words.strip()).select_related("parent")
    return [
        Hit(team.get_absolute_url(), team.name, team.parent.name if team.parent else "", icon="people", rank=0.7)
        for team in teams.order_by("name", "pk")[:limit]
    ]


register(Source("people", _("People"), find_people, order=40))
register(Source("teams", _("Teams"), find_teams, order=45))
register(Source("pages", _("Pages"), find_pages, order=90))
