"""The four people who look at the pages, and their sessions."""

from django.conf import settings
from django.test import Client

from hub.people.models import Membership, Role, Team, User

FIELDS = {
    "member": {"name": "Salomé Petit", "role": Role.MEMBER},
    "ops": {"name": "Nora Haddad", "role": Role.OPS},
    "leader": {"name": "Inès Carpentier", "role": Role.LEADER},
    "admin": {"name": "Thomas Weil", "role": Role.MEMBER, "is_staff": True},
}


def make_people() -> None:
    """Make those who are missing, each in a team."""
    team = Team.objects.filter(slug="team-20").first() or Team.objects.order_by("pk").first()
    for key, fields in FIELDS.items():
        person, is_new = User.objects.get_or_create(email=f"{key}@ardoise.example", defaults=fields)
        if is_new and team:
            Membership.objects.create(person=person, team=team, starts_on="2024-01-01")


def client_of(role: str) -> Client:
    """Return a client signed in as `role`; nobody for "anonymous"."""
    client = Client(headers={"host": "localhost"})
    if role != "anonymous":
        person = User.objects.get(email=f"{role}@ardoise.example")
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def session_of(role: str) -> str:
    return client_of(role).cookies[settings.SESSION_COOKIE_NAME].value
