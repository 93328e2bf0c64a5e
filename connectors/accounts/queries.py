"""What waits to be tied: accounts without a person, tool teams without a team, seats of people who left."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from connectors.models import Connection, PersonAccount, WorkTeam
from hub.people.models import User
from hub.people.names import InitialAndLast, MailName, PlainName, plain


def live_accounts() -> "QuerySet[PersonAccount]":
    """Open accounts that their tool still has."""
    found: QuerySet[PersonAccount] = PersonAccount.objects.filter(
        deleted_at=None, is_active=True, connection__is_active=True
    )
    return found


def unmatched() -> "QuerySet[PersonAccount]":
    """Accounts that belong to nobody we know."""
    return live_accounts().filter(match=PersonAccount.Match.UNMATCHED)


def decided() -> "QuerySet[PersonAccount]":
    """Accounts that a person tied or set aside by hand."""
    return live_accounts().filter(match__in=[PersonAccount.Match.MANUAL, PersonAccount.Match.IGNORED])


def leavers() -> "QuerySet[PersonAccount]":
    """Open accounts of people who left: seats to close, and doors."""
    return live_accounts().filter(person__is_active=False)


def loose_teams() -> "QuerySet[WorkTeam]":
    """Tool teams that stand for no team of the company yet."""
    return live_teams().filter(team=None)


def live_teams() -> "QuerySet[WorkTeam]":
    """Tool teams that their tool still has."""
    found: QuerySet[WorkTeam] = WorkTeam.objects.filter(deleted_at=None, archived_at=None, connection__is_active=True)
    return found


@dataclass(frozen=True)
class Waiting:
    """How much waits, by kind."""

    accounts: int
    teams: int
    leavers: int


def waiting() -> Waiting:
    """Count what waits, in one query; without a connection nothing can."""
    counts = Connection.objects.order_by("pk").values_list(tally(unmatched()), tally(loose_teams()), tally(leavers()))[
        :1
    ]
    for accounts, teams, left in counts:
        return Waiting(accounts=accounts, teams=teams, leavers=left)
    return Waiting(accounts=0, teams=0, leavers=0)


def tally(rows: "QuerySet[Any]") -> Coalesce:
    """Return the number of `rows` as a part of another query."""
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(count=Count("*")).values("count")
    return Coalesce(Subquery(counted), 0)


@dataclass(frozen=True)
class Suggestion:
    """Somebody to whom an account may belong, and why we think so."""

    person_id: int
    name: str
    email: str
    is_active: bool
    reason: str  # same_name, same_address or initial


@dataclass(frozen=True)
class Row:
    """An account in the list, with the people it may belong to, the likeliest first."""

    account: PersonAccount
    suggestions: tuple[Suggestion, ...]

    @property
    def key(self) -> str:
        return str(self.account.pk)

    @property
    def name(self) -> str:
        return str(self.account)

    @property
    def chooses(self) -> str:
        """What its box says aloud; here and not in the template, where each row would draw a sentence's parts."""
        return _("Choose %(account)s") % {"account": self.name}

    @property
    def matches(self) -> str:
        return _("match with %(account)s") % {"account": self.name}

    @property
    def asks(self) -> str:
        return _("Whose account is %(account)s?") % {"account": self.name}


@dataclass(frozen=True)
class Keys:
    """What a person and an account may have in common, each without accents and in lower case."""

    names: frozenset[str]  # "jeanne morel", either way round
    addresses: frozenset[str]  # "jeanne.morel", what stands before the @
    initials: frozenset[str]  # "j morel"


def keys_of(account: PersonAccount) -> Keys:
    """Return the keys under which an account's person may be found."""
    local = account.email.partition("@")[0]
    names = {plain(account.name), plain(local)}
    for name in list(names):
        first, _blank, rest = name.partition(" ")
        names.add(f"{rest} {first}".strip())
    names = {name for name in names if " " in name}
    initials = {f"{name[0]} {name.rpartition(' ')[2]}" for name in names}
    if match := re.fullmatch(r"([a-z])([a-z]{3,})", plain(local)):
        initials.add(f"{match[1]} {match[2]}")
    return Keys(frozenset(names), frozenset({local.lower()} if local else ()), frozenset(initials))


def suggestions_for(accounts: Sequence[PersonAccount]) -> Mapping[int, tuple[Suggestion, ...]]:
    """Return for each account the people with the same name, the same address elsewhere, or initial and last name.

    One query for all. Nothing is tied by it: a person decides.
    """
    wanted = {account.pk: keys_of(account) for account in accounts}
    names = {name for keys in wanted.values() for name in keys.names}
    addresses = {address for keys in wanted.values() for address in keys.addresses}
    initials = {initial for keys in wanted.values() for initial in keys.initials}
    if not (names or addresses):
        return {}
    people = (
        User.objects.annotate(plain_name=PlainName("name"), address=MailName("email"), initial=InitialAndLast("name"))
        .filter(Q(plain_name__in=names) | Q(address__in=addresses) | Q(initial__in=initials))
        .values_list("pk", "name", "email", "is_active", "plain_name", "address", "initial")
        .order_by("-is_active", "name", "pk")[:500]
    )
    found: dict[int, list[tuple[int, Suggestion]]] = {}
    rows = list(people)
    for account_id, keys in wanted.items():
        for pk, name, email, is_active, plain_name, address, initial in rows:
            rank, reason = (
                (0, "same_name")
                if plain_name in keys.names
                else (1, "same_address")
                if address in keys.addresses
                else (2, "initial")
                if initial in keys.initials
                else (9, "")
            )
            if reason:
                found.setdefault(account_id, []).append((rank, Suggestion(pk, name, email, is_active, reason)))
    return {
        account_id: tuple(suggestion for _rank, suggestion in sorted(some, key=lambda pair: pair[0])[:2])
        for account_id, some in found.items()
    }


def rows_of(accounts: Iterable[PersonAccount]) -> Sequence[Row]:
    """Return the rows of a page, each with its suggestions."""
    held = list(accounts)
    suggested = suggestions_for(held)
    return [Row(account, suggested.get(account.pk, ())) for account in held]


def accounts_of(person: User) -> "QuerySet[PersonAccount]":
    """A person's accounts across tools, open ones first."""
    found: QuerySet[PersonAccount] = (
        PersonAccount.objects.filter(person=person, deleted_at=None)
        .select_related("connection")
        .order_by("-is_active", "connection__label", "pk")
    )
    return found
