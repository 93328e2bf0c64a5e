"""`python -m tests.connectors.asking URL COUNT`: one worker that asks Productboard's stand-in, at the shared pace."""

import sys
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402

from connectors import registry  # noqa: E402
from connectors.base import Budget  # noqa: E402
from connectors.budget import Pace  # noqa: E402
from connectors.sandbox.productboard.wire import TOKEN  # noqa: E402
from connectors.secrets import fingerprint  # noqa: E402
from connectors.transport import Transport  # noqa: E402

LIMIT = 20  # a second, as the stand-in counts it; the hub takes 60 % of it


def main(url: str, count: int) -> None:
    """Wait for a line on the standard input, then ask."""
    settings.SANDBOX_URL = url
    connector = registry.connector("productboard")
    pace = Pace(fingerprint(TOKEN), (Budget("request", LIMIT, timedelta(seconds=1)),))
    transport = Transport(connector, url, TOKEN, pace)
    print("ready", flush=True)
    sys.stdin.readline()
    for _one in range(count):
        transport.fetch(connector.check_request())
    transport.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
