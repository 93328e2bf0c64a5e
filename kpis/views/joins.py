"""How far the tools are joined, and the one join that a person makes: which project delivers a feature."""

from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from connectors.accounts.queries import leavers
from connectors.models import ProductItem, WorkProject
from hub.core.http import Request, render_page, row_id
from hub.core.messages import say
from hub.people.permissions import requires
from kpis import actions
from kpis.models import ProjectLink
from kpis.sync import joined

LEAVERS_SHOWN = 20
LONGEST = 500  # letters of a project's name or address


def projects() -> "QuerySet[WorkProject]":
    """Projects that a feature can be tied to."""
    found: QuerySet[WorkProject] = WorkProject.objects.filter(
        deleted_at=None, is_trashed=False, connection__is_active=True
    )
    return found.order_by("name", "pk")


class LinkForm(forms.Form):
    """A feature, and the project that delivers it: its name where only one is called so, else its address."""

    item = forms.ModelChoiceField(
        ProductItem.objects.filter(deleted_at=None, kind="feature", connection__is_active=True),
        label=gettext_lazy("Feature"),
    )
    project = forms.CharField(label=gettext_lazy("Project"), max_length=LONGEST)

    def clean_project(self) -> WorkProject:
        typed = self.cleaned_data["project"].strip()
        found = list(projects().filter(Q(name__iexact=typed) | Q(url=typed))[:2])
        if not found:
            raise ValidationError(_("No project is called so: choose one from the list, or enter its address."))
        if len(found) > 1:
            raise ValidationError(_("Several projects are called so: enter the address of the one you mean."))
        return found[0]


@require_safe
@requires("kpis.see_kpis")
def join_list(request: Request) -> HttpResponse:
    """Show how far the tools are joined; `?feature=` and `?project=` fill the form that ties the two."""
    may_link = request.user.has_perm("kpis.link_projects")
    may_see_people = request.user.has_perm("people.match_accounts")
    tools = joined.tools()
    left = sum(tool.leavers for tool in tools)
    seats = leavers().select_related("person", "connection").order_by("connection__label", "person__name", "pk")
    context = {
        "joins": joined.joins(),
        "tools": tools,
        "left": left,
        "leavers": list(seats[:LEAVERS_SHOWN]) if left and may_see_people else [],
        "projects": list(projects().values_list("name", flat=True)[:500]) if may_link else [],
        "links": ProjectLink.objects.in_force()
        .select_related("project", "item", "linked_by")
        .order_by("-linked_at", "-pk")[:50],
        "may_link": may_link,
        "feature": row_id(request.GET.get("feature", "")),
        "typed": request.GET.get("project", "")[:LONGEST],
        "may_see_people": may_see_people,
    }
    return render_page(request, "kpis/join_list.html", context)


@require_POST
@requires("kpis.link_projects")
def project_link(request: Request) -> HttpResponse:
    """Say which project delivers a feature."""
    form = LinkForm(request.POST)
    if not form.is_valid():
        text = next((str(error) for errors in form.errors.values() for error in errors), "")
        say(request, text, level="warning")
        return redirect(at_the_form(feature=request.POST.get("item", ""), project=request.POST.get("project", "")))
    made = actions.link_project(project=form.cleaned_data["project"], item=form.cleaned_data["item"], by=request.user)
    words = {"feature": made.item.name, "project": made.project.name}
    text = _("“%(feature)s” is delivered by “%(project)s”; the next computation counts it.") % words
    say(request, text, undo=reverse("kpis:project_unlink", args=[made.pk]))
    return redirect(at_the_form())


def at_the_form(**typed: str) -> str:
    """Return the address of the form, with what was typed in it: whoever ties one ties several."""
    told = urlencode({name: text[:LONGEST] for name, text in typed.items() if text})
    return f"{reverse('kpis:join_list')}{f'?{told}' if told else ''}#loose"


@require_POST
@requires("kpis.link_projects")
def project_unlink(request: Request, pk: int) -> HttpResponse:
    """Take a link back."""
    link = get_object_or_404(ProjectLink.objects.select_related("project", "item"), pk=pk)
    if actions.unlink_project(link=link, by=request.user):
        say(request, _("The link was taken back."))
    else:
        say(request, _("It was taken back already."), level="info")
    return redirect("kpis:join_list")
