"""What the tests of people share."""

import pytest

from tests.people.postbox import open_postbox

PASSWORD = "a quiet workshop"


@pytest.fixture
def postbox(settings):
    """A real mail server, and Django sending to it."""
    with open_postbox() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = False
        yield box


@pytest.fixture
def ana(db):
    """A person who can sign in."""
    from hub.people.models import User

    return User.objects.create_user("ana@ardoise.example", PASSWORD, name="Ana Ruiz")


def sign_in_form(client, email="ana@ardoise.example", password=PASSWORD, **options):
    """Send the sign-in form."""
    return client.post("/account/login/", {"login": email, "password": password}, **options)
