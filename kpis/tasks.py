"""Work of this room that a worker does."""

from datetime import timedelta

from django.utils import timezone

from connectors.models import Connection
from hub.jobs.work import work

from .actions.tokens import forget_answers
from .sync.recompute import recompute


@work(queue="default")
def compute(*, connection_id: int) -> None:
    """Compute anew what a sync of this connection can have changed. Safe to run twice."""
    recompute(after=Connection.objects.get(pk=connection_id))


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker compute."""
    compute.enqueue(connection_id=connection.pk)


@work(every=timedelta(hours=1))
def prune_answers() -> None:
    """Forget what was kept for calls that come twice."""
    forget_answers(now=timezone.now())
