"""Front pages and the shell's own acts."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from hub.core.http import Request, render_page, unprocessable
from hub.people.models import User
from hub.people.permissions import requires

from . import queries

YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def home(request: Request) -> HttpResponse:
    """Show what waits for the reader, by role: the queue of Product Ops, a leader's figures, a member's next things."""
    if request.user.is_ops:
        return render_page(request, "hub/home_ops.html", {"queue": queries.queue(request.user)})
    if request.user.is_leader:
        return render_page(request, "hub/home_leader.html", {"front": queries.leader_front(request.user)})
    return render_page(request, "hub/home.html", {"front": queries.member_front(request.user)})


@require_safe
@requires("home.see_styleguide")
def styleguide(request: Request) -> HttpResponse:
    """Show every part of the pages, in each of its states."""
    now = timezone.now()
    context = {
        "series": range(1, 7),
        "tones": ("ok", "warn", "bad", "info", "neutral", "none"),
        "colours": ("paper", "surface", "sunken", "ink", "ink-muted", "line", "edge", "accent", "accent-fill",
                    "accent-line", "ok", "warn", "bad", "info", "neutral"),
        "icons": ICONS,
        "rings": ("adopt", "trial", "assess", "hold", ""),
        "people": ["Nora Haddad", "Inès Carpentier", "Salomé Petit", "Thomas Weil", "Élodie Faure", "Yann Le Goff"],
        "moments": [now, now - timedelta(minutes=12), now - timedelta(days=3), now - timedelta(days=400), None],
        "spans": [timedelta(seconds=45), timedelta(minutes=12), timedelta(hours=3.5), timedelta(days=8.2), None],
        "levels": ("success", "info", "warning", "error"),
    }  # fmt: skip
    return render_page(request, "hub/styleguide.html", context)


ICONS = (
    "home", "tools", "library", "onboarding", "kpis", "sync", "review", "people", "settings",
    "search", "bell", "globe", "menu", "close", "down", "right", "rise", "fall",
    "external", "check", "plus", "filter", "columns", "download", "clock", "calendar", "edit",
    "alert", "lock", "key", "comment", "document", "table", "renew", "undo", "theme",
    "more", "play", "swap", "ask", "link", "verified",
)  # fmt: skip


@require_POST
@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak the chosen language from now on: to a person everywhere, to a stranger in this browser."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return unprocessable(request, translation.gettext("The hub speaks English and French."))
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    answer = redirect(way_back(request))
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_SECONDS,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer


@require_POST
def set_theme(request: Request) -> HttpResponse:
    """Keep whether the reader wants light, dark or what their system says."""
    theme = request.POST.get("theme", "")
    if theme not in User.Theme.values:
        return unprocessable(request, translation.gettext("A theme is light, dark or as the system."))
    User.objects.filter(pk=request.user.pk).update(theme=theme)
    return HttpResponseRedirect(way_back(request))


def way_back(request: HttpRequest) -> str:
    """Return the page the form was on, if it is one of ours."""
    wished = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wished, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wished if is_ours and wished.startswith("/") else reverse("home:home")
