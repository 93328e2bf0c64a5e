"""A spreadsheet of tools, from upload to undo."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.csv import MAX_BYTES, Note, Unreadable, csv_answer
from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.people.permissions import requires
from tooling.actions import imports as actions
from tooling.forms import MappingForm, UploadForm
from tooling.models import ImportPlan, ImportRow, Tool
from tooling.sync.sheet import COLUMNS, problem_text
from tooling.tasks import apply_soon, judge_soon

MISSING_SHOWN = 100


@dataclass(frozen=True)
class FieldDiff:
    """One field of one row: before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class RowView:
    """A row of the plan as the page shows it."""

    row: ImportRow
    diffs: tuple[FieldDiff, ...]
    problems: tuple[str, ...]


@require_http_methods(["GET", "HEAD", "POST"])
@requires("tooling.import_tools")
def import_create(request: Request) -> HttpResponse:
    """Upload a spreadsheet; nothing is written to the tools."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > MAX_BYTES:
                raise Unreadable(Note("too_large", {"limit": MAX_BYTES // 1024 // 1024}))
            with transaction.atomic():
                plan = actions.upload(content=file.read(), filename=file.name or "file.csv", by=request.user)
                judge_soon(plan)
        except Unreadable as unreadable:
            form.add_error("file", unreadable.note.text)
        else:
            return redirect(plan)
    context = {
        "form": form,
        "columns": [(name, label) for name, (label, _words) in COLUMNS.items()],
        "recent": list(ImportPlan.objects.defer("content").select_related("by").order_by("-created_at", "-pk")[:10]),
    }
    return render_page(request, "tooling/import_form.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@requires("tooling.import_tools")
def import_template(_request: Request) -> HttpResponse:
    """Give an empty spreadsheet with every column and two lines to replace."""
    names = list(COLUMNS)
    examples: list[dict[str, str]] = [
        {
            "name": "Miro", "summary_en": "Think together on a board.",
            "summary_fr": "Réfléchir ensemble sur un tableau.",
            "vendor": "Miro", "website": "https://miro.com", "kind": "saas", "lifecycle": "active",
            "capabilities": "whiteboard; opportunity-mapping", "aliases": "RealtimeBoard",
        },
        {"name": "Release bot", "summary_en": "Posts the release notes.", "kind": "internal", "lifecycle": "pilot"},
    ]  # fmt: skip
    return csv_answer("tools-template", names, [[row.get(name, "") for name in names] for row in examples])


@require_safe
@requires("tooling.import_tools")
def import_detail(request: Request, pk: int) -> HttpResponse:
    """Show what the file would do, row by row; `?verdict=` narrows it."""
    plan = get_object_or_404(ImportPlan.objects.defer("content").select_related("by"), pk=pk)
    counts = plan.rows.aggregate(
        create=Count("pk", filter=Q(verdict="create")),
        update=Count("pk", filter=Q(verdict="update")),
        unchanged=Count("pk", filter=Q(verdict="unchanged")),
        error=Count("pk", filter=Q(verdict="error")),
        ticked=Count("pk", filter=Q(is_ticked=True)),
    )
    verdict = request.GET.get("verdict", "")
    if verdict not in (*ImportRow.Verdict.values, "missing"):
        verdict = next((key for key in ("error", "update", "create") if counts[key]), "unchanged")
    page = paginate(request, plan.rows.filter(verdict=verdict).order_by("line", "pk"))
    context = {
        "plan": plan,
        "counts": counts,
        "verdict": verdict,
        "verdicts": [
            *((value, label, counts[value]) for value, label in ImportRow.Verdict.choices),
            ("missing", _("Not in the file"), plan.missing_count),
        ],
        "page": page,
        "page_query": f"?verdict={verdict}",
        "rows": [_row(row) for row in page.object_list],
        "missing": _missing(plan) if verdict == "missing" else [],
        "notes": [(code, Note(code, values).text) for code, values in plan.notes],
        "can_repair": any(code == "garbled" for code, _values in plan.notes),
        "mapping_form": MappingForm(header=plan.header, mapping=plan.mapping),
        "mapped": "name" in plan.mapping or "slug" in plan.mapping,
        "unmapped": [name for index, name in enumerate(plan.header) if index not in plan.mapping.values() and name],
        "delimiter": {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("bar")}.get(plan.delimiter, ""),
    }
    return render_page(request, "tooling/import_detail.html", context, partials=("import-plan",))


def _row(row: ImportRow) -> RowView:
    diffs = tuple(
        FieldDiff(str(COLUMNS[name][0]) if name in COLUMNS else name, _words(name, before), _words(name, after))
        for name, (before, after) in row.changes.items()
        if row.verdict == "update" or after
    )
    return RowView(row, diffs, tuple(problem_text(code, values) for code, values in row.problems))


def _words(name: str, value: Any) -> str:
    """Say a stored value as a person reads it."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if name == "lifecycle" and value in Tool.Lifecycle.values:
        return str(Tool.Lifecycle(value).label)
    if name == "kind" and value in Tool.Kind.values:
        return str(Tool.Kind(value).label)
    return "" if value is None else str(value)


def _missing(plan: ImportPlan) -> list[Tool]:
    named = plan.rows.exclude(tool=None).values("tool_id")
    return list(Tool.objects.in_estate().exclude(pk__in=named).order_by("name", "pk")[:MISSING_SHOWN])


@require_POST
@requires("tooling.import_tools")
def import_read(request: Request, pk: int) -> HttpResponse:
    """Read the file another way: other columns, or its letters repaired."""
    plan = get_object_or_404(ImportPlan.objects.defer("content"), pk=pk)
    mapping = None
    if "repair" not in request.POST:
        form = MappingForm(request.POST, header=plan.header, mapping=plan.mapping)
        if not form.is_valid():
            say(
                request,
                " ".join(str(error) for error in form.non_field_errors()) or _("Choose the columns again."),
                level="error",
            )
            return redirect(plan)
        mapping = form.mapping()
    try:
        with transaction.atomic():
            repair = request.POST["repair"] == "1" if "repair" in request.POST else None
            judge_soon(actions.reread(plan=plan, mapping=mapping, repair=repair))
    except actions.PlanNotReady:
        _not_ready(request)
    return redirect(plan)


@require_POST
@requires("tooling.import_tools")
def import_apply(request: Request, pk: int) -> HttpResponse:
    """Keep the ticks of the page; with *apply*, write the ticked rows, all or none."""
    plan = get_object_or_404(ImportPlan.objects.defer("content"), pk=pk)
    if plan.state == ImportPlan.State.APPLIED:  # the same click twice
        say(request, _("This file was applied already."), level="info")
        return redirect(plan)
    shown = [int(key) for key in request.POST.getlist("shown") if key.isdecimal()]
    ticked = [int(key) for key in request.POST.getlist("row") if key.isdecimal()]
    try:
        actions.tick(plan=plan, shown=shown, ticked=ticked)
    except actions.PlanNotReady:
        _not_ready(request)
        return redirect(plan)
    if "apply" in request.POST:
        apply_soon(plan, by=request.user)
        plan.refresh_from_db(fields=["state", "applied_count"])
        if plan.state == ImportPlan.State.APPLIED:
            count = plan.applied_count
            say(
                request,
                ngettext("%(count)d tool was written.", "%(count)d tools were written.", count) % {"count": count},
            )
        elif plan.state == ImportPlan.State.READY:
            say(
                request,
                _("Tools were changed meanwhile, so nothing was written. Look at the plan again."),
                level="warning",
            )
    else:
        say(request, _("The choice was kept."))
    return redirect(plan)


@require_POST
@requires("tooling.import_tools")
def import_undo(request: Request, pk: int) -> HttpResponse:
    """Take an applied file back, where nobody touched its tools since."""
    plan = get_object_or_404(ImportPlan.objects.defer("content"), pk=pk)
    try:
        back, kept = actions.undo_plan(plan=plan, by=request.user)
    except actions.PlanNotReady:
        _not_ready(request)
    else:
        text = ngettext("%(count)d tool is as it was.", "%(count)d tools are as they were.", back) % {"count": back}
        if kept:
            left = ngettext(
                "%(count)d was changed since and is left alone.",
                "%(count)d were changed since and are left alone.",
                kept,
            )
            text += " " + left % {"count": kept}
        say(request, text, level="warning" if kept else "success")
    return redirect(plan)


@require_POST
@requires("tooling.import_tools")
def import_discard(request: Request, pk: int) -> HttpResponse:
    """Forget a file that was not applied."""
    actions.discard(plan=get_object_or_404(ImportPlan.objects.defer("content"), pk=pk))
    say(request, _("The file was forgotten; nothing was written."))
    return redirect("tooling:import_create")


def _not_ready(request: Request) -> None:
    say(request, _("This file is being worked on, or was decided already. Look again."), level="warning")
