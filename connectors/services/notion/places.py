"""Where reading stands, spelled as page tokens, so that a killed worker goes on where it was.

Of pages: in which database, in which of its lists, from when on, after which cursor. Databases are read one after the
other, each twice: what is in use, then what lies in the trash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

PARTS = 4


class Misplaced(ValueError):
    """A token that spells no place of ours."""


@dataclass(frozen=True)
class Place:
    """`since` is a restart behind the cap of rows: the last row's own time, as Notion wrote it."""

    source: str
    in_trash: bool = False
    since: str = ""
    cursor: str = ""

    def __str__(self) -> str:
        return "|".join((self.source, "trash" if self.in_trash else "live", self.since, self.cursor))

    @classmethod
    def read(cls, token: str) -> "Place":
        """Read what `str` wrote. Raises Misplaced."""
        parts = token.split("|", PARTS - 1)
        if len(parts) != PARTS or parts[1] not in {"live", "trash"}:
            raise Misplaced(token[:80])
        return cls(parts[0], parts[1] == "trash", parts[2], parts[3])

    def at(self, cursor: str) -> "Place":
        """Return the place after a cursor of the same list."""
        return replace(self, cursor=cursor)

    def restarted(self, since: str) -> "Place":
        """Return the place where the same list begins again from a time on."""
        return replace(self, since=since, cursor="")

    def next_list(self, sources: Sequence[str]) -> "Place | None":
        """Return the beginning of the next list: this database's trash, the next database, or None after the last."""
        if not self.in_trash:
            return Place(self.source, in_trash=True)
        following = sources.index(self.source) + 1 if self.source in sources else 0
        return Place(sources[following]) if following < len(sources) else None


@dataclass(frozen=True)
class Look:
    """How far the look for data sources is: the search's cursor, and which mapped ones it has not shown so far."""

    missing: Sequence[str] = ()
    cursor: str = ""
    is_searched: bool = False

    def __str__(self) -> str:
        return "|".join(("source" if self.is_searched else "search", ",".join(self.missing), self.cursor))

    @classmethod
    def read(cls, token: str) -> "Look":
        """Read what `str` wrote. Raises Misplaced."""
        kind, *rest = token.split("|", 2)
        if kind not in {"search", "source"} or len(rest) != 2:
            raise Misplaced(token[:80])
        return cls(tuple(key for key in rest[0].split(",") if key), rest[1], kind == "source")

    def without(self, found: Sequence[str]) -> "Look":
        return replace(self, missing=tuple(key for key in self.missing if key not in found))

    def at(self, cursor: str) -> "Look":
        """Return the look after a page of the search; without a cursor the search is over."""
        return replace(self, cursor=cursor, is_searched=not cursor)
