"""Reading and writing files: a short one at once, a long one by a worker."""

from datetime import timedelta

from django.utils import timezone

from hub.jobs.work import Lease, work
from hub.people.models import User

from . import feeds
from .actions import apply_plan, applying_given_up, forget_old, judge_plan, judging_given_up
from .models import ImportPlan

ROWS_DONE_AT_ONCE = 500  # a longer file is work for a worker


@work(queue="default", given_up=judging_given_up)
def judge_import(*, plan_id: int) -> None:
    """Say what each row of an uploaded file would do. Safe to run twice."""
    judge_plan(plan_id=plan_id)


@work(queue="default", given_up=applying_given_up)
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


@work(queue="default", every=timedelta(minutes=5))
def read_due_feeds() -> None:
    """Have each address read whose night has come, or whose next try is due; each occasion once."""
    for feed, occasion in feeds.due_feeds(timezone.now()):
        read_feed.enqueue(run_key=occasion, feed_id=feed.pk)


@work(every=timedelta(days=1))
def forget_old_plans() -> None:
    """Forget files that nobody decides any more."""
    forget_old(timezone.now())


@work(queue="sync", is_long=True, given_up=feeds.reading_given_up)
def read_feed(*, feed_id: int, lease: Lease | None = None) -> None:
    """Read an address once, and bring in what is new. Safe to run twice: the same file is passed over."""
    feeds.read_feed(feed_id=feed_id, lease=lease)
