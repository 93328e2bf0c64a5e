"""A sheet: read, judged, applied at once or not at all, taken back while untouched."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from hub.core.csv import Unreadable, read_csv
from hub.core.workbook import check_upload, is_workbook, read_table
from hub.people.models import User

from .kinds import Kind, Left, kind_named
from .models import Feed, ImportPlan, ImportRow
from .sheet import Judged, suggest_mapping

BATCH = 2000
WRITTEN = ("create", "update", "close")  # verdicts that write something
State = ImportPlan.State
UNDECIDED_KEPT = timedelta(days=30)
DECIDED_KEPT = timedelta(days=365)


class PlanNotReady(Exception):
    """The plan is being read or applied, was applied, or was taken back."""


def upload(
    *, kind: Kind, content: bytes, filename: str, by: User | None, is_whole: bool = False, feed: Feed | None = None
) -> ImportPlan:
    """Keep a file as a plan that is still to be judged. Raises hub.core.csv.Unreadable.

    Of a workbook only the outside is looked at here: a worker unpacks it.
    """
    check_upload(content)
    plan = ImportPlan(
        kind=kind.key,
        by=by,
        feed=feed,
        filename=filename[:200],
        content=content,
        is_whole=is_whole and kind.closes is not None,
    )
    if not is_workbook(content):
        sheet = read_csv(content)
        plan.encoding, plan.delimiter, plan.header = sheet.encoding, sheet.delimiter, list(sheet.header)
        plan.mapping = suggest_mapping(sheet.header, kind.columns)
        plan.row_count = len(sheet.rows)
    plan.save()
    return plan


@transaction.atomic
def reread(
    *, plan: ImportPlan, mapping: dict[str, int] | None = None, repair: bool | None = None, whole: bool | None = None
) -> ImportPlan:
    """Read the same file another way: other columns, letters repaired, as the whole list; or once more.

    Raises PlanNotReady.
    """
    plan = held(plan.pk)
    if plan.state not in (State.READY, State.STOPPED):
        raise PlanNotReady(plan.state)
    if mapping is not None:
        plan.mapping = mapping
    if repair is not None:
        plan.is_repaired = repair
    if whole is not None:
        plan.is_whole = whole and kind_named(plan.kind).closes is not None
    plan.state = State.WAITING
    plan.save(update_fields=["mapping", "is_repaired", "is_whole", "state", "updated_at"])
    return plan


def held(plan_id: int) -> ImportPlan:
    """Return the plan, locked until the transaction ends."""
    return ImportPlan.objects.select_for_update().get(pk=plan_id)


@transaction.atomic
def judge_plan(*, plan_id: int) -> None:
    """Say what each row would do, and keep it for the page. Does nothing unless the plan waits for it."""
    plan = ImportPlan.objects.select_for_update().filter(pk=plan_id, state=State.WAITING).first()
    if plan is None:
        return
    try:
        _store(plan, judged_now(plan), frozenset())
        plan.state = State.READY
    except Unreadable as unreadable:
        plan.notes = [[unreadable.note.code, dict(unreadable.note.values)]]
        plan.state = State.REFUSED
    plan.save()


def judging_given_up(*, plan_id: int, error: str) -> None:
    """Say of a file that no worker brought to its end of reading that it can be read again."""
    waiting = ImportPlan.objects.filter(pk=plan_id, state=State.WAITING)
    waiting.update(state=State.STOPPED, notes=[["stopped", {"detail": error[:300]}]], updated_at=timezone.now())


def judged_now(plan: ImportPlan) -> list[Judged]:
    """Judge the plan's file against the hub as it is now, and refresh what is said about the file.

    Raises Unreadable for a workbook that is none inside.
    """
    kind = kind_named(plan.kind)
    sheet = read_table(bytes(plan.content), repair=plan.is_repaired)
    if not plan.header:  # a workbook, unpacked for the first time
        plan.mapping = suggest_mapping(sheet.header, kind.columns)
    plan.header, plan.encoding, plan.delimiter = list(sheet.header), sheet.encoding, sheet.delimiter
    plan.notes = [[note.code, dict(note.values)] for note in sheet.notes]
    plan.row_count = len(sheet.rows)
    known = kind.known(None if plan.feed_id else plan.by)  # an address has no rights of its own
    rows = kind.judge(sheet.rows, plan.mapping, known)
    if plan.is_whole and all(row.verdict != "error" for row in rows):  # a row in error may name what seems left out
        last = sheet.rows[-1].number
        for number, row in enumerate(kind.gone(rows, known), start=last + 1):
            row.line = number
            rows.append(row)
    return rows


def _store(plan: ImportPlan, rows: Iterable[Judged], unticked: frozenset[int]) -> None:
    """Replace the plan's rows; lines that somebody unticked stay so."""
    plan.rows.all().delete()
    ImportRow.objects.bulk_create(
        (
            ImportRow(plan=plan, is_ticked=row.line not in unticked and row.verdict in WRITTEN, **vars(row))
            for row in rows
        ),
        batch_size=BATCH,
    )
    absent = kind_named(plan.kind).absent(plan.rows.exclude(target_id=None))
    plan.missing_count = 0 if absent is None else absent.count()


@transaction.atomic
def tick(*, plan: ImportPlan, shown: Iterable[int], ticked: Iterable[int]) -> None:
    """Keep which of the `shown` rows (by id) are to be taken."""
    plan = held(plan.pk)
    if plan.state != State.READY:
        raise PlanNotReady(plan.state)
    rows = plan.rows.filter(pk__in=list(shown), verdict__in=WRITTEN)
    rows.update(is_ticked=False)
    rows.filter(pk__in=list(ticked)).update(is_ticked=True)


@transaction.atomic
def apply_plan(*, plan_id: int, by_id: int) -> ImportPlan:
    """Write the ticked rows, all or none; an applied plan stays as it is.

    The file is judged once more. If a ticked row would now do something else than its plan showed, nothing is
    written and the plan is to be read again.
    """
    plan = held(plan_id)
    if plan.state not in (State.READY, State.APPLYING):
        return plan
    known = ("plan", "line", "verdict", "is_ticked", "changes", "target_id")
    stored = {row.line: row for row in plan.rows.only(*known)}
    unticked = frozenset(line for line, row in stored.items() if not row.is_ticked and row.verdict in WRITTEN)
    rows = judged_now(plan)
    moved = 0
    for row in rows:
        shown = stored.get(row.line)
        if shown is not None and shown.is_ticked and _differs(shown, row):
            row.refuse("changed_meanwhile")
            moved += 1
    new = [row for row in rows if row.line not in stored]  # left out by the whole list since: nobody saw that
    if moved or new:
        _store(plan, rows, unticked)
        plan.state = State.READY
        plan.save()
        return plan
    taken = [row for row in rows if row.verdict in WRITTEN and row.line not in unticked]
    plan.batch = uuid4()
    left = kind_named(plan.kind).write(taken, by=User.objects.get(pk=by_id), batch=plan.batch)
    _remember(plan, left)
    plan.finish(len(taken))
    return plan


def applying_given_up(*, plan_id: int, by_id: int, error: str) -> None:
    """Say of a plan that no worker brought to its end of applying that nothing was written, and let it be decided."""
    applying = ImportPlan.objects.filter(pk=plan_id, state=State.APPLYING)
    applying.update(state=State.READY, notes=[["not_applied", {"detail": error[:300]}]], updated_at=timezone.now())


def _differs(shown: ImportRow, now: Judged) -> bool:
    return (shown.verdict, shown.changes, shown.target_id) != (now.verdict, now.changes, now.target_id)


def _remember(plan: ImportPlan, left: Mapping[int, Left]) -> None:
    """Keep what each line wrote, and as which version; one statement, as `bulk_update` weighs on thousands."""
    written = [(line, *target) for line, target in left.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE imports_importrow AS kept SET target_id = written.target_id, target_version = written.version"
            " FROM unnest(%s::int[], %s::bigint[], %s::int[]) AS written (line, target_id, version)"
            " WHERE kept.plan_id = %s AND kept.line = written.line",
            [*([list(column) for column in zip(*written, strict=True)] or [[], [], []]), plan.pk],
        )


@transaction.atomic
def undo_plan(*, plan: ImportPlan, by: User) -> tuple[int, int]:
    """Take an applied plan back where nobody touched its things since; return how many were taken back and kept.

    What it made goes, what it changed gets its values of before. Raises PlanNotReady unless it was applied.
    """
    plan = held(plan.pk)
    if plan.state != State.APPLIED:
        raise PlanNotReady(plan.state)
    rows = list(plan.rows.filter(is_ticked=True, verdict__in=WRITTEN).exclude(target_version=None).order_by("line"))
    back = kind_named(plan.kind).undo(rows, by=by, batch=uuid4())
    plan.state = State.UNDONE
    plan.save(update_fields=["state", "updated_at"])
    return back, plan.applied_count - back


@transaction.atomic
def discard(*, plan: ImportPlan) -> None:
    """Forget a plan that was not applied."""
    stored = ImportPlan.objects.select_for_update().defer("content").filter(pk=plan.pk).first()
    if stored is not None and stored.may_be_forgotten:
        stored.delete()


def forget_old(now: datetime) -> int:
    """Forget files that nobody decided for a month, and what was decided a year ago; return how many."""
    decided = Q(state__in=[State.APPLIED, State.UNDONE])
    old = Q(decided, updated_at__lt=now - DECIDED_KEPT) | Q(~decided, updated_at__lt=now - UNDECIDED_KEPT)
    return ImportPlan.objects.filter(old).delete()[0]
