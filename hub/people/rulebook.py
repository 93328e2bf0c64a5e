"""The library `rules`, with types: the only module that imports it.

`rules` carries no annotations, so its predicates are seen through the protocol below.
"""

from collections.abc import Callable
from typing import Protocol, cast

from rules.permissions import set_perm
from rules.predicates import predicate


class Rule(Protocol):
    """A question about a person (and perhaps a thing) that can be joined with `|`, `&` and `~`."""

    def __or__(self, other: "Rule") -> "Rule": ...

    def __and__(self, other: "Rule") -> "Rule": ...

    def __invert__(self) -> "Rule": ...

    def test(self, *args: object) -> bool:
        """Answer for a user and a thing."""
        ...


def rule(test: Callable[..., bool]) -> Rule:
    """Make a rule of a function that takes a user, or a user and a thing."""
    return cast(Rule, predicate(test))


def grant(right: str, to: Rule) -> None:
    """Let those whom `to` names do `right`; `user.has_perm(right, thing)` then answers by it."""
    set_perm(right, to)
