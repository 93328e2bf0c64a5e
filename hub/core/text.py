"""Comparing texts word by word."""

import re
from difflib import SequenceMatcher

LONGEST = 4000  # words; past that the whole is shown as replaced, for comparing costs the square of it


def word_diff(before: str, after: str) -> list[tuple[str, str]]:
    """Return how `before` became `after`, as (kind, words): kind is "del", "ins" or "" for what stayed."""
    old, new = _words(before), _words(after)
    if len(old) + len(new) > LONGEST:
        return [piece for piece in (("del", before), ("ins", after)) if piece[1]]
    pieces: list[tuple[str, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("", " ".join(new[c:d])))
            continue
        if b > a:
            pieces.append(("del", " ".join(old[a:b])))
        if d > c:
            pieces.append(("ins", " ".join(new[c:d])))
    return pieces


def _words(text: str) -> list[str]:
    return re.split(r"\s+", text.strip()) if text.strip() else []
