"""The list of people, and one person."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.csv import csv_answer
from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.people import actions, queries
from hub.people.filters import PeopleFilter, ways_out
from hub.people.forms import LeaveForm, MembershipForm, PersonForm
from hub.people.models import Membership, Role, Team, User
from hub.people.permissions import requires

SELECTS = ("team", "role", "access")


@require_safe
@requires("people.see_people")
def person_list(request: Request) -> HttpResponse:
    """List the people; `?q=`, `?team=`, `?role=`, `?access=`, `?sort=` and `?page=` narrow and order the list."""
    people = User.objects.with_access()
    found = PeopleFilter(request.GET, queryset=people)
    rows = queries.with_teams(found.qs.defer("password").order_by(*found.ordering), day=timezone.localdate())
    page = paginate(request, rows)
    context = {
        "filter": found,
        "page": page,
        "chips": found.chips,
        "teams": list(Team.objects.active().order_by("name", "pk").values_list("slug", "name")),
        "chosen": {"q": request.GET.get("q", ""), **{name: request.GET.getlist(name) for name in SELECTS}},
        "ways_out": [] if page.paginator.count else ways_out(request.GET, people),
        "sort": request.GET.get("sort", "name"),
    }
    return render_page(request, "people/person_list.html", context, partials=("people-results",))


@require_safe
@requires("people.see_people")
def person_export(request: Request) -> HttpResponse:
    """Answer the list, filtered and sorted as on the page, as CSV."""
    found = PeopleFilter(request.GET, queryset=User.objects.with_access())
    people = queries.with_teams(found.qs.defer("password").order_by(*found.ordering), day=timezone.localdate())
    states = dict(found.filters["access"].extra["choices"])
    header = [_("Name"), _("E-mail"), _("Job title"), _("Role"), _("Teams"), _("Access"), _("First day"), _("Last day")]
    rows = (
        [
            person.name,
            person.email,
            person.job_title,
            person.get_role_display(),
            ", ".join(held.team.name for held in queries.teams_now(person)),
            states[person.access],
            person.started_on,
            person.left_on,
        ]
        for person in people
    )
    return csv_answer("people.csv", header, rows)


@require_safe
@requires("people.see_directory")
def person_detail(request: Request, pk: int) -> HttpResponse:
    """Show one person: teams through time, accounts across tools, what was changed."""
    person = get_object_or_404(User.objects.with_access().defer("password"), pk=pk)
    memberships = list(queries.memberships_of(person))
    may_edit = request.user.has_perm("people.edit_people")
    context = {
        "person": person,
        "memberships": memberships,
        "today": timezone.localdate(),
        "teams_led": list(person.teams_led.active().order_by("name", "pk")),
        "may_edit": may_edit,
        "may_see_accounts": request.user.has_perm("people.see_accounts", person),
        "is_self": person == request.user,
    }
    return render_page(request, "people/person_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
@transaction.atomic
def person_edit(request: Request, pk: int) -> HttpResponse:
    """Change what is said of a person; two editors notice each other."""
    person = get_object_or_404(User.objects.select_for_update(), pk=pk)
    form = PersonForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_person(
                person=person,
                name=form.cleaned_data["name"],
                job_title=form.cleaned_data["job_title"],
                role=Role(form.cleaned_data["role"]),
                started_on=form.cleaned_data["started_on"],
                version=form.stored_version,
                by=request.user,
                why=form.cleaned_data["why"],
            )
        except actions.NotYourself:
            form.add_error("role", _("Your own role is changed by another Product Ops admin."))
        except actions.ProtectedPerson:
            form.add_error(None, _("A technical admin is changed by a technical admin only."))
        else:
            say(request, _("%(name)s was saved.") % {"name": form.cleaned_data["name"]})
            return redirect("people:person_detail", pk=pk)
    stored = User.objects.get(pk=pk)
    status = 422 if form.errors else 200
    return render_page(request, "people/person_form.html", {"form": form, "person": stored}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
def person_deactivate(request: Request, pk: int) -> HttpResponse:
    """Close a person's access: they are signed out with their next request, their memberships end."""
    person = get_object_or_404(User.objects.active(), pk=pk)
    form = LeaveForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            actions.deactivate(person=person, by=request.user, **form.cleaned_data)
        except actions.NotYourself:
            form.add_error(None, _("Nobody closes their own access. Ask another Product Ops admin."))
        except actions.ProtectedPerson:
            form.add_error(None, _("A technical admin is changed by a technical admin only."))
        else:
            say(request, _("The access of %(name)s is closed.") % {"name": person})
            return redirect("people:person_detail", pk=pk)
    status = 422 if form.errors else 200
    return render_page(request, "people/person_deactivate.html", {"form": form, "person": person}, status=status)


@require_POST
@requires("people.edit_people")
def person_reactivate(request: Request, pk: int) -> HttpResponse:
    """Take a person back who had left; they come in by a new invitation."""
    person = get_object_or_404(User.objects.filter(is_active=False), pk=pk)
    try:
        actions.reactivate(person=person, by=request.user)
    except actions.ProtectedPerson:
        say(request, _("A technical admin is changed by a technical admin only."), level="error")
    else:
        say(request, _("%(name)s is back. Send an invitation so that they can sign in.") % {"name": person})
    return redirect("people:person_detail", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
def membership_create(request: Request, pk: int) -> HttpResponse:
    """Put a person into a team, from a day on."""
    person = get_object_or_404(User.objects.active(), pk=pk)
    form = MembershipForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.join_team(person=person, by=request.user, **data)
        except actions.OverlappingMembership:
            form.add_error(None, overlap_sentence(is_primary=data["is_primary"]))
        else:
            say(request, _("%(name)s is in %(team)s.") % {"name": person, "team": data["team"]})
            return redirect("people:person_detail", pk=pk)
    context = {"form": form, "person": person, "membership": None}
    return render_page(request, "people/membership_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.edit_people")
def membership_edit(request: Request, pk: int) -> HttpResponse:
    """Move the dates of a membership, end it, or make it the main one."""
    membership = get_object_or_404(Membership.objects.select_related("person", "team"), pk=pk)
    form = MembershipForm(request.POST or None, instance=membership)
    if request.method == "POST" and form.is_valid():
        stored = Membership.objects.select_related("person", "team").get(pk=pk)
        try:
            actions.change_membership(membership=stored, by=request.user, **form.cleaned_data)
        except actions.OverlappingMembership:
            form.add_error(None, overlap_sentence(is_primary=form.cleaned_data["is_primary"]))
        else:
            say(request, _("The dates in %(team)s were saved.") % {"team": stored.team})
            return redirect("people:person_detail", pk=membership.person_id)
    context = {"form": form, "person": membership.person, "membership": membership}
    return render_page(request, "people/membership_form.html", context, status=422 if form.errors else 200)


def overlap_sentence(*, is_primary: bool) -> str:
    """Say why a membership was refused, and what to do."""
    if is_primary:
        return _("On some of those days this person already has a main team, or is in this team. End that one first.")
    return _("On some of those days this person is in this team already. Change that membership instead.")
