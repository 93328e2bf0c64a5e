"""What the shell around every page needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.queries import MOST_COUNTED, Standing, standing
from hub.core.templatetags.ui import number
from hub.people.models import User

SCRIPTS = ("palette", "messages", "progress", "focus", "theme")


@dataclass(frozen=True)
class Place:
    """One place of the sidebar; `waits` says in words what the `count` there is of, empty where nothing waits."""

    url: str
    label: str
    icon: str
    is_here: bool
    count: str = ""
    waits: str = ""
    is_alarming: bool = False


def shell(request: HttpRequest) -> dict[str, object]:
    """Give every template the company's name, the places the reader may go to and how fresh the data is.

    What asks the database waits until a whole page is drawn: a partial has no frame.
    """
    known: dict[str, object] = {
        # As text: the tags that load htmx take a nonce that nobody has read yet for none at all.
        "csp_nonce": str(getattr(request, "csp_nonce", "")),
        "company": settings.COMPANY_NAME,
        "scripts": [static(f"js/{name}.js") for name in SCRIPTS],
        "themes": User.Theme.choices,
    }
    reader = getattr(request, "user", None)
    if not isinstance(reader, User):
        return known | {"places": (), "staff_places": (), "freshness": None, "stuck_since": None}
    sources = partial(standing_for, request, reader)
    return known | {
        "places": SimpleLazyObject(lambda: places(request.path)),
        "staff_places": SimpleLazyObject(lambda: staff_places(request.path, reader, sources)),
        "freshness": SimpleLazyObject(lambda: sources().freshness),
        # A moment has no lazy form that a filter takes: the template asks
        "stuck_since": lambda: sources().stuck_since if reader.has_perm("connectors.see_syncs") else None,
    }


def standing_for(request: HttpRequest, reader: User) -> Standing:
    """Return how the sources stand, asked once a request: the frame around a page tells it, and the page may."""
    known: Standing | None = getattr(request, "standing", None)
    if known is None:
        known = standing(counts_unmatched=reader.has_perm("people.match_accounts"))
        request.standing = known  # type: ignore[attr-defined]
    return known


def places(path: str) -> Sequence[Place]:
    """Return the five places that everybody has."""
    home = reverse("home:home")
    rooms = (
        ("tooling:tool_list", _("Tools"), "tools"),
        ("frameworks:library", _("Library"), "library"),
        ("onboarding:journeys", _("Onboarding"), "onboarding"),
        ("kpis:overview", _("KPIs"), "kpis"),
    )
    return (
        Place(home, _("Home"), "home", path == home),
        *(place(name, label, icon, path) for name, label, icon in rooms),
    )


def staff_places(path: str, reader: User, sources: Callable[[], Standing]) -> Sequence[Place]:
    """Return the places that only some have, each with what waits there."""
    found = []
    if reader.has_perm("connectors.see_syncs"):
        failing = sources().failing
        waits = ngettext("%(count)s failed", "%(count)s failed", failing) % {"count": failing}
        syncs = place("connectors:sync_list", _("Syncs"), "sync", path)
        found.append(replace(syncs, count=number(failing) if failing else "", waits=waits, is_alarming=True))
    if reader.has_perm("people.see_people"):
        count = sources().unmatched if reader.has_perm("people.match_accounts") else 0
        shown = f"{number(MOST_COUNTED - 1)}+" if count >= MOST_COUNTED else number(count)
        waits = ngettext("%(count)s account to match", "%(count)s accounts to match", count) % {"count": shown}
        people = place("people:person_list", _("People"), "people", path)
        found.append(replace(people, count=shown if count else "", waits=waits))
    if reader.has_perm("imports.see_imports"):
        found.append(place("imports:plan_list", _("Imports"), "table", path))
    if reader.has_perm("home.see_styleguide"):
        found.append(place("home:styleguide", _("Styleguide"), "settings", path))
    return found


def place(name: str, label: str, icon: str, path: str) -> Place:
    """Return one place, marked when `path` is in it."""
    url = reverse(name)
    return Place(url, label, icon, path.startswith(url))
