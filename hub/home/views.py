"""Front pages and the shell's own acts."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from hub.core.http import Request, render_page, unprocessable
from hub.people.models import User
from hub.people.permissions import requires

from . import examples, queries
from .context import standing_for

YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def home(request: Request) -> HttpResponse:
    """Show what waits for the reader, by role: the queue of Product Ops, a leader's figures, a member's next things."""
    if request.user.is_ops:
        queue = queries.queue(request.user)
        rows = queue[: queries.MOST_ROWS] or queries.first_steps(request.user)
        context = {"queue": rows, "more_wait": len(queue) > queries.MOST_ROWS}
        return render_page(request, "hub/home_ops.html", context)
    if request.user.is_leader:
        return render_page(request, "hub/home_leader.html", {"front": queries.leader_front(request.user)})
    steps = []
    if request.user.has_perm("connectors.edit_connection"):
        steps = queries.for_admin(request.user, standing_for(request, request.user))
    return render_page(request, "hub/home.html", {"front": queries.member_front(request.user), "steps": steps})


@require_safe
@requires("home.see_styleguide")
def styleguide(request: Request) -> HttpResponse:
    """Show every part of the pages, in each of its states."""
    context = examples.everything()
    return render_page(request, "hub/styleguide.html", context)


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
