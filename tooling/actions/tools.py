"""Making, editing, moving, judging and handing over a tool."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from hub.activity.actions import record
from hub.activity.models import Event
from hub.people.models import Team, User
from tooling.models import (
    MOVES,
    MOVES_WITH_REASON,
    Capability,
    StandardDecision,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Vendor,
    normalized,
)

SHORTEST_REASON = 10
# Fields that an edit writes and an undo takes back; "vendor" by its name.
FIELDS = (
    "name", "summary_en", "summary_fr", "how_to_en", "how_to_fr", "website", "login_url", "kind",
)  # fmt: skip
RING_ORDER = [Tool.Ring.ADOPT, Tool.Ring.TRIAL, Tool.Ring.ASSESS, Tool.Ring.HOLD]


class MoveNotAllowed(Exception):
    """A tool can't go from where it is to the state asked for."""


class ReasonMissing(Exception):
    """This move needs a reason of ten characters or more."""


class NothingToUndo(Exception):
    """The act was undone already, can't be, or the thing changed since."""


def free_slug(name: str) -> str:
    """Return an address for a tool called `name` that nothing has yet."""
    stem = slugify(name)[:70] or "tool"
    taken = set(Tool.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    slug, number = stem, 2
    while slug in taken or slug in RESERVED_SLUGS:
        slug, number = f"{stem}-{number}", number + 1
    return slug


RESERVED_SLUGS = frozenset({"new", "capabilities", "imports", "standing", "export"})  # addresses beside /tools/<slug>/


@transaction.atomic
def create_tool(
    *,
    fields: Mapping[str, Any],
    by: User | None,
    vendor: str = "",
    capabilities: Sequence[Capability] = (),
    aliases: Iterable[str] = (),
    owner: User | None = None,
    why: str = "",
) -> Tool:
    """Add a tool to the estate. The first of `capabilities` is what it is mainly for."""
    tool = Tool.objects.create(slug=free_slug(fields["name"]), vendor=vendor_named(vendor), **fields)
    set_capabilities(tool, capabilities)
    set_aliases(tool, aliases)
    if owner is not None:
        ToolOwner.objects.create(tool=tool, person=owner)
    record(by=by, verb="created", on=tool, why=why)
    return tool


@transaction.atomic
def edit_tool(
    *,
    tool: Tool,
    fields: Mapping[str, Any],
    by: User,
    vendor: str,
    capabilities: Sequence[Capability],
    aliases: Iterable[str],
    why: str = "",
) -> Event | None:
    """Write what an editor changed; None when nothing did. The caller holds the row's lock and checked the version."""
    stored = Tool.objects.select_related("vendor").get(pk=tool.pk)
    changes: dict[str, tuple[object, object]] = {
        field: (getattr(stored, field), value) for field, value in fields.items() if getattr(stored, field) != value
    }
    had_vendor = stored.vendor.name if stored.vendor else ""
    if had_vendor != vendor:
        changes["vendor"] = (had_vendor, vendor)
    before, after = capability_slugs(stored), [capability.slug for capability in capabilities]
    if before != after:
        set_capabilities(stored, capabilities)
        changes["capabilities"] = (before, after)
    had, has = sorted(alias.text for alias in stored.aliases.all()), sorted(set(aliases))
    if had != has:
        set_aliases(stored, has)
        changes["aliases"] = (had, has)
    if not changes:
        return None
    for field in changes.keys() & set(FIELDS):
        setattr(stored, field, changes[field][1])
    stored.vendor = vendor_named(vendor)
    stored.is_starter = False
    stored.version += 1
    stored.save()
    tool.refresh_from_db()
    return record(by=by, verb="edited", on=stored, changes=changes, why=why)


@transaction.atomic
def move(*, tool: Tool, to: Tool.Lifecycle, by: User, why: str = "", successor: Tool | None = None) -> Event:
    """Take the tool to another state of its life. Raises MoveNotAllowed or ReasonMissing."""
    tool = Tool.objects.select_for_update().get(pk=tool.pk)
    before = Tool.Lifecycle(tool.lifecycle)
    check_move(before, to, why)
    changes: dict[str, tuple[object, object]] = {"lifecycle": (before.value, to.value)}
    if successor is not None and successor.pk != tool.successor_id:
        changes["successor"] = (tool.successor.slug if tool.successor else None, successor.slug)
        tool.successor = successor
        tool.save(update_fields=["successor"])
    if tool.is_starter:
        changes["is_starter"] = (True, False)
    tool.move(to, on=timezone.localdate())
    return record(by=by, verb="moved", on=tool, changes=changes, why=why)


def check_move(before: Tool.Lifecycle, to: Tool.Lifecycle, why: str) -> None:
    """Raise MoveNotAllowed or ReasonMissing unless a tool may go from `before` to `to`, told `why`."""
    if to not in MOVES[before]:
        raise MoveNotAllowed(f"{before} → {to}")
    if (before, to) in MOVES_WITH_REASON and len(why.strip()) < SHORTEST_REASON:
        raise ReasonMissing(f"{before} → {to}")


@transaction.atomic
def decide(
    *,
    tool: Tool,
    capability: Capability,
    ring: Tool.Ring,
    why: str,
    review_on: date,
    by: User,
    team: Team | None = None,
) -> StandardDecision:
    """Say where a tool stands for a job, for the company or one team. A later decision supersedes an earlier one."""
    tool = Tool.objects.select_for_update().get(pk=tool.pk)
    earlier = StandardDecision.objects.current().filter(tool=tool, capability=capability, team=team).first()
    if earlier is not None:
        earlier.is_current = False
        earlier.save(update_fields=["is_current"])
    made = StandardDecision.objects.create(
        tool=tool,
        capability=capability,
        team=team,
        ring=ring,
        why=why,
        decided_by=by,
        decided_on=timezone.localdate(),
        review_on=review_on,
    )
    ToolCapability.objects.get_or_create(tool=tool, capability=capability)
    refresh_ring(tool)
    record(
        by=by,
        verb="decided",
        on=tool,
        changes={
            "ring": (earlier.ring if earlier else None, ring.value),
            "capability": (capability.slug, capability.slug),
            "team": (team.name if team else None, team.name if team else None),
        },
        why=why[:500],
    )
    return made


def refresh_ring(tool: Tool) -> None:
    """Repeat on the tool the strongest of its current company-wide decisions."""
    current = list(tool.decisions.current().for_company().order_by("-decided_on", "-pk"))
    best = min(current, key=lambda decision: RING_ORDER.index(Tool.Ring(decision.ring)), default=None)
    tool.ring = best.ring if best else ""
    tool.ring_since = best.decided_on if best else None
    tool.is_starter = False
    tool.version += 1
    tool.save(update_fields=["ring", "ring_since", "is_starter", "version", "updated_at"])


@transaction.atomic
def hand_over(*, tool: Tool, to: User | Team | None, by: User, why: str = "") -> Event | None:
    """Make `to` the main owner of `tool`, or nobody; None when it is so already."""
    tool = Tool.objects.select_for_update().get(pk=tool.pk)
    current = tool.owners.filter(role=ToolOwner.Role.BUSINESS, is_primary=True).select_related("person", "team").first()
    holder = (current.person or current.team) if current else None
    if holder == to:
        return None
    if current is not None:
        current.delete()
    if to is not None:
        link: dict[str, Any] = {"person": to} if isinstance(to, User) else {"team": to}
        ToolOwner.objects.update_or_create(
            tool=tool, role=ToolOwner.Role.BUSINESS, **link, defaults={"is_primary": True}
        )
    tool.version += 1
    tool.is_starter = False
    tool.save(update_fields=["version", "is_starter", "updated_at"])
    return record(
        by=by,
        verb="handed_over",
        on=tool,
        changes={
            "owner": (str(holder) if holder else None, str(to) if to else None),
            "_owner": (reference(holder), reference(to)),
        },
        why=why,
    )


def reference(holder: User | Team | None) -> str:
    """Name a person or a team so that an undo finds it again."""
    return "" if holder is None else f"{holder._meta.model_name}:{holder.pk}"


@transaction.atomic
def undo(*, tool: Tool, event: Event, by: User) -> Event:
    """Take back the last act on a tool (an edit, a move, a hand-over). Raises NothingToUndo if anything came after."""
    tool = Tool.objects.select_for_update().get(pk=tool.pk)
    last = Event.objects.filter(kind="tooling.tool", object_id=str(tool.pk)).order_by("-at", "-pk").first()
    if last is None or last.pk != event.pk or event.verb not in ("edited", "moved", "handed_over"):
        raise NothingToUndo(str(event.pk))
    before = {field: pair[0] for field, pair in event.changes.items()}
    if "_owner" in before:
        kind, _sep, key = before["_owner"].partition(":")
        tool.owners.filter(role=ToolOwner.Role.BUSINESS, is_primary=True).delete()
        if key:
            holder: dict[str, Any] = {"person_id" if kind == "user" else "team_id": int(key)}
            ToolOwner.objects.update_or_create(
                tool=tool,
                role=ToolOwner.Role.BUSINESS,
                **holder,
                defaults={"is_primary": True},
            )
    for field in before.keys() & {*FIELDS, "lifecycle", "is_starter"}:
        setattr(tool, field, before[field])
    if "lifecycle" in before:
        tool.lifecycle_since = timezone.localdate()
    if "successor" in before:
        tool.successor = Tool.objects.filter(slug=before["successor"]).first() if before["successor"] else None
    if "vendor" in before:
        tool.vendor = vendor_named(before["vendor"])
    if "capabilities" in before:
        found = {
            capability.slug: capability for capability in Capability.objects.filter(slug__in=before["capabilities"])
        }
        set_capabilities(tool, [found[slug] for slug in before["capabilities"] if slug in found])
    if "aliases" in before:
        set_aliases(tool, before["aliases"])
    tool.version += 1
    tool.save()
    return record(
        by=by,
        verb="undone",
        on=tool,
        changes={field: (pair[1], pair[0]) for field, pair in event.changes.items()},
    )


def vendor_named(name: str) -> Vendor | None:
    """Return the vendor of this name, made if need be; None for no name."""
    name = " ".join(name.split())
    if not name:
        return None
    found = Vendor.objects.filter(name__iexact=name).first()
    if found is None:
        stem = slugify(name)[:70] or "vendor"
        count = Vendor.objects.filter(slug__startswith=stem).count()
        found = Vendor.objects.create(name=name, slug=stem if not count else f"{stem}-{count + 1}")
    return found


def capability_slugs(tool: Tool) -> list[str]:
    """Return what a tool is for, the main thing first."""
    links = tool.capability_links.select_related("capability").order_by("-is_primary", "capability__sort", "pk")
    return [link.capability.slug for link in links]


def set_capabilities(tool: Tool, capabilities: Sequence[Capability]) -> None:
    """Make the tool be for exactly these jobs, the first one mainly; notes on kept ones stay."""
    kept = [capability.pk for capability in capabilities]
    tool.capability_links.exclude(capability__in=kept).delete()
    tool.capability_links.filter(is_primary=True).update(is_primary=False)
    for rank, capability in enumerate(capabilities):
        ToolCapability.objects.update_or_create(tool=tool, capability=capability, defaults={"is_primary": rank == 0})


def set_aliases(tool: Tool, texts: Iterable[str]) -> None:
    """Give the tool exactly these other names."""
    wanted = {normalized(text): text for text in texts}
    tool.aliases.exclude(key__in=wanted).delete()
    for key, text in wanted.items():
        ToolAlias.objects.update_or_create(tool=tool, key=key, defaults={"text": text})
