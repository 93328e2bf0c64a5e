"""The few mails that people get about their own access."""

from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation


def absolute(path: str) -> str:
    """Return the full address of `path` on this hub; the Host header of a request has no say in it."""
    return urljoin(settings.BASE_URL, path)


def send(template: str, *, to: str, language: str, context: dict[str, object]) -> None:
    """Send `templates/emails/<template>.txt` to one address, in one language. Its first line is the subject.

    Raises OSError or smtplib.SMTPException when the mail server can't be reached or refuses.
    """
    with translation.override(language or settings.LANGUAGE_CODE):
        text = render_to_string(f"emails/{template}.txt", {"company": settings.COMPANY_NAME, **context})
    subject, body = text.strip().split("\n", 1)
    EmailMessage(" ".join(subject.split()), body.strip() + "\n", to=[to]).send()
