"""A file, from upload to undo; and the list of all of them."""

from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors.failures import explain
from hub.core.csv import MAX_BYTES, Note, Unreadable, csv_answer
from hub.core.http import Request, paginate, render_page, row_id
from hub.core.messages import say
from hub.people.models import User
from hub.people.permissions import require, requires

from . import actions
from .forms import MappingForm, UploadForm
from .kinds import Kind, UnknownKind, kind_named, kinds_for
from .models import Feed, ImportPlan, ImportRow
from .tasks import apply_soon, judge_soon

MISSING_SHOWN = 100
RECENT = 5
NEEDY_FIRST = ("error", "close", "update", "create", "unchanged")  # verdicts, as their tabs stand and one opens


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
    line: int | None  # None for what the file leaves out
    diffs: tuple[FieldDiff, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class PlanView:
    """A plan in a list, with the words for its kind."""

    plan: ImportPlan
    kind: str


@dataclass(frozen=True)
class FeedView:
    """An address in a list, with what is wrong with it, if anything is."""

    feed: Feed
    failure: str


def said_of(feed: Feed) -> str:
    """Say why an address is not read, in the words of its failure class."""
    return str(explain(feed.failure).sentence) % {"service": feed.label} if feed.failure else ""


def allowed_kind(key: str, user: User) -> Kind:
    """Return the kind of that key; 404 for one that nobody declares, 403 for one that is not theirs."""
    kind = known_kind(key)
    require(user, kind.right)
    return kind


def known_kind(key: str) -> Kind:
    """Return the kind of that key; 404 for one that nobody declares."""
    try:
        return kind_named(key)
    except UnknownKind as error:
        raise Http404 from error


def allowed_plan(request: Request, pk: int) -> tuple[ImportPlan, Kind]:
    """Return a plan and its kind, without the file itself."""
    plan = get_object_or_404(ImportPlan.objects.defer("content").select_related("by", "feed"), pk=pk)
    return plan, allowed_kind(plan.kind, request.user)


def seen(user: User) -> dict[str, str]:
    """Return the kinds that `user` may see, with their titles."""
    return {kind.key: str(kind.title) for kind in kinds_for(user)}


@require_safe
@requires("imports.see_imports")
def plan_list(request: Request) -> HttpResponse:
    """List what was brought in, and what can be; `?page=` turns."""
    titles = seen(request.user)
    plans = ImportPlan.objects.filter(kind__in=titles).defer("content").select_related("by", "feed")
    page = paginate(request, plans.order_by("-created_at", "-pk"))
    context = {
        "kinds": kinds_for(request.user),
        "page": page,
        "plans": [PlanView(plan, titles[plan.kind]) for plan in page.object_list],
        "feeds": [FeedView(feed, said_of(feed)) for feed in Feed.objects.order_by("label", "pk")],
    }
    return render_page(request, "imports/plan_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("imports.see_imports")
def plan_create(request: Request, kind: str) -> HttpResponse:
    """Upload a table; nothing is written but the plan."""
    sort = allowed_kind(kind, request.user)
    form = UploadForm(request.POST or None, request.FILES or None, kind=sort)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > MAX_BYTES:
                raise Unreadable(Note("too_large", {"limit": MAX_BYTES // 1024 // 1024}))
            with transaction.atomic():
                plan = actions.upload(
                    kind=sort,
                    content=file.read(),
                    filename=file.name or "file.csv",
                    by=request.user,
                    is_whole=form.cleaned_data.get("is_whole", False),
                )
                judge_soon(plan)
        except Unreadable as unreadable:
            form.add_error("file", unreadable.note.text)
        else:
            return redirect(plan)
    recent = ImportPlan.objects.filter(kind=sort.key).defer("content").select_related("by", "feed")
    context = {
        "form": form,
        "kind": sort,
        "columns": [(name, label) for name, (label, _words) in sort.columns.items()],
        "recent": [PlanView(plan, str(sort.title)) for plan in recent.order_by("-created_at", "-pk")[:RECENT]],
    }
    return render_page(request, "imports/plan_form.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@requires("imports.see_imports")
def plan_template(request: Request, kind: str) -> HttpResponse:
    """Give an empty table with every column, named in the reader's language, and rows to replace."""
    sort = allowed_kind(kind, request.user)
    header = [str(label) for label, _words in sort.columns.values()]
    rows = [[row.get(name, "") for name in sort.columns] for row in sort.examples()]
    return csv_answer(slugify(str(sort.title)) or sort.key, header, rows)


@require_safe
@requires("imports.see_imports")
def plan_detail(request: Request, pk: int) -> HttpResponse:
    """Show what the file would do, row by row; `?verdict=` narrows it."""
    plan, kind = allowed_plan(request, pk)
    counts = plan.rows.aggregate(
        **{verdict: Count("pk", filter=Q(verdict=verdict)) for verdict in ImportRow.Verdict.values},
        ticked=Count("pk", filter=Q(is_ticked=True)),
    )
    verdict = request.GET.get("verdict", "")
    if verdict not in (*ImportRow.Verdict.values, "missing"):
        verdict = next((key for key in NEEDY_FIRST if counts[key]), "unchanged")
    absent = kind.absent(plan.rows.exclude(target_id=None))
    page = paginate(request, plan.rows.filter(verdict=verdict).order_by("line", "pk"))
    context = {
        "plan": plan,
        "kind": kind,
        "counts": counts,
        "verdict": verdict,
        "verdicts": [
            *(
                (value, label, counts[value])
                for value, label in sorted(ImportRow.Verdict.choices, key=lambda choice: NEEDY_FIRST.index(choice[0]))
                if value != "close" or kind.closes is not None
            ),
            *([("missing", _("Not in the file"), plan.missing_count)] if absent is not None else ()),
        ],
        "page": page,
        "page_query": f"?verdict={verdict}&page=",
        "rows": [_row(row, kind) for row in page.object_list],
        "missing": [_named(thing) for thing in absent[:MISSING_SHOWN]] if verdict == "missing" and absent else [],
        "notes": [(code, Note(code, values).text, values.get("detail", "")) for code, values in plan.notes],
        "can_repair": any(code == "garbled" for code, _values in plan.notes),
        "mapping_form": MappingForm(kind=kind, header=plan.header, mapping=plan.mapping),
        "mapped": any(name in plan.mapping for name in kind.keys),
        "unmapped": [name for index, name in enumerate(plan.header) if index not in plan.mapping.values() and name],
        "delimiter": {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("bar")}.get(plan.delimiter, ""),
        "can_whole": kind.closes is not None,
        "may_feed": request.user.has_perm("imports.edit_feeds"),
    }
    return render_page(request, "imports/plan_detail.html", context, partials=("import-plan",))


def _row(row: ImportRow, kind: Kind) -> RowView:
    diffs = tuple(
        FieldDiff(
            str(kind.columns[name][0]) if name in kind.columns else name,
            kind.words(name, before),
            kind.words(name, after),
        )
        for name, (before, after) in row.changes.items()
        if row.verdict != "create" or after not in (None, "", [])
    )
    problems = tuple(kind.problem(code, values) for code, values in row.problems)
    return RowView(row, None if row.verdict == "close" else row.line, diffs, problems)


def _named(thing: Any) -> tuple[str, str]:
    """Return the name and address of something that the file leaves out; no address where it has no page."""
    find = getattr(thing, "get_absolute_url", None)
    return str(thing), find() if find else ""


@require_POST
@requires("imports.see_imports")
def plan_read(request: Request, pk: int) -> HttpResponse:
    """Read the file another way: other columns, its letters repaired, as the whole list; or `again`, as it was."""
    plan, kind = allowed_plan(request, pk)
    mapping = None
    if not {"again", "repair", "whole"} & set(request.POST):
        form = MappingForm(request.POST, kind=kind, header=plan.header, mapping=plan.mapping)
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
            whole = request.POST["whole"] == "1" if "whole" in request.POST else None
            judge_soon(actions.reread(plan=plan, mapping=mapping, repair=repair, whole=whole))
    except actions.PlanNotReady:
        _not_ready(request)
    return redirect(plan)


@require_POST
@requires("imports.see_imports")
def plan_apply(request: Request, pk: int) -> HttpResponse:
    """Keep the ticks of the page; with *apply*, write the ticked rows, all or none."""
    plan, _kind = allowed_plan(request, pk)
    if plan.state == ImportPlan.State.APPLIED:  # the same click twice
        say(request, _("This file was applied already."), level="info")
        return redirect(plan)
    shown = [one for key in request.POST.getlist("shown") if (one := row_id(key)) is not None]
    ticked = [one for key in request.POST.getlist("row") if (one := row_id(key)) is not None]
    try:
        with transaction.atomic():  # what is applied is what this page ticked, whoever else ticks now
            actions.tick(plan=plan, shown=shown, ticked=ticked)
            if "apply" in request.POST:
                apply_soon(plan, by=request.user)
    except actions.PlanNotReady:
        _not_ready(request)
        return redirect(plan)
    if "apply" in request.POST:
        plan.refresh_from_db(fields=["state", "applied_count"])
        if plan.state == ImportPlan.State.APPLIED:
            count = plan.applied_count
            say(
                request,
                ngettext("%(count)s row was written.", "%(count)s rows were written.", count)
                % {"count": intcomma(count)},
            )
        elif plan.state == ImportPlan.State.READY:
            say(
                request,
                _("The hub was changed meanwhile, so nothing was written. Look at the plan again."),
                level="warning",
            )
    else:
        say(request, _("The choice was kept."))
    return redirect(plan)


@require_POST
@requires("imports.see_imports")
def plan_undo(request: Request, pk: int) -> HttpResponse:
    """Take an applied file back, where nobody touched what it wrote since."""
    plan, _kind = allowed_plan(request, pk)
    try:
        back, kept = actions.undo_plan(plan=plan, by=request.user)
    except actions.PlanNotReady:
        _not_ready(request)
    else:
        text = ngettext("%(count)s row was taken back.", "%(count)s rows were taken back.", back) % {
            "count": intcomma(back)
        }
        if kept:
            left = ngettext(
                "%(count)s was changed since and is left alone.",
                "%(count)s were changed since and are left alone.",
                kept,
            )
            text += " " + left % {"count": intcomma(kept)}
        say(request, text, level="warning" if kept else "success")
    return redirect(plan)


@require_POST
@requires("imports.see_imports")
def plan_discard(request: Request, pk: int) -> HttpResponse:
    """Forget a file that was not applied."""
    plan, _kind = allowed_plan(request, pk)
    actions.discard(plan=plan)
    if ImportPlan.objects.filter(pk=plan.pk).exists():
        _not_ready(request)
        return redirect(plan)
    say(request, _("The file was forgotten; nothing was written."))
    return redirect("imports:plan_list")


def _not_ready(request: Request) -> None:
    say(request, _("This file is being worked on, or was decided already. Look again."), level="warning")
