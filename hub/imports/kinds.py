"""What a sheet can hold. Each room declares its own kinds; the way through the plan is the same for all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise

from hub.core.csv import Line
from hub.people.models import User

from .models import ImportRow
from .sheet import Columns, Judged, problem_text

Left = tuple[int, int]  # id and version of what a row wrote


class UnknownKind(Exception):
    """No room of this release declares that kind."""


class Kind(ABC):
    """One kind of sheet: its columns, and how a row of it is judged, written and taken back."""

    key: ClassVar[str]
    title: ClassVar[Promise]
    lede: ClassVar[Promise]  # one sentence: what the file holds
    noun: ClassVar[Promise]  # what a row is about
    right: ClassVar[str]  # who may
    columns: ClassVar[Columns]
    keys: ClassVar[tuple[str, ...]]  # one of these columns is needed to tell one row from another
    key_missing: ClassVar[Promise]  # what to say without
    problems: ClassVar[Mapping[str, str | Promise]] = {}
    closes: ClassVar[Promise | None] = None  # what happens to what a whole list leaves out; None: nothing ever
    careful: ClassVar[frozenset[str]] = frozenset()  # fields whose change never applies by itself

    @abstractmethod
    def known(self, by: User | None) -> Any:
        """Gather what judging needs to know of the hub: a handful of queries, whatever its size."""

    @abstractmethod
    def judge(self, lines: Sequence[Line], mapping: Mapping[str, int], known: Any) -> list[Judged]:
        """Say of every line what it would do. Nothing is read or written."""

    def gone(self, rows: Sequence[Judged], known: Any) -> list[Judged]:
        """Return, as rows to close, what a file that is the whole list leaves out; lines are given by the caller."""
        return []

    @abstractmethod
    def write(self, rows: Sequence[Judged], *, by: User, batch: UUID) -> Mapping[int, Left]:
        """Write judged rows in sets; return what each line left behind. Runs in the caller's transaction."""

    @abstractmethod
    def undo(self, rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
        """Take rows back where nobody touched their things since; return how many were taken back."""

    def absent(self, named: "QuerySet[ImportRow]") -> "QuerySet[Any] | None":
        """Return what the hub has and `named` rows leave out; None where that says nothing."""
        return None

    def words(self, name: str, value: Any) -> str:
        """Say a stored value as a person reads it."""
        if isinstance(value, list):
            return ", ".join(str(item) for item in value)
        return "" if value is None else str(value)

    @abstractmethod
    def examples(self) -> Sequence[Mapping[str, str]]:
        """Return a few rows for the template, in the active language."""

    def problem(self, code: str, values: Mapping[str, Any]) -> str:
        """Say a stored problem in the active language."""
        return problem_text(code, values, self.problems, self.columns)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; a room does so in its `apps.py`."""
    _kinds[kind.key] = kind


def kind_named(key: str) -> Kind:
    """Return the kind of that key. Raises UnknownKind."""
    try:
        return _kinds[key]
    except KeyError as error:
        raise UnknownKind(key) from error


def kinds_for(user: User) -> list[Kind]:
    """Return the kinds that `user` may bring in, in the order of their rooms."""
    return [kind for kind in _kinds.values() if user.has_perm(kind.right)]
