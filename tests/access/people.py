"""People, teams, invitations, one's own pages."""

from datetime import timedelta

from django.utils import timezone

from hub.people.models import Invitation
from tests.access import EVERYONE_INSIDE, ROLES, Rule
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory

FORM = ("GET", "POST")
OPS = frozenset({"ops"})
SEERS = frozenset({"ops", "leader", "admin"})


def a_person():
    return {"pk": UserFactory().pk}


def a_leaver():
    return {"pk": UserFactory(is_active=False).pk}


def a_team():
    return {"slug": TeamFactory().slug}


def a_membership():
    return {"pk": MembershipFactory().pk}


def invitation():
    token, token_hash = Invitation.new_token()
    person = UserFactory.build()
    expires_at = timezone.now() + timedelta(days=7)
    made = Invitation.objects.create(email=person.email, name=person.name, token_hash=token_hash, expires_at=expires_at)
    return made, token


ACCESS = {
    "people:person_list": Rule(who=SEERS),
    "people:person_export": Rule(who=SEERS),
    "people:person_detail": Rule(make=a_person),
    "people:person_edit": Rule(who=OPS, methods=FORM, make=a_person),
    "people:person_deactivate": Rule(who=OPS, methods=FORM, make=a_person, data={"left_on": "2026-01-05"}),
    "people:person_reactivate": Rule(who=OPS, methods=("POST",), make=a_leaver),
    "people:membership_create": Rule(who=OPS, methods=FORM, make=a_person),
    "people:membership_edit": Rule(who=OPS, methods=FORM, make=a_membership, data={"starts_on": "2026-01-05"}),
    "people:team_list": Rule(),
    "people:team_detail": Rule(make=a_team),
    "people:team_create": Rule(who=OPS, methods=FORM, data={"name": "Search", "is_active": "on"}),
    "people:team_edit": Rule(who=OPS, methods=FORM, make=a_team, data={"name": "Search", "is_active": "on"}),
    "people:invite": Rule(
        who=OPS, methods=FORM, data={"name": "Élodie Faure", "email": "elodie@ardoise.example", "role": "member"}
    ),
    "people:invitation_list": Rule(who=OPS),
    "people:invitation_renew": Rule(who=OPS, methods=("POST",), make=lambda: {"pk": invitation()[0].pk}),
    "people:invitation_revoke": Rule(who=OPS, methods=("POST",), make=lambda: {"pk": invitation()[0].pk}),
    "people:invitation_accept": Rule(
        who=frozenset(ROLES), methods=FORM, make=lambda: {"token": invitation()[1]}, data={"name": "Élodie"}
    ),
    "people:profile": Rule(who=EVERYONE_INSIDE, methods=FORM, data={"name": "Salomé Petit", "theme": "dark"}),
    "people:privacy": Rule(who=EVERYONE_INSIDE),
}
