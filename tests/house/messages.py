"""Every sentence that the product shows, read from templates and Python without the gettext programs.

`python -m tests.house.messages` prints those that the French catalogue lacks, as JSON ready to be filled.
"""

import ast
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import polib

from .files import ROOT, name_of, product_python, templates, text

CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
# name of the function → (place of the context, of the singular, of the plural)
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None), "gettext": (None, 0, None), "gettext_lazy": (None, 0, None), "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1), "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None), "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2), "npgettext_lazy": (0, 1, 2),
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A sentence to translate. `plural` and `context` are empty where it has none."""

    text: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> str:
        """As in the hand-over files: context, sentence and plural in one string."""
        key = f"{self.text}||{self.plural}" if self.plural else self.text
        return f"{self.context}\x04{key}" if self.context else key


def messages() -> dict[Message, list[str]]:
    """Return every message with the files it stands in."""
    found: dict[Message, list[str]] = {}
    for path in product_python():
        for message in in_python(text(path)):
            found.setdefault(message, []).append(name_of(path))
    for path in templates():
        for message in in_template(text(path)):
            found.setdefault(message, []).append(name_of(path))
    return found


def in_python(source: str) -> list[Message]:
    """Return the messages of a Python module: literal arguments of the gettext functions."""
    return [message for node in ast.walk(ast.parse(source)) if (message := _from_call(node))]


def unreadable_calls(path: Path) -> list[int]:
    """Return the lines where a sentence is put together before it is translated (an f-string, a sum, a format)."""
    lines = []
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Call) and _function(node) in CALLS and node.args:
            context, singular, plural = CALLS[_function(node)]
            for place in (context, singular, plural):
                built = place is not None and place < len(node.args) and node.args[place]
                if isinstance(built, (ast.JoinedStr, ast.BinOp, ast.Call)):
                    lines.append(node.lineno)
    return lines


def _function(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _from_call(node: ast.AST) -> Message | None:
    if not isinstance(node, ast.Call) or (name := _function(node)) not in CALLS:
        return None

    def said(place: int | None) -> str:
        if place is None or place >= len(node.args):
            return ""
        argument = node.args[place]
        return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""

    context, singular, plural = CALLS[name]
    return Message(said(singular), said(plural), said(context)) if said(singular) else None


def in_template(source: str) -> list[Message]:
    """Return the messages of a template; Django turns its tags into calls, and the calls are read as above."""
    from django.utils.translation.template import templatize

    string = r"""[a-z]{0,2}(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    call = rf"\b(_|n?p?gettext)\(\s*({string}(?:\s*,\s*{string})*)\s*(?:,\s*count\s*)?\)"
    found = []
    for match in re.finditer(call, templatize(source)):
        node = ast.parse(f"{match[1]}({match[2]})", mode="eval").body
        if message := _from_call(node):
            found.append(message)
    return found


def catalogue() -> dict[Message, polib.POEntry]:
    """Return the French catalogue by message, without what is obsolete."""
    entries = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else []
    return {
        Message(entry.msgid, entry.msgid_plural, entry.msgctxt or ""): entry for entry in entries if not entry.obsolete
    }


def said_in(entry: polib.POEntry) -> list[str]:
    """Return the French of an entry, each plural form apart."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


if __name__ == "__main__":
    known = catalogue()
    missing = {message.key: where for message, where in messages().items() if message not in known}
    json.dump(missing, sys.stdout, ensure_ascii=False, indent=1)
    print(f"\n{len(missing)} of {len(messages())} messages are missing in French.", file=sys.stderr)
