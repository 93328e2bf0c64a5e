"""What can be found: each room registers its sources in its `search.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from hub.people.models import User


@dataclass(frozen=True)
class Hit:
    """One thing found: where it is, what it is called, one line about it, and the icon it carries."""

    url: str
    title: str
    detail: str = ""
    icon: str = "right"
    rank: float = 0.0  # 0–1, higher is nearer


@dataclass(frozen=True)
class Source:
    """One group of the palette. `find` takes the words typed, the reader and a limit, in one query."""

    key: str
    label: str | Promise  # plural: "Tools"
    find: Callable[[str, User, int], Sequence[Hit]]
    order: int = 50


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Offer `source` to everyone who searches; a second one under the same key replaces the first."""
    _sources[source.key] = source


def sources() -> list[Source]:
    """All sources in the order in which the palette shows them."""
    return sorted(_sources.values(), key=lambda source: (source.order, source.key))
