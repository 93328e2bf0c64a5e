"""Work of this room that a worker does."""

from connectors.models import Connection
from hub.jobs.work import work

from .sync.recompute import recompute


@work(queue="default")
def compute(*, connection_id: int) -> None:
    """Compute anew what a sync of this connection can have changed. Safe to run twice."""
    recompute(after=Connection.objects.get(pk=connection_id))


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker compute."""
    compute.enqueue(connection_id=connection.pk)
