"""What is kept of a property, settled: empty is None, people and relations are ids, what somebody wrote is not kept.

Of text, files, addresses and numbers to call only the fact is kept that something is there (True).
"""

from collections.abc import Callable, Mapping
from typing import Any

UNSUPPORTED = frozenset({"unsupported", "incomplete"})
LONGEST_WORD = 200  # of a formula's text: a label, not a letter


def settled(kind: str, inner: Any) -> Any:
    """Return the value of a property of this type. Raises ValueError, KeyError or TypeError for what it can't be."""
    keep = KINDS.get(kind)
    return None if keep is None or inner is None else keep(inner)


def is_known(kind: str) -> bool:
    return kind in KINDS


def people(found: Any) -> list[str] | None:
    return [_text(person["id"]) for person in _list(found)] or None


def relation(ids: list[str]) -> dict[str, Any] | None:
    return {"count": len(ids), "ids": ids} if ids else None


def _relation(found: Any) -> dict[str, Any] | None:
    return relation([_text(page["id"]) for page in _list(found)])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list expected, not {type(value).__name__}")
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number expected, not {type(value).__name__}")
    number: int | float = value
    return number


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"yes or no expected, not {type(value).__name__}")
    return value


def _option(value: Any) -> dict[str, str]:
    return {"id": _text(value["id"]), "name": _text(value["name"])}


def _options(value: Any) -> list[dict[str, str]] | None:
    return [_option(one) for one in _list(value)] or None


def _date(value: Any) -> dict[str, str | None]:
    end = value.get("end")
    return {"start": _text(value["start"]), "end": None if end is None else _text(end)}


def _filled(value: Any) -> bool | None:
    return bool(value) or None


def _unique_id(value: Any) -> str | None:
    number, prefix = value["number"], value.get("prefix")
    if number is None:
        return None
    return f"{_text(prefix)}-{_number(number)}" if prefix else str(_number(number))


def _verification(value: Any) -> dict[str, str | None]:
    date = value.get("date")
    return {"state": _text(value["state"]), "end": None if date is None else _date(date)["end"]}


def _formula(value: Any) -> Any:
    kind = _text(value["type"])
    inner = None if kind in UNSUPPORTED else value.get(kind)
    if inner is None:
        return None
    keep: dict[str, Callable[[Any], Any]] = {
        "string": lambda text: _text(text)[:LONGEST_WORD] or None, "number": _number, "boolean": _truth, "date": _date,
    }  # fmt: skip
    return keep[kind](inner) if kind in keep else None


def _rollup(value: Any) -> Any:
    """A rollup's number or date; of a list only how many there are."""
    kind = _text(value["type"])
    inner = None if kind in UNSUPPORTED else value.get(kind)
    if inner is None:
        return None
    keep: dict[str, Callable[[Any], Any]] = {
        "number": _number, "date": _date, "array": lambda found: {"count": len(_list(found))} if found else None,
    }  # fmt: skip
    return keep[kind](inner) if kind in keep else None


KINDS: Mapping[str, Callable[[Any], Any]] = {
    "title": _filled, "rich_text": _filled, "files": _filled, "email": _filled, "phone_number": _filled,
    "place": _filled, "button": lambda _value: None,
    "number": _number, "checkbox": _truth, "url": _text, "created_time": _text, "last_edited_time": _text,
    "select": _option, "status": _option, "multi_select": _options, "date": _date,
    "people": people, "created_by": lambda user: _text(user["id"]), "last_edited_by": lambda user: _text(user["id"]),
    "relation": _relation, "formula": _formula, "rollup": _rollup,
    "unique_id": _unique_id, "verification": _verification,
}  # fmt: skip
