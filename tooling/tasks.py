"""Work of this room that a worker does."""

from django.utils import timezone

from connectors.models import Connection
from hub.jobs.work import work

from .actions.workspaces import workspace_of
from .sync.adoption import rebuild


@work(queue="default")
def rebuild_adoption(*, connection_id: int) -> None:
    """Count anew the use of the tool that this connection reads. Safe to run twice."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        rebuild(tool=workspace_of(connection).tool, as_of=timezone.localdate())


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker count."""
    rebuild_adoption.enqueue(connection_id=connection.pk)
