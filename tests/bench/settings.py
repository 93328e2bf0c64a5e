"""Settings of the measurement: the real ones, with files hashed and compressed as a company serves them."""

import tempfile

from tests.settings import *  # noqa: F403

STATIC_ROOT = tempfile.mkdtemp(prefix="hub-bench-static-")
ALLOWED_HOSTS = ["*"]
