"""The teams of the company."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.people import actions, queries
from hub.people.forms import TeamForm
from hub.people.models import Team
from hub.people.permissions import requires


@require_safe
@requires("people.see_directory")
def team_list(request: Request) -> HttpResponse:
    """Show the teams as a tree with their leads and sizes; `?closed=1` shows the closed ones, too."""
    shows_closed = request.GET.get("closed") == "1"
    context = {
        "rows": queries.team_tree(day=timezone.localdate(), shows_closed=shows_closed),
        "shows_closed": shows_closed,
        "may_edit": request.user.has_perm("people.edit_people"),
    }
    return render_page(request, "people/team_list.html", context)


@require_safe
@requires("people.see_directory")
def team_detail(request: Request, slug: str) -> HttpResponse:
    """Show a team: who is in it today, what it is part of, what is part of it."""
    team = get_object_or_404(Team.objects.select_related("lead", "parent"), slug=slug)
    today = timezone.localdate()
    context = {
        "team": team,
        "page": paginate(request, queries.members_of(team, day=today)),
        "children": list(team.children.active().with_size(day=today).select_related("lead").order_by("name", "pk")),
        "may_edit": request.user.has_perm("people.edit_people"),
    }
    return render_page(request, "people/team_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
def team_create(request: Request) -> HttpResponse:
    """Make a team."""
    return edit(request, Team())


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
@transaction.atomic
def team_edit(request: Request, slug: str) -> HttpResponse:
    """Change a team's name, place, lead, or close it; its address stays."""
    return edit(request, get_object_or_404(Team.objects.select_for_update(), slug=slug))


def edit(request: Request, team: Team) -> HttpResponse:
    """Show the form of a team, and save what it takes in."""
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("name", "parent", "lead", "is_active", "why")}
        saved = actions.save_team(
            team=Team.objects.get(pk=team.pk) if team.pk else Team(),
            version=form.stored_version,
            by=request.user,
            **data,
        )
        say(request, _("%(team)s was saved.") % {"team": saved})
        return redirect(saved)
    stored = Team.objects.get(pk=team.pk) if team.pk else None
    context = {
        "form": form,
        "team": stored,
        "people": queries.members_of(stored, day=timezone.localdate()) if stored else (),
    }
    return render_page(request, "people/team_form.html", context, status=422 if form.errors else 200)
