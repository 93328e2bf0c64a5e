"""Reading and writing files: a short one at once, a long one by a worker."""

from hub.jobs.work import work
from hub.people.models import User

from .actions import apply_plan, judge_plan
from .models import ImportPlan

ROWS_DONE_AT_ONCE = 500  # a longer file is work for a worker


@work(queue="default")
def judge_import(*, plan_id: int) -> None:
    """Say what each row of an uploaded file would do. Safe to run twice."""
    judge_plan(plan_id=plan_id)


@work(queue="default")
def apply_import(*, plan_id: int, by_id: int) -> None:
    """Write the ticked rows of a plan, all or none. Safe to run twice: an applied plan stays applied."""
    apply_plan(plan_id=plan_id, by_id=by_id)


def is_short(plan: ImportPlan) -> bool:
    """True for what a request may do by itself; a workbook is always unpacked by a worker."""
    return plan.row_count <= ROWS_DONE_AT_ONCE and plan.encoding not in ("", "xlsx")


def judge_soon(plan: ImportPlan) -> None:
    """Judge a short file here and now, leave a long one to a worker."""
    if is_short(plan):
        judge_import(plan_id=plan.pk)
    else:
        judge_import.enqueue(plan_id=plan.pk)


def apply_soon(plan: ImportPlan, *, by: User) -> None:
    """Apply a short plan here and now, leave a long one to a worker."""
    if is_short(plan):
        apply_import(plan_id=plan.pk, by_id=by.pk)
    elif ImportPlan.objects.filter(pk=plan.pk, state=ImportPlan.State.READY).update(state=ImportPlan.State.APPLYING):
        apply_import.enqueue(plan_id=plan.pk, by_id=by.pk)
