"""Which of the demo's repositories are read, as its technical admin has said."""

from connectors.actions import choose
from connectors.models import Connection
from connectors.sandbox.github.life import ALL_HOMES


def name_repositories() -> int:
    """Name the demo's repositories where none is named yet; return how many."""
    connection = Connection.objects.filter(service="github").order_by("pk").first()
    if connection is None or connection.chosen:
        return 0
    choose(connection=connection, names=[f"ardoise/{home}" for home in ALL_HOMES], by=None)
    return len(ALL_HOMES)
