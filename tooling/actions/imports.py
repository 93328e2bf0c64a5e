"""A spreadsheet of tools: read, judged, applied at once or not at all, taken back while untouched."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from hub.activity.models import Event
from hub.core.csv import read_csv
from hub.people.models import User
from tooling.models import (
    Capability,
    ImportPlan,
    ImportRow,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Vendor,
    normalized,
)
from tooling.sync.sheet import Facts, Judged, Known, judge, suggest_mapping

from .tools import FIELDS, RESERVED_SLUGS

BATCH = 2000
WRITTEN = ("create", "update")  # verdicts that write something
# A tool's columns that judging reads as they are
PLAIN = ("name", "slug", "summary_en", "summary_fr", "website", "login_url", "kind", "lifecycle")


class PlanNotReady(Exception):
    """The plan is being read or applied, was applied, or was taken back."""


def upload(*, content: bytes, filename: str, by: User) -> ImportPlan:
    """Keep an uploaded file as a plan that is still to be judged. Raises hub.core.csv.Unreadable."""
    sheet = read_csv(content)
    return ImportPlan.objects.create(
        by=by,
        filename=filename[:200],
        content=content,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        header=list(sheet.header),
        mapping=suggest_mapping(sheet.header),
        row_count=len(sheet.rows),
    )


@transaction.atomic
def reread(*, plan: ImportPlan, mapping: dict[str, int] | None = None, repair: bool | None = None) -> ImportPlan:
    """Read the same file another way: other columns, or with its garbled letters repaired. Raises PlanNotReady."""
    plan = ImportPlan.objects.select_for_update().get(pk=plan.pk)
    if plan.state != ImportPlan.State.READY:
        raise PlanNotReady(plan.state)
    if mapping is not None:
        plan.mapping = mapping
    if repair is not None:
        plan.is_repaired = repair
    plan.state = ImportPlan.State.WAITING
    plan.save(update_fields=["mapping", "is_repaired", "state", "updated_at"])
    return plan


@transaction.atomic
def judge_plan(*, plan_id: int) -> None:
    """Say what each row would do, and keep it for the page. Does nothing unless the plan waits for it."""
    plan = ImportPlan.objects.select_for_update().filter(pk=plan_id, state=ImportPlan.State.WAITING).first()
    if plan is not None:
        _store(plan, judged_now(plan), frozenset())
        plan.state = ImportPlan.State.READY
        plan.save()


def judged_now(plan: ImportPlan) -> list[Judged]:
    """Judge the plan's file against the hub as it is now, and refresh what is said about the file."""
    sheet = read_csv(bytes(plan.content), repair=plan.is_repaired)
    plan.header = list(sheet.header)
    plan.notes = [[note.code, dict(note.values)] for note in sheet.notes]
    plan.row_count = len(sheet.rows)
    return judge(sheet.rows, plan.mapping, known_now())


def known_now() -> Known:
    """Gather what judging needs to know of the hub: a handful of queries, whatever its size."""
    owners = dict(
        ToolOwner.objects.filter(role=ToolOwner.Role.BUSINESS, is_primary=True, person__isnull=False).values_list(
            "tool_id", "person__email"
        )
    )
    links = ToolCapability.objects.order_by("-is_primary", "capability__sort", "pk")
    jobs = _by_tool(links.values_list("tool_id", "capability__slug"))
    aliases = _by_tool(ToolAlias.objects.values_list("tool_id", "text"))
    tools: dict[str, Facts] = {}
    by_name: dict[str, str] = {}
    found = Tool.objects.order_by("name", "pk").values_list("pk", "version", "is_starter", "vendor__name", *PLAIN)
    for pk, version, is_starter, vendor, *values in found:
        row: dict[str, Any] = dict(zip(PLAIN, values, strict=True))
        row |= {
            "vendor": vendor or "",
            "capabilities": jobs.get(pk, []),
            "aliases": aliases.get(pk, []),
            "owner": owners.get(pk, ""),
        }
        tools[row["slug"]] = Facts(pk, version, is_starter, row)
        for name in (row["name"], *row["aliases"]):
            by_name.setdefault(normalized(name), row["slug"])
    capabilities: dict[str, str] = {}
    for job in Capability.objects.jobs():
        for word in (job.slug, job.name_en, job.name_fr):
            capabilities.setdefault(normalized(word), job.slug)
    people = frozenset(User.objects.active().values_list("email", flat=True))
    return Known(tools, by_name, capabilities, people)


def _by_tool(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """Gather (tool's id, text) pairs by tool, in their order."""
    found: dict[int, list[str]] = {}
    for tool_id, text in pairs:
        found.setdefault(tool_id, []).append(text)
    return found


def _store(plan: ImportPlan, rows: Iterable[Judged], unticked: frozenset[int]) -> None:
    """Replace the plan's rows; lines that somebody unticked stay so."""
    plan.rows.all().delete()
    ImportRow.objects.bulk_create(
        (
            ImportRow(plan=plan, is_ticked=row.line not in unticked and row.verdict in WRITTEN, **vars(row))
            for row in rows
        ),
        batch_size=BATCH,
    )
    named = plan.rows.exclude(tool=None).values("tool_id")
    plan.missing_count = Tool.objects.in_estate().exclude(pk__in=named).count()


@transaction.atomic
def tick(*, plan: ImportPlan, shown: Iterable[int], ticked: Iterable[int]) -> None:
    """Keep which of the `shown` rows (by id) are to be taken."""
    plan = ImportPlan.objects.select_for_update().get(pk=plan.pk)
    if plan.state != ImportPlan.State.READY:
        raise PlanNotReady(plan.state)
    rows = plan.rows.filter(pk__in=list(shown), verdict__in=WRITTEN)
    rows.update(is_ticked=False)
    rows.filter(pk__in=list(ticked)).update(is_ticked=True)


@transaction.atomic
def apply_plan(*, plan_id: int, by_id: int) -> ImportPlan:
    """Write the ticked rows, all or none; an applied plan stays as it is.

    The file is judged once more. If a ticked row would now do something else than its plan showed, nothing is
    written and the plan is to be read again.
    """
    plan = ImportPlan.objects.select_for_update().get(pk=plan_id)
    if plan.state not in (ImportPlan.State.READY, ImportPlan.State.APPLYING):
        return plan
    stored = {row.line: row for row in plan.rows.only("plan", "line", "verdict", "is_ticked", "changes", "tool")}
    unticked = frozenset(line for line, row in stored.items() if not row.is_ticked and row.verdict in WRITTEN)
    rows = judged_now(plan)
    moved = 0
    for row in rows:
        shown = stored.get(row.line)
        if shown is not None and shown.is_ticked and _differs(shown, row):
            row.problems.append(("changed_meanwhile", {}))
            moved += 1
    if moved:
        _store(plan, rows, unticked)
        plan.state = ImportPlan.State.READY
        plan.save()
        return plan
    by = User.objects.get(pk=by_id)
    taken = [row for row in rows if row.verdict in WRITTEN and row.line not in unticked]
    plan.batch = uuid4()
    tools = _write(taken, by=by, batch=plan.batch)
    _remember(plan, tools)
    plan.state = ImportPlan.State.APPLIED
    plan.applied_at = timezone.now()
    plan.applied_count = len(taken)
    plan.save()
    return plan


def _remember(plan: ImportPlan, tools: Mapping[int, Tool]) -> None:
    """Keep which tool each line wrote, and as which version; one statement, as `bulk_update` weighs on thousands."""
    written = [(line, tool.pk, tool.version) for line, tool in tools.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tooling_importrow AS kept SET tool_id = written.tool_id, tool_version = written.version"
            " FROM unnest(%s::int[], %s::bigint[], %s::int[]) AS written (line, tool_id, version)"
            " WHERE kept.plan_id = %s AND kept.line = written.line",
            [*([list(column) for column in zip(*written, strict=True)] or [[], [], []]), plan.pk],
        )


def _differs(shown: ImportRow, now: Judged) -> bool:
    return (shown.verdict, shown.changes, shown.tool_id) != (now.verdict, now.changes, now.tool_id)


def _write(rows: list[Judged], *, by: User | None, batch: UUID) -> dict[int, Tool]:
    """Write judged rows in sets; return the tool of each line."""
    today = timezone.localdate()
    vendors = _vendors({row.values["vendor"] for row in rows if row.values.get("vendor")})
    existing = Tool.objects.select_for_update().in_bulk([row.tool_id for row in rows if row.tool_id])
    slugs = set(Tool.objects.values_list("slug", flat=True)) | RESERVED_SLUGS
    tools: dict[int, Tool] = {}
    fresh, edited = [], []
    for row in rows:
        if row.tool_id:
            tool = existing[row.tool_id]
            tool.version += 1
            edited.append(tool)
        else:
            tool = Tool(slug=_slug(row.values["name"], slugs))
            fresh.append(tool)
        for name in row.changes.keys() & set(FIELDS):
            setattr(tool, name, row.changes[name][1])
        if "vendor" in row.changes:
            tool.vendor = vendors[row.changes["vendor"][1].lower()]
        if "lifecycle" in row.changes:
            tool.lifecycle, tool.lifecycle_since = row.changes["lifecycle"][1], today
        tool.is_starter = False
        tools[row.line] = tool
    Tool.objects.bulk_create(fresh, batch_size=BATCH)
    columns = [*FIELDS, "vendor", "lifecycle", "lifecycle_since", "is_starter", "version"]
    Tool.objects.bulk_update(edited, columns, batch_size=500)
    _write_capabilities(rows, tools)
    _write_aliases(rows, tools)
    _write_owners(rows, tools)
    Event.objects.bulk_create(
        (
            Event(
                by=by,
                verb="created" if row.verdict == "create" else "edited",
                kind="tooling.tool",
                object_id=str(tools[row.line].pk),
                title=tools[row.line].name,
                changes=row.changes if row.verdict == "update" else {},
                why=row.values.get("reason", ""),
                batch=batch,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )
    return tools


def _slug(name: str, taken: set[str]) -> str:
    stem = slugify(name)[:70] or "tool"
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    taken.add(slug)
    return slug


def _vendors(names: set[str]) -> dict[str, Vendor]:
    """Return the vendors of these names by lower-cased name, made if need be."""
    known = {vendor.name.lower(): vendor for vendor in Vendor.objects.all()}
    taken = {vendor.slug for vendor in known.values()}
    missing = {name.lower(): name for name in sorted(names) if name.lower() not in known}
    made = Vendor.objects.bulk_create(
        [Vendor(name=name, slug=_slug(name, taken)) for name in missing.values()], batch_size=BATCH
    )
    return known | {vendor.name.lower(): vendor for vendor in made}


def _write_capabilities(rows: list[Judged], tools: dict[int, Tool]) -> None:
    touched = {tools[row.line].pk: row.changes["capabilities"][1] for row in rows if "capabilities" in row.changes}
    old = ToolCapability.objects.filter(tool__in=touched)
    notes = {(link.tool_id, link.capability_id): (link.not_for_en, link.not_for_fr) for link in old}
    old.delete()
    jobs = {job.slug: job.pk for job in Capability.objects.jobs()}
    ToolCapability.objects.bulk_create(
        (
            ToolCapability(
                tool_id=tool_id,
                capability_id=jobs[slug],
                is_primary=rank == 0,
                not_for_en=notes.get((tool_id, jobs[slug]), ("", ""))[0],
                not_for_fr=notes.get((tool_id, jobs[slug]), ("", ""))[1],
            )
            for tool_id, slugs in touched.items()
            for rank, slug in enumerate(slugs)
        ),
        batch_size=BATCH,
    )


def _write_aliases(rows: list[Judged], tools: dict[int, Tool]) -> None:
    """Add the new names; a file never takes one away."""
    ToolAlias.objects.bulk_create(
        (
            ToolAlias(tool=tools[row.line], text=text, key=normalized(text))
            for row in rows
            if "aliases" in row.changes
            for text in row.changes["aliases"][1]
            if text not in (row.changes["aliases"][0] or []) and normalized(text) != normalized(tools[row.line].name)
        ),
        batch_size=BATCH,
        ignore_conflicts=True,  # the same name twice in one cell
    )


def _write_owners(rows: list[Judged], tools: dict[int, Tool]) -> None:
    wanted = {tools[row.line].pk: row.changes["owner"][1] for row in rows if "owner" in row.changes}
    people = {user.email: user.pk for user in User.objects.filter(email__in=set(wanted.values()))}
    ToolOwner.objects.filter(tool__in=wanted, role=ToolOwner.Role.BUSINESS).filter(is_primary=True).delete()
    ToolOwner.objects.filter(tool__in=wanted, role=ToolOwner.Role.BUSINESS, person__in=set(people.values())).delete()
    ToolOwner.objects.bulk_create(
        (ToolOwner(tool_id=tool_id, person_id=people[email]) for tool_id, email in wanted.items() if email),
        batch_size=BATCH,
    )


@transaction.atomic
def undo_plan(*, plan: ImportPlan, by: User) -> tuple[int, int]:
    """Take an applied plan back where nobody touched its tools since; return how many were taken back and kept.

    A tool it made goes, a tool it changed gets its values of before. Raises PlanNotReady unless it was applied.
    """
    plan = ImportPlan.objects.select_for_update().get(pk=plan.pk)
    if plan.state != ImportPlan.State.APPLIED:
        raise PlanNotReady(plan.state)
    rows = plan.rows.filter(is_ticked=True).exclude(tool_version=None)
    intact = rows.filter(tool__version=F("tool_version")).select_related("tool")
    made = intact.filter(verdict="create", tool__decisions=None, tool__workspaces=None)
    changed = list(intact.filter(verdict="update"))
    batch = uuid4()
    events = [
        Event(by=by, verb="deleted", kind="tooling.tool", object_id=str(row.tool_id), title=row.title, batch=batch)
        for row in made
    ]
    back = [
        Judged(
            line=row.line,
            title=row.title,
            verdict="update",
            values={"vendor": (row.changes.get("vendor") or [""])[0] or ""},
            changes={name: [pair[1], pair[0]] for name, pair in row.changes.items() if name != "aliases"},
            tool_id=row.tool_id,
        )
        for row in changed
    ]
    for row in changed:
        if "aliases" in row.changes:
            before, after = row.changes["aliases"]
            added = {normalized(text) for text in after} - {normalized(text) for text in before or []}
            ToolAlias.objects.filter(tool=row.tool_id, key__in=added).delete()
    made_ids = [row.tool_id for row in made]
    Tool.objects.filter(pk__in=made_ids).delete()
    _take_back(back, by=by, batch=batch)
    Event.objects.bulk_create(events, batch_size=BATCH)
    plan.state = ImportPlan.State.UNDONE
    plan.save(update_fields=["state", "updated_at"])
    taken_back = len(made_ids) + len(changed)
    return taken_back, plan.applied_count - taken_back


def _take_back(rows: list[Judged], *, by: User, batch: UUID) -> None:
    """Write the values of before; what had no vendor or owner has none again."""
    for row in rows:
        for name, pair in row.changes.items():
            if pair[1] is None:
                pair[1] = [] if name == "capabilities" else ""
    without = [row for row in rows if row.changes.get("vendor", ["", "-"])[1] == ""]
    for row in without:
        del row.changes["vendor"]
    _write(rows, by=by, batch=batch)
    Tool.objects.filter(pk__in=[row.tool_id for row in without if row.tool_id]).update(vendor=None)


def discard(*, plan: ImportPlan) -> None:
    """Forget a plan that was not applied."""
    ImportPlan.objects.filter(pk=plan.pk, state=ImportPlan.State.READY).delete()
