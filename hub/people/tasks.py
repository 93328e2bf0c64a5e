"""What is done for people by a worker."""

from datetime import timedelta

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse

from hub.jobs.work import work

from . import mail
from .models import User


@work(every=timedelta(days=1))
def forget_sessions() -> None:
    """Delete the sessions that have run out."""
    SessionStore.clear_expired()


@work()
def send_reset_mail(*, person_id: int, language: str) -> None:
    """Send a person the link with which they choose a new password; the link is made here, so no row ever holds it."""
    person = User.objects.get(pk=person_id)
    if not person.can_sign_in:
        return
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), token])
    mail.send("reset", to=person.email, language=language, context={"person": person, "link": mail.absolute(path)})
