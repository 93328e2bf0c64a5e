"""Reading the record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Model
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.html import strip_tags
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from hub.core.markdown import render_markdown

from .models import Event
from .words import label_of_recorded, names_of_recorded, verb_in_words

LONG = 160  # signs, before and after together


@dataclass(frozen=True)
class FieldChange:
    """One field of one act; `before` or `after` is empty where there was nothing."""

    label: str
    before: str
    after: str

    @property
    def is_long(self) -> bool:
        """Tell whether the texts are too long to be read one beside the other in a timeline."""
        return len(self.before) + len(self.after) > LONG

    @property
    def opening(self) -> str:
        """Return the first words of the text as it is now, without the marks of Markdown."""
        return Truncator(unescape(strip_tags(render_markdown(self.after or self.before)))).words(14)


@dataclass(frozen=True)
class Change:
    """One act on the thing: what, who (empty for a sync), when, why, field by field."""

    id: int
    at: datetime
    who: str
    who_url: str
    verb: str
    what: str
    why: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Changes:
    """The latest acts, newest first; `older` is the number of the next page, None at the end."""

    rows: tuple[Change, ...]
    page: int
    older: int | None

    def __iter__(self) -> Iterator[Change]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def changes_of(thing: Model, limit: int = 20, page: int | str | None = 1) -> Changes:
    """Return what happened to `thing`, `limit` acts a page. A page that is no number is the first.

    One query, and one for each kind of slug that is told by its name.
    """
    text = str(page)
    number = max(1, int(text)) if text.isdecimal() and len(text) < 5 else 1
    start = (number - 1) * limit
    events = list(
        Event.objects.filter(kind=thing._meta.label_lower, object_id=str(thing.pk))
        .select_related("by")
        .order_by("-at", "-id")[start : start + limit + 1]
    )
    names = names_in(thing._meta.label_lower, events[:limit])
    rows = tuple(as_change(event, names) for event in events[:limit])
    return Changes(rows=rows, page=number, older=number + 1 if len(events) > limit else None)


def names_in(kind: str, events: Iterable[Event]) -> Mapping[str, Mapping[str, str]]:
    """Return, by field, the names of things that events name by their slug."""
    slugs: dict[str, set[str]] = {}
    for event in events:
        for field, pair in event.changes.items():
            for value in pair:
                held = value if isinstance(value, list) else [value]
                slugs.setdefault(field, set()).update(one for one in held if isinstance(one, str))
    return {field: names_of_recorded(kind, field, found) for field, found in slugs.items()}


def as_change(event: Event, names: Mapping[str, Mapping[str, str]]) -> Change:
    """Return an event in the reader's words."""
    model = model_named(event.kind)

    def words(field: str, value: object) -> str:
        known = names.get(field, {})
        held = value if isinstance(value, list) else [value]
        return in_words(model, field, [known.get(one, one) if isinstance(one, str) else one for one in held])

    return Change(
        id=event.pk,
        at=event.at,
        who=str(event.by) if event.by else "",
        who_url=event.by.get_absolute_url() if event.by else "",
        verb=event.verb,
        what=verb_in_words(event.verb),
        why=event.why,
        fields=tuple(
            FieldChange(
                label_of_recorded(event.kind, field) or label_of(model, field),
                words(field, before),
                words(field, after),
            )
            for field, (before, after) in event.changes.items()
            if not field.startswith("_")  # kept for an undo, not for reading
            and not (before in (None, "") and after in (None, ""))
        ),
    )


def model_named(kind: str) -> type[Model] | None:
    """Return the model an event is about, None when this release no longer has it."""
    try:
        return apps.get_model(kind)
    except LookupError:
        return None


def field_of(model: type[Model] | None, name: str) -> Any:
    """Return the model's field of that name, None for a recorded name that is no field (any more)."""
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def label_of(model: type[Model] | None, name: str) -> str:
    """Return what a field is called on a page."""
    label = getattr(field_of(model, name), "verbose_name", None) or name.replace("_", " ")
    return str(capfirst(str(label)))


def in_words(model: type[Model] | None, name: str, value: object) -> str:
    """Return a recorded value as a person reads it: a choice's label, a date in full, yes or no, a list with commas."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(in_words(model, name, item) for item in value)
    field = field_of(model, name)
    choices = dict(getattr(field, "flatchoices", None) or ())
    if value in choices:
        return str(choices[value])
    if isinstance(value, str) and isinstance(field, models.DateField):
        return date_in_words(value)
    return figure_in_words(value) if isinstance(value, int | float) else str(value)


def figure_in_words(value: float) -> str:
    """Return a figure as the reader's language writes it, without decimals that say nothing."""
    return number_format(int(value) if value == int(value) else value, force_grouping=True)


def date_in_words(value: str) -> str:
    """Return an ISO date or moment as the reader's language writes it; what is neither stays as it is."""
    moment = parse_datetime(value) if "T" in value or " " in value else None
    day: date | None = timezone.localtime(moment) if moment and timezone.is_aware(moment) else moment
    day = day or (parse_date(value) if len(value) == 10 else None)
    return date_format(day, "DATETIME_FORMAT" if isinstance(day, datetime) else "DATE_FORMAT") if day else value
