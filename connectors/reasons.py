"""Why a record is set aside, as one of a few sentences of our own. What the check itself said is kept beside it.

Nothing here is called for a record that is good.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hub.core.logs import masked

from .base import Json, Notice, Stream

NO_ID = gettext_noop("The record has no id, or one that is too long.")
NOT_JSON = gettext_noop("The record is not written in a way that can be kept.")
UNMAPPABLE = gettext_noop("The hub can make no sense of the record as a whole.")
UNSTORABLE = gettext_noop("The database can’t hold one of the record’s values.")
MISSING = gettext_noop("The field is missing.")
EMPTY = gettext_noop("The field is empty, and must not be.")
NO_TEXT = gettext_noop("The field holds %(value)s, which is no text.")
NO_NUMBER = gettext_noop("The field holds %(value)s, which is no number.")
NO_TRUTH = gettext_noop("The field holds %(value)s, which is neither true nor false.")
NO_MOMENT = gettext_noop("The field holds %(value)s, which is no date or time.")
NO_LIST = gettext_noop("The field holds %(value)s, which is no list.")
NO_GROUP = gettext_noop("The field holds %(value)s, which is no group of fields.")
UNKNOWN = gettext_noop("The field holds %(value)s, a value that the hub does not know.")
TOO_LONG = gettext_noop("The field holds more than it may: %(value)s.")
OUT_OF_RANGE = gettext_noop("The field holds %(value)s, which is out of range.")
ODD = gettext_noop("The field does not look as it must: %(value)s.")
ODD_RECORD = gettext_noop("The record does not look as it must.")

# By what the name of the validator's error begins with, the longest first
SENTENCES = {
    "missing": MISSING,
    "string_too_long": TOO_LONG,
    "too_long": TOO_LONG,
    "string": NO_TEXT,
    "int": NO_NUMBER,
    "float": NO_NUMBER,
    "decimal": NO_NUMBER,
    "finite_number": NO_NUMBER,
    "bool": NO_TRUTH,
    "date": NO_MOMENT,
    "time": NO_MOMENT,
    "list": NO_LIST,
    "dict": NO_GROUP,
    "model": NO_GROUP,
    "literal_error": UNKNOWN,
    "enum": UNKNOWN,
    "greater_than": OUT_OF_RANGE,
    "less_than": OUT_OF_RANGE,
}

HIDDEN = "•••"
LONGEST_VALUE = 60
LONGEST_DETAIL = 500


def of_validation(error: ValidationError, stream: Stream) -> tuple[str, Notice, str]:
    """Return the path, the sentence and the technical words of the first thing that a validator found."""
    first = error.errors(include_url=False)[0]
    steps = [str(step) for step in first["loc"]]
    return ".".join(steps)[:200], sentence(first, steps, stream), str(masked(first["msg"]))[:LONGEST_DETAIL]


def sentence(found: ErrorDetails, steps: Sequence[str], stream: Stream) -> Notice:
    """Say what one error of a validator means."""
    value = found["input"]
    if not steps:
        return Notice(ODD_RECORD)
    known = max((name for name in SENTENCES if found["type"].startswith(name)), key=len, default="")
    text = SENTENCES.get(known, ODD)
    if text == MISSING:
        return Notice(MISSING)
    if value is None or value == "":
        return Notice(EMPTY)
    return Notice(
        text, {"value": HIDDEN if is_hidden(steps, stream) else shortened(masked({steps[-1]: value})[steps[-1]])}
    )


def is_hidden(steps: Sequence[str], stream: Stream) -> bool:
    """Tell whether a value says something of a person, by any part of where it stands."""
    names = [step for step in steps if not step.isdigit()]
    paths = {".".join(names[: count + 1]) for count in range(len(names))}
    return not paths.union(names).isdisjoint(stream.personal)


def shortened(value: Any) -> str:
    """Return a value as JSON spells it, cut to what fits a sentence; of what holds others, its outline."""
    match value:
        case dict():
            return "{…}"
        case list() | tuple():
            return "[…]"
        case bool():
            return "true" if value else "false"
        case str():
            text = value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
            return f'"{text[: LONGEST_VALUE - 1]}…"' if len(text) > LONGEST_VALUE else f'"{text}"'
    return str(value)[:LONGEST_VALUE]


def detail_of(error: BaseException) -> str:
    """Return an error's technical words, on one line."""
    lines = str(masked(str(error))).splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:LONGEST_DETAIL] if lines else type(error).__name__


def as_row(notice: Notice) -> Json:
    """Return a notice as it is stored."""
    return {"text": notice.text, "values": dict(notice.values)}


def unsaid() -> Json:
    """Return what stands for a reason that nobody put in words, as it is stored."""
    return as_row(Notice(ODD_RECORD))
