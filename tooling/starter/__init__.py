"""What a new hub knows about tools: jobs that tools are for, and the common tools, as suggestions to adopt."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from tooling.models import Capability, Tool, ToolAlias, ToolCapability, Vendor, normalized

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Loaded:
    """How many rows were missing and are now there."""

    capabilities: int
    tools: int


def read(name: str) -> list[dict[str, Any]]:
    """Return the rows of one data file of this folder."""
    rows: list[dict[str, Any]] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return rows


@transaction.atomic
def load_tools() -> Loaded:
    """Add the starter capabilities and tools that are not there yet; what is there is never touched.

    A tool whose name or alias is taken is left out: the company has it already, under whatever slug.
    """
    before = Capability.objects.count()
    jobs = _load_capabilities()
    taken = {normalized(name) for name in Tool.objects.values_list("name", flat=True)}
    taken |= set(ToolAlias.objects.values_list("key", flat=True))
    slugs = set(Tool.objects.values_list("slug", flat=True))
    made = 0
    for row in read("tools"):
        names = [row["name"], *row.get("aliases", [])]
        if row["slug"] in slugs or any(normalized(name) in taken for name in names):
            continue
        _load_tool(row, jobs)
        taken |= {normalized(name) for name in names}
        made += 1
    return Loaded(capabilities=Capability.objects.count() - before, tools=made)


def _load_capabilities() -> dict[str, Capability]:
    """Add missing families and jobs; return the jobs by slug."""
    jobs: dict[str, Capability] = {}
    for rank, family_row in enumerate(read("capabilities")):
        family, _made = Capability.objects.get_or_create(
            slug=family_row["slug"],
            defaults={"name_en": family_row["en"], "name_fr": family_row["fr"], "sort": rank * 10},
        )
        for job_rank, row in enumerate(family_row["jobs"]):
            jobs[row["slug"]], _made = Capability.objects.get_or_create(
                slug=row["slug"],
                defaults={
                    "parent": family,
                    "name_en": row["en"],
                    "name_fr": row["fr"],
                    "intent_en": row["intent_en"],
                    "intent_fr": row["intent_fr"],
                    "sort": rank * 10 + job_rank,
                },
            )
    return jobs


def _load_tool(row: dict[str, Any], jobs: dict[str, Capability]) -> None:
    vendor = Vendor.objects.filter(name__iexact=row["vendor"]).first() or Vendor.objects.create(
        name=row["vendor"], slug=slugify(row["vendor"])[:80]
    )
    tool = Tool.objects.create(
        slug=row["slug"],
        name=row["name"],
        vendor=vendor,
        website=row["website"],
        summary_en=row["summary_en"],
        summary_fr=row["summary_fr"],
        is_starter=True,
    )
    ToolAlias.objects.bulk_create(
        ToolAlias(tool=tool, text=text, key=normalized(text)) for text in row.get("aliases", [])
    )
    ToolCapability.objects.bulk_create(
        ToolCapability(tool=tool, capability=jobs[slug], is_primary=rank == 0) for rank, slug in enumerate(row["jobs"])
    )
