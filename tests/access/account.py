"""Signing in and out, passwords."""

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str

from hub.people.models import User
from tests.access import EVERYONE_INSIDE, ROLES, Rule

FORM = ("GET", "POST")
ANYONE = frozenset(ROLES)


def reset_key():
    number = User.objects.count()
    person = User.objects.create_user(f"reset-{number}@ardoise.example", "the old password", name="Karim Benali")
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    return {"uidb36": user_pk_to_url_str(person), "key": key}


ACCESS = {
    "account_login": Rule(who=ANYONE, methods=FORM),
    "account_logout": Rule(who=ANYONE, methods=FORM),  # a stranger is signed out already
    "account_change_password": Rule(who=EVERYONE_INSIDE, methods=FORM),
    "account_reset_password": Rule(who=ANYONE, methods=FORM, data={"email": "nobody@ardoise.example"}),
    "account_reset_password_done": Rule(who=ANYONE),
    "account_reset_password_from_key": Rule(who=ANYONE, methods=FORM, make=reset_key, missing=200),
    "account_reset_password_from_key_done": Rule(who=ANYONE),
}
