"""Work of this room that a worker does."""

from django.utils import timezone

from connectors.models import Connection
from hub.jobs.work import work
from hub.people.models import User

from .actions.imports import apply_plan, judge_plan
from .actions.workspaces import workspace_of
from .models import ImportPlan
from .sync.adoption import rebuild

ROWS_DONE_AT_ONCE = 500  # a longer file is work for a worker


@work(queue="default")
def rebuild_adoption(*, connection_id: int) -> None:
    """Count anew the use of the tool that this connection reads. Safe to run twice."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        rebuild(tool=workspace_of(connection).tool, as_of=timezone.localdate())


def after_sync(connection: Connection) -> None:
    """A sync ended: let a worker count."""
    rebuild_adoption.enqueue(connection_id=connection.pk)


@work(queue="default")
def judge_import(*, plan_id: int) -> None:
    """Say what each row of an uploaded file would do. Safe to run twice."""
    judge_plan(plan_id=plan_id)


@work(queue="default")
def apply_import(*, plan_id: int, by_id: int) -> None:
    """Write the ticked rows of a plan, all or none. Safe to run twice: an applied plan stays applied."""
    apply_plan(plan_id=plan_id, by_id=by_id)


def judge_soon(plan: ImportPlan) -> None:
    """Judge a short file here and now, leave a long one to a worker."""
    if plan.row_count <= ROWS_DONE_AT_ONCE:
        judge_import(plan_id=plan.pk)
    else:
        judge_import.enqueue(plan_id=plan.pk)


def apply_soon(plan: ImportPlan, *, by: User) -> None:
    """Apply a short plan here and now, leave a long one to a worker."""
    if plan.row_count <= ROWS_DONE_AT_ONCE:
        apply_import(plan_id=plan.pk, by_id=by.pk)
    elif ImportPlan.objects.filter(pk=plan.pk, state=ImportPlan.State.READY).update(state=ImportPlan.State.APPLYING):
        apply_import.enqueue(plan_id=plan.pk, by_id=by.pk)
