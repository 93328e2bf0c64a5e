"""Work of this room that a worker does."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from connectors.models import Connection
from hub.jobs.work import work

from .actions import databases
from .actions.observations import forget_deliveries
from .actions.tokens import forget_answers
from .models import Metric, MetricQuery, ObservationHistory
from .sync.families import family_of
from .sync.recompute import recompute


@work(queue="default")
def compute(*, connection_id: int, reason: str = "source") -> None:
    """Compute anew what a sync of this connection can have changed. Safe to run twice."""
    recompute(after=Connection.objects.get(pk=connection_id), reason=reason)


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker compute."""
    compute.enqueue(connection_id=connection.pk)


def after_choice(metric: Metric) -> bool:
    """Somebody chose other parameters: let a worker compute what they are in. False where no source is read yet."""
    family = family_of(metric.key)
    sources = [one for one in Connection.objects.filter(is_active=True) if family and family.follows(one)]
    for connection in sources:
        compute.enqueue(connection_id=connection.pk, reason=ObservationHistory.Reason.DEFINITION)
    return bool(sources)


@work(every=timedelta(hours=1))
def prune_answers() -> None:
    """Forget what was kept for calls that come twice, and what is known of old deliveries."""
    forget_answers(now=timezone.now())
    forget_deliveries(now=timezone.now())


@work(every=timedelta(minutes=1))
def start_due_queries() -> None:
    """Have workers read the databases whose night has come."""
    for query, occasion in databases.due(timezone.now()):
        read_query.enqueue(query_id=query.pk, run_key=occasion)


@work(queue="sync", is_long=True, max_attempts=2, given_up=databases.reading_given_up)
def read_query(*, query_id: int, lease: Any = None) -> None:
    """Read a metric's values from a database. Safe to run twice."""
    query = MetricQuery.objects.select_related("metric", "warehouse").filter(pk=query_id, is_active=True).first()
    if query is not None:
        databases.read(query, lease)


@work(queue="sync", is_long=True, max_attempts=1, given_up=databases.trial_given_up)
def try_query(*, query_id: int, lease: Any = None) -> None:
    """Show what a query gives; nothing is written into the metric."""
    databases.try_out(MetricQuery.objects.select_related("metric", "warehouse").get(pk=query_id), lease)
