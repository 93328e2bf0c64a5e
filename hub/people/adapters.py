"""How allauth behaves in this house."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .models import User
from .tasks import send_reset_mail


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed, a link in a mail leads to our own address, and nothing tells who has an account."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This e-mail and password don’t go together."),
        "too_many_login_attempts": _("Too many wrong attempts. Wait five minutes, or choose a new password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the person who signs in; for someone who left, the answer is the same as for a wrong password."""
        person = super().authenticate(request, **credentials)
        return person if isinstance(person, User) and person.is_active else None

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:
        """Send the link later, from a worker: the answer takes as long for a stranger as for a colleague.

        A person who never accepted an invitation gets none, for a directory entry must not open the door.
        """
        if isinstance(user, User) and user.can_sign_in:
            send_reset_mail.enqueue(person_id=user.pk, language=get_language() or settings.LANGUAGE_CODE)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send none of allauth's own notices."""

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("people:profile")

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")
