"""Who may do what, readable aloud; the only place where rights are decided.

A rule takes the user and, where it matters, the thing. Rights of a thing's owner go through
`is_owned_by(user)`, which each ownable model answers for itself. Every address is walked with every role by
`tests/test_access.py`, so a right that is granted here and not asked for in a view is found there.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpResponse

from hub.core.http import Request

from .models import User
from .rulebook import Rule, grant, rule

P = ParamSpec("P")


@rule
def is_member(user: User) -> bool:
    """Everybody who works here and is signed in."""
    return bool(user.is_active)


@rule
def is_ops(user: User) -> bool:
    """Product Ops curates everything."""
    return bool(user.is_active and user.is_ops)


@rule
def is_leader(user: User) -> bool:
    """Leaders read what the whole company does."""
    return bool(user.is_active and user.is_leader)


@rule
def is_technical_admin(user: User) -> bool:
    """The technical admin holds secrets: connections, tokens, repair."""
    return bool(user.is_active and user.is_staff)


@rule
def is_owner(user: User, thing: Any = None) -> bool:
    """The owner of a thing keeps it true."""
    return bool(user.is_active and thing is not None and thing.is_owned_by(user))


@rule
def is_self(user: User, thing: Any = None) -> bool:
    """A person and what is said of them."""
    return bool(user.is_active and thing == user)


RIGHTS: dict[str, Rule] = {
    # People
    "people.see_directory": is_member,  # a colleague's page, the teams
    "people.see_people": is_ops | is_leader | is_technical_admin,  # the whole list, and taking it away as CSV
    "people.edit_people": is_ops,
    "people.invite": is_ops,
    "people.match_accounts": is_ops,
    "people.see_accounts": is_ops | is_self,  # which tools a person has an account in, and when it was last used
    # Tools
    "tooling.see_tools": is_member,
    "tooling.create_tool": is_ops,
    "tooling.edit_tool": is_ops | is_owner,
    "tooling.change_standing": is_ops,
    "tooling.see_idle_people": is_ops | is_owner,
    "tooling.import_tools": is_ops,
    # Files on their way in; what a file holds has a right of its own, too
    "imports.see_imports": is_ops | is_technical_admin,
    "imports.edit_feeds": is_ops | is_technical_admin,  # addresses that are read every night
    "imports.hold_tokens": is_technical_admin,
    # KPIs
    "kpis.see_kpis": is_member,
    "kpis.edit_metric": is_ops | is_owner,
    "kpis.see_leadership": is_leader | is_ops,
    "kpis.take_back_comments": is_ops,  # those of others; everybody takes back their own
    "kpis.link_projects": is_ops,  # say which project delivers a feature
    "kpis.create_metric": is_ops,
    "kpis.see_sources": is_ops | is_technical_admin,  # where values come from: tokens, databases, what arrived
    "kpis.manage_tokens": is_ops | is_technical_admin,
    "kpis.read_databases": is_technical_admin,  # whether, which, and by which query
    # Connectors
    "connectors.see_syncs": is_ops | is_technical_admin,
    "connectors.run_sync": is_ops | is_technical_admin,
    "connectors.edit_connection": is_technical_admin,
    "connectors.map_sources": is_ops | is_technical_admin,  # what a database of a documents tool holds
    # The house
    "home.see_styleguide": is_technical_admin | is_ops,
}

for _right, _rule in RIGHTS.items():
    grant(_right, _rule)


def require(user: User, right: str, thing: Model | None = None) -> None:
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
