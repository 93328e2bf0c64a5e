"""Who may do what, readable aloud; the only place where rights are decided.

A predicate takes the user and, where it matters, the thing. Rights of a thing's owner go through
`is_owned_by(user)`, which each ownable model answers for itself.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import rules
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from hub.core.http import Request

from .models import User

P = ParamSpec("P")


@rules.predicate
def is_ops(user: User) -> bool:
    """Product Ops curates everything."""
    return bool(user.is_active and user.is_ops)


@rules.predicate
def is_leader(user: User) -> bool:
    """Leaders read what the whole company does."""
    return bool(user.is_active and user.is_leader)


@rules.predicate
def is_technical_admin(user: User) -> bool:
    """The technical admin holds secrets: connections, tokens, repair."""
    return bool(user.is_active and user.is_staff)


@rules.predicate
def is_owner(user: User, thing: Any = None) -> bool:
    """The owner of a thing keeps it true."""
    return bool(user.is_active and thing is not None and thing.is_owned_by(user))


is_member = rules.is_active

RIGHTS: dict[str, Any] = {
    # People
    "people.see_people": is_ops | is_leader | is_technical_admin,
    "people.edit_people": is_ops,
    "people.invite": is_ops,
    "people.match_accounts": is_ops,
    # Tools
    "tooling.see_tools": is_member,
    "tooling.create_tool": is_ops,
    "tooling.edit_tool": is_ops | is_owner,
    "tooling.change_standing": is_ops,
    "tooling.see_idle_people": is_ops | is_owner,
    "tooling.import_tools": is_ops,
    # KPIs
    "kpis.see_kpis": is_member,
    "kpis.edit_metric": is_ops | is_owner,
    "kpis.see_leadership": is_leader | is_ops,
    # Connectors
    "connectors.see_syncs": is_ops | is_technical_admin,
    "connectors.run_sync": is_ops | is_technical_admin,
    "connectors.edit_connection": is_technical_admin,
    # The house
    "home.see_styleguide": is_technical_admin | is_ops,
}

for _name, _predicate in RIGHTS.items():
    rules.add_perm(_name, _predicate)


def require(user: User, right: str, thing: object = None) -> None:
    """Raise PermissionDenied (403) unless `user` holds `right` (on `thing`)."""
    if not user.has_perm(right, thing):
        raise PermissionDenied(right)


def requires(
    right: str,
) -> Callable[
    [Callable[Concatenate[Request, P], HttpResponse]],
    Callable[Concatenate[Request, P], HttpResponse],
]:
    """Open a view only to those who hold `right`; everyone else gets 403 before anything is read."""

    def decorate(
        view: Callable[Concatenate[Request, P], HttpResponse],
    ) -> Callable[Concatenate[Request, P], HttpResponse]:
        @wraps(view)
        def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            require(request.user, right)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
