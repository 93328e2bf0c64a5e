"""Keeping the record."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Model

from hub.people.models import User

from .models import Event

Changes = Mapping[str, tuple[object, object]]


def record(
    *, by: User | None, verb: str, on: Model, changes: Changes | None = None, why: str = "", batch: UUID | None = None
) -> Event:
    """Keep that `by` did `verb` to `on`; values in `changes` must be plain JSON. `by` is None for a sync.

    Call it inside the transaction of the change itself, so that neither exists without the other.
    """
    return Event.objects.create(
        by=by,
        verb=verb,
        kind=on._meta.label_lower,
        object_id=str(on.pk),
        title=str(on)[:200],
        changes={field: list(pair) for field, pair in (changes or {}).items()},
        why=why,
        batch=batch,
    )
