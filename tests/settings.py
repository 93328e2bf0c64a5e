"""Settings of the test suite: the real ones, on servers that `tests/conftest.py` starts."""

import os

from tests.servers import claim_addresses

claim_addresses()
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("SECRET_KEYS", "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDE=")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/9")

from hub.settings import *  # noqa: E402, F403
from hub.settings import TEMPLATES  # noqa: E402

DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


class Undefined(str):
    """Makes a template variable that nobody defined fail the test instead of printing nothing."""

    __slots__ = ()

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, name: object) -> str:
        raise AssertionError(f"undefined template variable: {name}")


STRICT_TEMPLATES = os.environ.get("STRICT_TEMPLATES") == "1"
if STRICT_TEMPLATES:
    TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = Undefined("%s")  # type: ignore[index]
