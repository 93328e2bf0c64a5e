"""The list of tools, a tool's page, and the acts on it."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.activity.models import Event
from hub.activity.queries import changes_of
from hub.core.csv import csv_answer
from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.people.permissions import require, requires
from tooling import actions
from tooling.filters import NOBODY, SHOWS, ToolFilter
from tooling.forms import DecisionForm, MoveForm, OwnerForm, ToolForm
from tooling.models import Capability, StandardDecision, Tool, ToolOwner
from tooling.models.adoption import WINDOWS
from tooling.queries import (
    SORTS,
    TEAMS_IN_A_ROW,
    adoption_of,
    counted,
    idle_accounts,
    large_teams,
    list_rows,
    listed,
    sorted_by,
    tool_on_page,
    workspaces_of,
)

TEAMS_SHOWN = 20
COLUMNS = {
    "for": gettext_lazy("For"),
    "standing": gettext_lazy("Standing"),
    "lifecycle": gettext_lazy("Lifecycle"),
    "active": gettext_lazy("Active in 30 days"),
    "seats": gettext_lazy("Seats in use"),
    "owner": gettext_lazy("Owner"),
}
SHOWN_AT_FIRST = ("for", "standing", "active", "seats", "owner")
TABS = {
    "overview": gettext_lazy("Overview"),
    "people": gettext_lazy("People and adoption"),
    "standards": gettext_lazy("Standing"),
    "changes": gettext_lazy("Changes"),
}


@dataclass(frozen=True)
class Heading:
    """A column of the list: its words, where a click on it leads, how it is sorted now."""

    key: str
    label: str
    href: str
    sorted: str  # ascending, descending or empty


def _filter(request: Request) -> ToolFilter:
    jobs = list(Capability.objects.order_by("sort", "name_en", "pk"))
    return ToolFilter(request.GET, user=request.user, jobs=jobs, teams=large_teams())


def _sort(request: Request) -> str:
    asked = request.GET.get("sort", "")
    return asked if asked.removeprefix("-") in SORTS else "standing"


@require_safe
def tool_list(request: Request) -> HttpResponse:
    """List the tools; the query string narrows, orders, pages and chooses the columns."""
    found = _filter(request)
    sort = _sort(request)
    columns = [key for key in COLUMNS if key in request.GET.getlist("col")] or list(SHOWN_AT_FIRST)
    teams = list(found.teams.values())
    owner = found.asked_owner()
    chips = found.chips(owner)
    count, total = counted(found.qs, found.shown(Tool.objects.all()) if chips else None)
    page = paginate(request, sorted_by(found.qs, sort).values_list("pk", flat=True), count=count)
    rows = list_rows(list(page), jobs=found.jobs.values(), teams=teams if "active" in columns else [])
    context = {
        "filter": found,
        "page": page,
        "asked": {name: request.GET.get(name, "") for name in (*found.filters, "sort", "col")},
        "rows": rows,
        "total": total,
        "chips": chips,
        "ways": found.ways_out(chips) if not rows else [],
        "elsewhere": found.everywhere_count() if chips and not rows else 0,
        "show_all": _show(found, "all"),
        "has_bars": any(row.bars for row in rows),
        "bar_teams": ", ".join(team.name for team in teams[:TEAMS_IN_A_ROW]),
        "headings": _headings(found, columns, sort),
        "columns": columns,
        "connect": reverse("connectors:connection_create")
        if request.user.has_perm("connectors.edit_connection")
        else "",
        "all_columns": COLUMNS,
        "kept": [(name, value) for name, value in request.GET.items() if name not in ("col", "page")],
        "shows": [(key, label, _show(found, key)) for key, label in SHOWS.items()],
        "families": _families(found),
        "team_choices": [(team.slug, team.name) for team in teams],
        "owner": owner,
        "standings": [*Tool.Ring.choices, (NOBODY, _("Not decided"))],
        "lifecycles": Tool.Lifecycle.choices,
        "export": reverse("tooling:tool_export") + found.query(without=("page",)),
        "query": found.query(without=("page",)),
        "sort": sort,
        "can_create": request.user.has_perm("tooling.create_tool"),
        "can_import": request.user.has_perm("tooling.import_tools"),
    }
    return render_page(request, "tooling/tool_list.html", context, partials=("tool-results",))


def _show(found: ToolFilter, key: str) -> str:
    """Return the query string that looks at another part of the registry."""
    return found.query(without=("show", "page"), **({"show": key} if key else {}))


def _headings(found: ToolFilter, columns: list[str], sort: str) -> list[Heading]:
    made = []
    for key, label in {"name": gettext_lazy("Tool"), **COLUMNS}.items():
        if key != "name" and key not in columns:
            continue
        falls_first = key in ("active", "seats")
        now = "" if sort.removeprefix("-") != key else "descending" if sort.startswith("-") else "ascending"
        up = now == "descending" or (not now and not falls_first)
        href = found.query(without=("page",), sort=key if up else f"-{key}")
        made.append(Heading(key, str(label), href, now))
    return made


def _families(found: ToolFilter) -> list[tuple[Capability, list[tuple[str, str]]]]:
    """Return each family with the choices it offers."""
    jobs = list(found.jobs.values())
    return [
        (family, [(job.slug, job.name) for job in jobs if job.parent_id == family.pk])
        for family in jobs
        if family.parent_id is None
    ]


@require_safe
def tool_export(request: Request) -> HttpResponse:
    """Give the filtered list as CSV, in the columns that an import reads back."""
    tools = listed(_filter(request).qs, sort=_sort(request)).prefetch_related("capability_links__capability", "aliases")
    header = [
        "slug", "name", "summary_en", "summary_fr", "vendor", "website", "login_url", "kind", "lifecycle", "standing",
        "capabilities", "aliases", "owner", "active_30_days", "eligible", "seats_in_use", "seats", "signal", "as_of",
    ]  # fmt: skip
    return csv_answer("tools", header, (_csv_row(tool) for tool in tools))


def _csv_row(tool: Any) -> list[object]:
    """Return one tool as a row; what is not measured is an empty cell."""
    use, owner = tool.adoption, tool.owner_link
    links = sorted(tool.capability_links.all(), key=lambda link: (not link.is_primary, link.pk))
    return [
        tool.slug,
        tool.name,
        tool.summary_en,
        tool.summary_fr,
        tool.vendor.name if tool.vendor else "",
        tool.website,
        tool.login_url,
        tool.kind,
        tool.lifecycle,
        tool.ring,
        "; ".join(link.capability.slug for link in links),
        "; ".join(alias.text for alias in tool.aliases.all()),
        owner.person.email if owner and owner.person else "",
        use.active if use else None,
        use.eligible if use else None,
        use.accounts_active if use else None,
        use.accounts if use else None,
        use.signal if use else "",
        use.as_of if use else "",
    ]


@require_safe
def tool_detail(request: Request, slug: str) -> HttpResponse:
    """Show one tool; `?tab=` chooses what of it."""
    try:
        tool = tool_on_page(slug)
    except Tool.DoesNotExist as missing:
        raise Http404 from missing
    tab = request.GET.get("tab", "changes" if "changes" in request.GET else "overview")
    tab = tab if tab in TABS else "overview"
    owners = list(tool.owners.all())
    main = next((owner for owner in owners if owner.role == ToolOwner.Role.BUSINESS and owner.is_primary), None)
    context: dict[str, object] = {
        "tool": tool,
        "tab": tab,
        "tabs": [(key, label, _tab_url(tool, key)) for key, label in TABS.items()],
        "owners": owners,
        "owner": main,
        "main_link": tool.capability_link,
        "can_edit": request.user.has_perm("tooling.edit_tool", tool),
        "can_decide": request.user.has_perm("tooling.change_standing"),
        "tab_template": f"tooling/tool_{tab}.html",
    }
    context |= _TAB_CONTEXT[tab](request, tool)
    return render_page(request, "tooling/tool_detail.html", context)


def _tab_url(tool: Tool, tab: str) -> str:
    return tool.get_absolute_url() + ("" if tab == "overview" else f"?tab={tab}")


def _overview(request: Request, tool: Tool) -> dict[str, object]:
    return {
        "links": list(
            tool.capability_links.select_related("capability").order_by("-is_primary", "capability__sort", "pk")
        ),
        "use": adoption_of(tool, reader=request.user, window=30, limit=6),
        "latest": changes_of(tool, limit=4),
    }


def _people(request: Request, tool: Tool) -> dict[str, object]:
    asked = request.GET.get("window", "30")
    window = int(asked) if asked in {str(size) for size in WINDOWS} else 30
    limit = None if request.GET.get("teams") == "all" else TEAMS_SHOWN
    may_see_idle = request.user.has_perm("tooling.see_idle_people", tool)
    return {
        "use": adoption_of(tool, reader=request.user, window=window, limit=limit),
        "window": window,
        "windows": WINDOWS,
        "workspaces": workspaces_of(tool),
        "may_see_idle": may_see_idle,
        "idle": idle_accounts(tool, window=window) if may_see_idle else [],
        "can_match": request.user.has_perm("people.match_accounts"),
    }


def _standards(_request: Request, tool: Tool) -> dict[str, object]:
    decisions = list(
        StandardDecision.objects.filter(tool=tool)
        .select_related("capability", "team", "decided_by")
        .order_by("-decided_on", "-pk")
    )
    return {
        "current": [decision for decision in decisions if decision.is_current],
        "past": [decision for decision in decisions if not decision.is_current],
        "today": timezone.localdate(),
    }


def _changes(request: Request, tool: Tool) -> dict[str, object]:
    return {"changes": changes_of(tool, page=request.GET.get("changes"))}


_TAB_CONTEXT = {"overview": _overview, "people": _people, "standards": _standards, "changes": _changes}


@require_http_methods(["GET", "HEAD", "POST"])
@requires("tooling.create_tool")
def tool_create(request: Request) -> HttpResponse:
    """Add a tool that the company has."""
    form = ToolForm(request.POST or None, initial={"name": request.GET.get("name", "")[:80]})
    if request.method == "POST" and form.is_valid():
        tool = actions.create_tool(
            fields=form.own_fields() | {"lifecycle": Tool.Lifecycle.ACTIVE},
            by=request.user,
            vendor=form.cleaned_data["vendor_name"],
            capabilities=form.jobs(),
            aliases=form.cleaned_data["alias_texts"],
            why=form.cleaned_data["why"],
        )
        say(request, _("%(tool)s was added.") % {"tool": tool})
        return redirect(tool)
    return _form_page(request, "tooling/tool_form.html", {"form": form, "tool": None})


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def tool_edit(request: Request, slug: str) -> HttpResponse:
    """Change a tool's words; a second editor sees both texts and loses nothing."""
    rows = Tool.objects.select_for_update(of=("self",)) if request.method == "POST" else Tool.objects.all()
    tool = get_object_or_404(rows.select_related("vendor"), slug=slug)
    require(request.user, "tooling.edit_tool", tool)
    form = ToolForm(request.POST or None, instance=tool)
    if request.method == "POST" and form.is_valid():
        event = actions.edit_tool(
            tool=tool,
            fields=form.own_fields(),
            by=request.user,
            vendor=form.cleaned_data["vendor_name"],
            capabilities=form.jobs(),
            aliases=form.cleaned_data["alias_texts"],
            why=form.cleaned_data["why"],
        )
        if event is None:
            say(request, _("Nothing was changed."), level="info")
        else:
            say(request, _("%(tool)s was changed.") % {"tool": tool}, undo=_undo_url(tool, event))
        return redirect(tool)
    other = None
    if form.is_stale:
        event_before = Event.objects.filter(kind="tooling.tool", object_id=str(tool.pk)).select_related("by")
        other = event_before.order_by("-at", "-pk").first()
    return _form_page(request, "tooling/tool_form.html", {"form": form, "tool": tool, "other": other})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("tooling.change_standing")
def tool_move(request: Request, slug: str) -> HttpResponse:
    """Take a tool to another state of its life, with a reason where people lose something."""
    tool = get_object_or_404(Tool, slug=slug)
    form = MoveForm(request.POST or None, tool=tool, initial={"to": request.GET.get("to", "")})
    if request.method == "POST" and form.is_valid():
        to = Tool.Lifecycle(form.cleaned_data["to"])
        try:
            event = actions.move(
                tool=tool,
                to=to,
                by=request.user,
                why=form.cleaned_data["why"],
                successor=form.cleaned_data["successor"],
            )
        except actions.MoveNotAllowed:
            say(request, _("%(tool)s has moved on meanwhile. Choose again.") % {"tool": tool}, level="warning")
            return redirect("tooling:tool_move", tool.slug)
        said = {"tool": tool, "state": to.label}
        say(request, _("%(tool)s is now “%(state)s”.") % said, undo=_undo_url(tool, event))
        return redirect(tool)
    return _form_page(request, "tooling/tool_move.html", {"form": form, "tool": tool})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("tooling.change_standing")
def tool_decide(request: Request, slug: str) -> HttpResponse:
    """Say where a tool stands for a job."""
    tool = get_object_or_404(Tool, slug=slug)
    initial = {name: request.GET[name] for name in ("capability", "ring") if name in request.GET}
    form = DecisionForm(request.POST or None, tool=tool, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = actions.decide(
            tool=tool,
            capability=form.cleaned_data["capability"],
            ring=Tool.Ring(form.cleaned_data["ring"]),
            team=form.cleaned_data["team"],
            why=form.cleaned_data["why"],
            review_on=form.cleaned_data["review_on"],
            by=request.user,
        )
        said = {"tool": tool, "job": made.capability, "ring": made.get_ring_display()}
        say(request, _("%(tool)s is now “%(ring)s” for %(job)s.") % said)
        return HttpResponseRedirect(f"{tool.get_absolute_url()}?tab=standards")
    return _form_page(request, "tooling/tool_decide.html", {"form": form, "tool": tool})


@require_http_methods(["GET", "HEAD", "POST"])
def tool_hand_over(request: Request, slug: str) -> HttpResponse:
    """Name a new owner."""
    tool = get_object_or_404(Tool, slug=slug)
    require(request.user, "tooling.edit_tool", tool)
    form = OwnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        to = form.cleaned_data["owner"]
        event = actions.hand_over(tool=tool, to=to, by=request.user, why=form.cleaned_data["why"])
        said = {"tool": tool, "owner": to}
        if event is None:
            say(request, _("Nothing was changed."), level="info")
        elif to is None:
            say(request, _("%(tool)s has no owner now.") % said, undo=_undo_url(tool, event))
        else:
            say(request, _("%(owner)s now owns %(tool)s.") % said, undo=_undo_url(tool, event))
        return redirect(tool)
    owner = tool.owners.filter(role=ToolOwner.Role.BUSINESS, is_primary=True).select_related("person", "team").first()
    return _form_page(request, "tooling/tool_owner.html", {"form": form, "tool": tool, "owner": owner})


@require_POST
def tool_undo(request: Request, slug: str, event_id: int) -> HttpResponse:
    """Take back the last act on a tool."""
    tool = get_object_or_404(Tool, slug=slug)
    event = get_object_or_404(Event, pk=event_id, kind="tooling.tool", object_id=str(tool.pk))
    if event.verb == "moved":
        require(request.user, "tooling.change_standing")
    elif event.verb != "handed_over" or event.by_id != request.user.pk:  # a giver may take back what is not theirs now
        require(request.user, "tooling.edit_tool", tool)
    try:
        actions.undo(tool=tool, event=event, by=request.user)
    except (actions.NothingToUndo, IntegrityError):
        say(request, _("%(tool)s was changed since; there is nothing to undo.") % {"tool": tool}, level="warning")
    else:
        say(request, _("Undone: %(tool)s is as it was.") % {"tool": tool})
    return redirect(tool)


def _undo_url(tool: Tool, event: Event) -> str:
    return reverse("tooling:tool_undo", args=[tool.slug, event.pk])


def _form_page(request: Request, template: str, context: dict[str, object]) -> HttpResponse:
    """Answer a form: 422 when it came back with errors."""
    return render_page(request, template, context, status=422 if request.method == "POST" else 200)
