"""What Product Ops chooses among a metric's parameters: the lists that can be edited, and how the page says them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Func, TextField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.models import ProductField, ProductItem

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EFFORTS, PRICES = "efforts", "prices"
CHOSEN: "Mapping[str, StrOrPromise]" = {
    "labels": gettext_lazy("Labels that count as a bug"),
    "statuses": gettext_lazy("Statuses that count as under way"),
    "delivered": gettext_lazy("Statuses that count as delivered"),
    "titles": gettext_lazy("Words in the job titles of product people"),
    PRICES: gettext_lazy("Price of a seat a month"),
    EFFORTS: gettext_lazy("Fields that hold the effort"),
}
NUMBERED = Func(F("numbers"), function="jsonb_object_keys", output_field=TextField(), set_returning=True)
MAY_BE_EMPTY = frozenset({PRICES, EFFORTS})  # until somebody chooses, the figure is not measured and says so


def chosen_key(settings: Mapping[str, Any]) -> str:
    """Return which list among a metric's parameters can be chosen; empty where none can."""
    return next((key for key in CHOSEN if key in settings), "")


def effort_fields(chosen: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return the fields (id, words) in which a feature holds a number, and those `chosen` before. Two statements."""
    features = ProductItem.objects.live().filter(kind="feature", connection__is_active=True).exclude(numbers={})
    numeric = set(features.annotate(ref=NUMBERED).values_list("connection", "ref").distinct())
    kept = set(chosen)
    rows = ProductField.objects.filter(kind="feature").select_related("connection")
    return [
        (row.ref, _words(row))
        for row in rows.order_by("name", "connection__label", "pk")
        if row.ref in kept or (row.deleted_at is None and (row.connection_id, row.ref) in numeric)
    ]


def lost_fields(chosen: Sequence[str]) -> list[str] | None:
    """Return the names of chosen fields that their tool no longer has; None where all are there.

    A field that was never read, as before a first sync, has no name to be said. Two statements at most.
    """
    known = set(ProductField.objects.live().filter(ref__in=chosen).values_list("ref", flat=True)) if chosen else set()
    lost = set(chosen) - known
    return list(ProductField.objects.filter(ref__in=lost).values_list("name", flat=True)) if lost else None


@dataclass(frozen=True)
class Said:
    """A list among a metric's parameters, in words; `name` is empty where a metric has none to choose."""

    name: str
    members: list[str]

    def __str__(self) -> str:
        return ", ".join(self.members)


def said(settings: Mapping[str, Any]) -> Said:
    """Say what was chosen for a metric. One statement where these are fields of a tool, else none."""
    key = chosen_key(settings)
    if not key:
        return Said("", [])
    members = [str(one) for one in settings[key]]
    if key == EFFORTS and members:
        rows = ProductField.objects.filter(ref__in=members).select_related("connection")
        names = {row.ref: _words(row) for row in rows}
        members = [names.get(ref, ref) for ref in members]
    return Said(str(CHOSEN[key]), members)


def _words(row: ProductField) -> str:
    text = f"{row} ({row.connection})"
    return _("%(field)s, no longer there") % {"field": text} if row.deleted_at else text
