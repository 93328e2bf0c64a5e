"""The demo's wire: it leads to the sandbox, wherever that listens today."""

from django.conf import settings

from connectors.models import Connection

LOOPBACK = ("http://127.0.0.1:", "http://localhost:")


def follow_sandbox() -> int:
    """Point connections that lead to a sandbox of an earlier start to the one of today; return how many moved."""
    if not settings.SANDBOX_URL:
        return 0
    moved = 0
    for connection in Connection.objects.exclude(base_url="").exclude(base_url=settings.SANDBOX_URL):
        if connection.base_url.startswith(LOOPBACK):
            connection.base_url = settings.SANDBOX_URL
            connection.save(update_fields=["base_url", "updated_at"])
            moved += 1
    return moved
