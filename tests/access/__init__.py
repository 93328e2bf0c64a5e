"""Who gets what at every address: one table per room, walked by `tests/test_access.py`.

Each module here holds `ACCESS: dict[str, Rule]`, keyed by URL name. A key that ends in `:` stands for every address
of that namespace (Django's admin).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROLES = ("anonymous", "member", "leader", "ops", "admin")
EVERYONE_INSIDE = frozenset({"member", "leader", "ops", "admin"})


@dataclass(frozen=True)
class Rule:
    """What an address answers.

    `who`: roles that may. A role that may not gets 403 (`hidden=True`: 404); a stranger is sent to sign in,
    unless `who` names "anonymous".
    `methods`: the methods it takes; every other one is 405 for those who may.
    `make`: prepares rows and returns the address's arguments.
    `data`: the body of a POST that is well formed; a callable value is called when it is sent.
    `ok`: the statuses that mean "may".
    `missing`: the status for arguments that name nothing.
    `for_programs`: machines call it and prove themselves; no cookie opens it, so no form needs its token there.
    """

    who: frozenset[str] = EVERYONE_INSIDE
    methods: tuple[str, ...] = ("GET",)
    make: Callable[[], dict[str, Any]] = dict
    data: dict[str, Any] = field(default_factory=dict)
    ok: tuple[int, ...] = (200, 204, 302, 422)
    hidden: bool = False
    missing: int = 404
    for_programs: bool = False
