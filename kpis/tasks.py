"""Work of this room that a worker does."""

from connectors.models import Connection
from hub.jobs.work import work

from .models import Observation
from .sync.recompute import first_week, recompute


@work(queue="default")
def compute(*, connection_id: int) -> None:
    """Compute the numbers anew; all of history the first time. Safe to run twice."""
    recompute(first=None if Observation.objects.exists() else first_week())


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker compute."""
    compute.enqueue(connection_id=connection.pk)
