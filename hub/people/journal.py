"""Where people's changes are told. `hub.activity` keeps the record; it stands above this room, so it says so itself."""

from collections.abc import Mapping
from typing import Protocol

from django.db.models import Model

from .models import User

Changes = Mapping[str, tuple[object, object]]


class Recorder(Protocol):
    """What `hub.activity.actions.record` is, seen from below."""

    def __call__(
        self, *, by: User | None, verb: str, on: Model, changes: Changes | None = None, why: str = ""
    ) -> object: ...


class NobodyRecords(Exception):
    """`hub.activity` is not installed: a change may not happen without its record."""


_recorders: list[Recorder] = []


def keep_with(recorder: Recorder) -> None:
    """Let `recorder` hear of every change, inside the transaction of the change."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def note(*, by: User | None, verb: str, on: Model, changes: Changes | None = None, why: str = "") -> None:
    """Keep that `by` did `verb` to `on`."""
    if not _recorders:
        raise NobodyRecords
    for recorder in _recorders:
        recorder(by=by, verb=verb, on=on, changes=changes, why=why)
