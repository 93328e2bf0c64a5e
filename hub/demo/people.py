"""The people and teams of the demo company."""

from dataclasses import dataclass

from django.db import transaction

from connectors.sandbox.company import COMPANY, Person
from hub.people.models import Membership, Team, User

from .accounts import ACCOUNTS, PASSWORD


@dataclass(frozen=True)
class Made:
    """How many of each kind were missing and were made."""

    people: int
    teams: int
    memberships: int


@transaction.atomic
def seed_people() -> Made:
    """Make everyone who is missing; whoever is there keeps what was changed since."""
    known = set(User.objects.values_list("email", flat=True))
    signing_in = {account.email for account in ACCOUNTS}
    new = [person for person in (*COMPANY.people, *COMPANY.leavers) if person.email not in known]
    for person in new:
        User.objects.create_user(
            person.email,
            PASSWORD if person.email in signing_in else None,
            name=person.name,
            role=person.role,
            job_title=person.job_title,
            is_staff=person.is_admin,
            is_active=person.left_on is None,
            started_on=person.started_on,
            left_on=person.left_on,
        )
    teams = _seed_teams()
    return Made(people=len(new), teams=teams, memberships=_seed_memberships(new))


def _seed_teams() -> int:
    slugs = dict(Team.objects.values_list("slug", "pk"))
    slug_of = {team.key: team.slug for team in COMPANY.teams}
    leads = dict(User.objects.filter(email__in=[team.lead for team in COMPANY.teams]).values_list("email", "pk"))
    made = 0
    for team in COMPANY.teams:  # parents come before their children
        if team.slug in slugs:
            continue
        parent = slugs[slug_of[team.parent]] if team.parent else None
        row = Team.objects.create(slug=team.slug, name=team.name, parent_id=parent, lead_id=leads.get(team.lead))
        slugs[team.slug] = row.pk
        made += 1
    return made


def _seed_memberships(people: list[Person]) -> int:
    users = dict(User.objects.values_list("email", "pk"))
    slug_of = {team.key: team.slug for team in COMPANY.teams}
    teams = dict(Team.objects.values_list("slug", "pk"))
    rows = [
        Membership(
            person_id=users[person.email],
            team_id=teams[slug_of[person.team]],
            starts_on=person.started_on,
            ends_on=person.left_on,
        )
        for person in people
    ]
    return len(Membership.objects.bulk_create(rows))
