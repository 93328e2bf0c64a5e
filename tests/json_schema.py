"""As much of JSON Schema as the vendors' contracts use. A word it does not know raises: nothing passes unseen."""

import re

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip
SILENT = {
    "$schema", "$id", "$defs", "title", "description", "default", "format", "examples", "example", "deprecated",
}  # fmt: skip


def errors(value, schema, root, path="$"):
    """Return what is wrong with a value, as one line each."""
    return list(_errors(value, schema, root, path))


def _errors(value, schema, root, path):
    if schema is True:
        return
    for word, given in schema.items():
        if word in SILENT:
            continue
        check = WORDS.get(word)
        if check is None:
            raise NotImplementedError(f"{path}: {word}")
        yield from check(value, given, schema, root, path)


def _ref(value, given, _schema, root, path):
    target = root
    for step in given.removeprefix("#/").split("/"):
        target = target[step]
    yield from _errors(value, target, root, path)


def _type(value, given, _schema, _root, path):
    names = given if isinstance(given, list) else [given]
    fits = any(
        isinstance(value, TYPES[name]) and not (isinstance(value, bool) and name in ("integer", "number"))
        for name in names
    )
    if not fits:
        yield f"{path}: {type(value).__name__}, not {given}"


def _properties(value, given, _schema, root, path):
    for name, schema in given.items():
        if isinstance(value, dict) and name in value:
            yield from _errors(value[name], schema, root, f"{path}.{name}")


def _required(value, given, _schema, _root, path):
    for name in given:
        if isinstance(value, dict) and name not in value:
            yield f"{path}.{name}: missing"


def _additional(value, given, schema, root, path):
    if not isinstance(value, dict) or given is True:
        return
    for name in value.keys() - schema.get("properties", {}).keys():
        if given is False:
            yield f"{path}.{name}: not known"
        else:
            yield from _errors(value[name], given, root, f"{path}.{name}")


def _items(value, given, _schema, root, path):
    for place, item in enumerate(value if isinstance(value, list) else ()):
        yield from _errors(item, given, root, f"{path}[{place}]")


def _one_of_several(value, given, _schema, root, path):
    found = [list(_errors(value, schema, root, path)) for schema in given]
    if all(found):
        yield min(found, key=len)[0]


def _exactly_one(value, given, _schema, root, path):
    fitting = sum(not list(_errors(value, schema, root, path)) for schema in given)
    if fitting != 1:
        yield f"{path}: fits {fitting} of {len(given)}"


def _all_of(value, given, _schema, root, path):
    for schema in given:
        yield from _errors(value, schema, root, path)


def _not(value, given, _schema, root, path):
    if not list(_errors(value, given, root, path)):
        yield f"{path}: must not be so"


WORDS = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _one_of_several,
    "oneOf": _exactly_one,
    "allOf": _all_of,
    "not": _not,
    "enum": lambda value, given, _s, _r, path: [] if value in given else [f"{path}: {value!r} is not one of {given}"],
    "const": lambda value, given, _s, _r, path: [] if value == given else [f"{path}: {value!r}, not {given!r}"],
    "pattern": lambda value, given, _s, _r, path: (
        [] if not isinstance(value, str) or re.search(given, value) else [f"{path}: {value!r} does not match"]
    ),
    "minLength": lambda value, given, _s, _r, path: (
        [] if not isinstance(value, str) or len(value) >= given else [f"{path}: too short"]
    ),
    "minItems": lambda value, given, _s, _r, path: [] if len(value) >= given else [f"{path}: too short"],
    "minimum": lambda value, given, _s, _r, path: [] if value >= given else [f"{path}: {value} is too small"],
    "maximum": lambda value, given, _s, _r, path: [] if value <= given else [f"{path}: {value} is too large"],
}
