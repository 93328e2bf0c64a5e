"""A spreadsheet of tools: what judging it takes, writing it in sets, taking it back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from hub.activity.models import Event
from hub.core.csv import Line
from hub.imports.kinds import Kind, Left
from hub.imports.models import ImportRow
from hub.imports.sheet import Judged
from hub.people.models import User
from tooling.models import (
    Capability,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Vendor,
    normalized,
)
from tooling.sync.sheet import COLUMNS, PROBLEMS, Facts, Known, judge

from .tools import FIELDS, RESERVED_SLUGS

BATCH = 2000
# A tool's columns that judging reads as they are
PLAIN = ("name", "slug", "summary_en", "summary_fr", "website", "login_url", "kind", "lifecycle")


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


def _write(rows: list[Judged], *, by: User | None, batch: UUID) -> dict[int, Tool]:
    """Write judged rows in sets; return the tool of each line."""
    today = timezone.localdate()
    vendors = _vendors({row.values["vendor"] for row in rows if row.values.get("vendor")})
    existing = Tool.objects.select_for_update().in_bulk([row.target_id for row in rows if row.target_id])
    slugs = set(Tool.objects.values_list("slug", flat=True)) | RESERVED_SLUGS
    tools: dict[int, Tool] = {}
    fresh, edited = [], []
    for row in rows:
        if row.target_id:
            tool = existing[row.target_id]
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


def undo(rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
    """Take rows back where nobody touched their tools since: one it made goes, one it changed is as before."""
    versions = dict(Tool.objects.filter(pk__in=[row.target_id for row in rows]).values_list("pk", "version"))
    intact = [row for row in rows if versions.get(row.target_id or 0) == row.target_version]
    new = [row.target_id for row in intact if row.verdict == "create"]
    free = set(Tool.objects.filter(pk__in=new, decisions=None, workspaces=None).values_list("pk", flat=True))
    made = [row for row in intact if row.target_id in free]
    changed = [row for row in intact if row.verdict == "update"]
    events = [
        Event(by=by, verb="deleted", kind="tooling.tool", object_id=str(row.target_id), title=row.title, batch=batch)
        for row in made
    ]
    back = [
        Judged(
            line=row.line,
            title=row.title,
            verdict="update",
            values={"vendor": (row.changes.get("vendor") or [""])[0] or ""},
            changes={name: [pair[1], pair[0]] for name, pair in row.changes.items() if name != "aliases"},
            target_id=row.target_id,
        )
        for row in changed
    ]
    for row in changed:
        if "aliases" in row.changes:
            before, after = row.changes["aliases"]
            added = {normalized(text) for text in after} - {normalized(text) for text in before or []}
            ToolAlias.objects.filter(tool=row.target_id, key__in=added).delete()
    Tool.objects.filter(pk__in=free).delete()
    _take_back(back, by=by, batch=batch)
    Event.objects.bulk_create(events, batch_size=BATCH)
    return len(made) + len(changed)


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
    Tool.objects.filter(pk__in=[row.target_id for row in without if row.target_id]).update(vendor=None)


class Tools(Kind):
    """Tools of the registry, one a line."""

    key = "tools"
    title = _("Tools")
    lede = _("The software of the company: what each is for, who makes it, who answers for it.")
    noun = _("Tool")
    right = "tooling.import_tools"
    columns = COLUMNS
    keys = ("name", "slug")
    key_missing = _("Say which column holds the name: without it no tool can be told from another.")
    problems = PROBLEMS

    def known(self, by: User | None) -> Known:
        return known_now()

    def judge(self, lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
        return judge(lines, mapping, known)

    def write(self, rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
        tools = _write(list(rows), by=by, batch=batch)
        return {line: (tool.pk, tool.version) for line, tool in tools.items()}

    def undo(self, rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
        return undo(rows, by=by, batch=batch)

    def absent(self, named: "QuerySet[ImportRow]") -> "QuerySet[Tool]":
        return Tool.objects.in_estate().exclude(pk__in=named.values("target_id")).order_by("name", "pk")

    def words(self, name: str, value: Any) -> str:
        if name == "lifecycle" and value in Tool.Lifecycle.values:
            return str(Tool.Lifecycle(value).label)
        if name == "kind" and value in Tool.Kind.values:
            return str(Tool.Kind(value).label)
        return super().words(name, value)

    def examples(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "name": "Miro", "summary_en": "Think together on a board.",
                "summary_fr": "Réfléchir ensemble sur un tableau.",
                "vendor": "Miro", "website": "https://miro.com", "kind": "saas", "lifecycle": "active",
                "capabilities": "whiteboard; opportunity-mapping", "aliases": "RealtimeBoard",
            },
            {"name": "Release bot", "summary_en": "Posts the release notes.", "kind": "internal", "lifecycle": "pilot"},
        ]  # fmt: skip
