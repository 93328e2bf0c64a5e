"""Tying accounts to people and tool teams to teams, by hand. A sync never overrules what was decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from connectors.models import PersonAccount, WorkTeam
from hub.activity.actions import record
from hub.activity.models import Event
from hub.people.models import Team, User

Match = PersonAccount.Match


@dataclass(frozen=True)
class Decided:
    """How many rows changed, and the batch under which it can be undone."""

    count: int
    batch: UUID


@transaction.atomic
def match_accounts(*, pairs: Mapping[int, User], by: User) -> Decided:
    """Tie each account (by id) to its person. Accounts that the tool no longer has are left out."""
    batch = uuid4()
    accounts = held(PersonAccount.objects.filter(pk__in=pairs))
    for account in accounts:
        person = pairs[account.pk]
        before = (account.person, account.match)
        account.person, account.match = person, Match.MANUAL
        account.save(update_fields=["person", "match"])
        keep(account, "matched", before, by, batch)
    return Decided(len(accounts), batch)


@transaction.atomic
def ignore_accounts(*, ids: list[int], by: User) -> Decided:
    """Set accounts aside that belong to no person: robots, shared boxes, tests."""
    batch = uuid4()
    accounts = held(PersonAccount.objects.filter(pk__in=ids))
    for account in accounts:
        before = (account.person, account.match)
        account.person, account.match = None, Match.IGNORED
        account.save(update_fields=["person", "match"])
        keep(account, "ignored", before, by, batch)
    return Decided(len(accounts), batch)


@transaction.atomic
def undo(*, batch: UUID, by: User) -> int:
    """Take back what was decided in `batch`; return how many rows that changed.

    An account goes back to what its e-mail says, as if nobody had decided; a tool team stands for no team again.
    """
    changed = 0
    account_ids = ids_in(batch, PersonAccount)
    decided = PersonAccount.objects.filter(pk__in=account_ids, match__in=[Match.MANUAL, Match.IGNORED])
    accounts = held(decided)
    people = {person.email: person for person in User.objects.filter(email__in={account.email for account in accounts})}
    for account in accounts:
        before = (account.person, account.match)
        account.person = people.get(account.email) if account.email else None
        account.match = Match.EMAIL if account.person else Match.UNMATCHED
        account.save(update_fields=["person", "match"])
        keep(account, "undone", before, by, None)
        changed += 1
    for team in WorkTeam.objects.select_for_update(of=("self",)).filter(pk__in=ids_in(batch, WorkTeam)):
        if team.team_id is not None:
            tied, team.team = team.team, None
            team.save(update_fields=["team"])
            record(by=by, verb="undone", on=team, changes={"team": (str(tied), None)})
            changed += 1
    return changed


@transaction.atomic
def match_teams(*, pairs: Mapping[int, Team], by: User) -> Decided:
    """Say which team of the company each tool team (by id) stands for."""
    batch = uuid4()
    teams = list(WorkTeam.objects.select_for_update(of=("self",)).select_related("team").filter(pk__in=pairs))
    for team in teams:
        before = team.team
        team.team = pairs[team.pk]
        team.save(update_fields=["team"])
        changes = {"team": (str(before) if before else None, str(team.team))}
        record(by=by, verb="mapped", on=team, changes=changes, batch=batch)
    return Decided(len(teams), batch)


def held(accounts: "models.QuerySet[PersonAccount]") -> list[PersonAccount]:
    """Return living accounts, locked until the transaction ends."""
    living = accounts.filter(deleted_at=None).select_related("person", "connection").order_by("pk")
    return list(living.select_for_update(of=("self",)))


def ids_in(batch: UUID, model: type[models.Model]) -> list[int]:
    """Return the ids of the rows of `model` that were decided under `batch`, and by nobody since."""
    kept = Event.objects.filter(batch=batch, kind=model._meta.label_lower)
    since = Event.objects.filter(kind=OuterRef("kind"), object_id=OuterRef("object_id"), pk__gt=OuterRef("pk"))
    return [int(key) for key in kept.exclude(Exists(since)).values_list("object_id", flat=True)]


def keep(account: PersonAccount, verb: str, before: tuple[User | None, str], by: User, batch: UUID | None) -> None:
    """Record one decision, on the account and in words."""
    person, match = before
    record(
        by=by,
        verb=verb,
        on=account,
        changes={
            "person": (str(person) if person else None, str(account.person) if account.person else None),
            "match": (str(match), str(account.match)),
        },
        batch=batch,
    )
