"""The import drawing of `docs/architecture.md`: `python -m tests.house.drawing` draws it anew."""

import sys
from itertools import product

import grimp

from .files import PACKAGES, ROOT

PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawing: begin -->", "<!-- drawing: end -->"
# Floors of the house, roof first; the same order as the first import contract
FLOORS = (
    ("The roof", ("hub.home", "hub.demo")),
    ("Paths", ("onboarding",)),
    ("Figures and methods", ("kpis", "frameworks")),
    ("Tools", ("tooling",)),
    ("The wires", ("connectors",)),
    ("Shared engines", ("hub.search", "hub.activity")),
    ("Who", ("hub.people",)),
    ("Work", ("hub.jobs",)),
    ("The floor", ("hub.core",)),
)


def part_of(module: str) -> str:
    """Return the part of the house that a module belongs to, empty for the frame (settings, urls, celery)."""
    parts = [part for _, floor in FLOORS for part in floor if module == part or module.startswith(f"{part}.")]
    return parts[0] if parts else ""


def edges() -> set[tuple[str, str]]:
    """Return who imports whom, part by part."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=False, exclude_type_checking_imports=True)
    found = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = (part_of(module), part_of(imported))
            if all(pair) and pair[0] != pair[1]:
                found.add(pair)
    return found


def without_shortcuts(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out an arrow where a longer way leads to the same place: what is drawn stays readable."""
    reach = set(pairs)
    parts = {part for pair in pairs for part in pair}
    for middle, start, end in product(parts, repeat=3):
        if (start, middle) in reach and (middle, end) in reach:
            reach.add((start, end))
    return {
        (start, end)
        for start, end in pairs
        if not any((start, middle) in pairs and (middle, end) in reach for middle in parts - {start, end})
    }


def draw() -> str:
    """Return the drawing as a Mermaid flowchart, floors as boxes, one arrow for each import that matters."""
    lines = ["```mermaid", "flowchart TD"]
    for number, (floor, parts) in enumerate(FLOORS):
        lines.append(f'  subgraph floor{number}["{floor}"]')
        lines += [f'    {part.replace(".", "_")}["{part}"]' for part in parts]
        lines.append("  end")
    for start, end in sorted(without_shortcuts(edges())):
        lines.append(f"  {start.replace('.', '_')} --> {end.replace('.', '_')}")
    return "\n".join([*lines, "```"])


def drawn() -> str:
    """Return the drawing that stands in the page."""
    page = PAGE.read_text(encoding="utf-8")
    return page.partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{draw()}\n{END}{after}", encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} drawn anew.\n")
