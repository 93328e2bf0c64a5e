"""The palette: one field over every room."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hub.core.http import Request, render_page

from .registry import Hit, sources

ROWS = 20
ROWS_PER_GROUP = 6
LONGEST = 100  # characters; a longer question is cut


@dataclass(frozen=True)
class Group:
    """What one room found."""

    key: str
    label: str
    hits: tuple[Hit, ...]


@require_safe
def palette(request: Request) -> HttpResponse:
    """Find `?q=` in every room; without it, offer the pages and what is nearest to the reader."""
    words = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST]
    groups = find(words, request)
    context = {"words": words, "groups": groups, "count": sum(len(group.hits) for group in groups)}
    return render_page(request, "search/palette.html", context, partials=("palette-results",))


def find(words: str, request: Request) -> list[Group]:
    """Ask every source; the group with the nearest hit comes first, and at most ROWS rows are kept."""
    found = []
    for source in sources():
        hits = tuple(source.find(words, request.user, ROWS_PER_GROUP))[:ROWS_PER_GROUP]
        if hits:
            found.append(Group(source.key, str(source.label), hits))
    if words:
        found.sort(key=lambda group: -max(hit.rank for hit in group.hits))
    kept, left = [], ROWS
    for group in found:
        if left > 0:
            kept.append(Group(group.key, group.label, group.hits[:left]))
            left -= len(group.hits)
    return kept
