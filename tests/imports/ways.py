"""The way of a file through its plan, for tests of every kind."""

from hub.imports.actions import apply_plan, judge_plan, upload
from hub.imports.kinds import kind_named


def planned(kind, text, by, *, filename="table.csv", whole=False):
    content = text if isinstance(text, bytes) else text.encode()
    plan = upload(kind=kind_named(kind), content=content, filename=filename, by=by, is_whole=whole)
    judge_plan(plan_id=plan.pk)
    plan.refresh_from_db()
    return plan


def applied(plan, by):
    plan = apply_plan(plan_id=plan.pk, by_id=by.pk)
    assert plan.state == "applied", [list(row.problems) for row in plan.rows.all()]
    return plan


def verdicts(plan):
    return {row.line: row.verdict for row in plan.rows.all()}


def problems(plan, line=2):
    kind = kind_named(plan.kind)
    return [kind.problem(code, values) for code, values in plan.rows.get(line=line).problems]
