"""The two addresses that take rows."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kpis.actions import record
from kpis.actions.activity import record_activity
from kpis.actions.observations import Status
from kpis.models import ApiToken, Metric
from kpis.sync.judging import Refusal

from .calls import Answer, Rows, call

ALL_FINE, SOME_REFUSED = 200, 207


@call
def observations(token: ApiToken, rows: Rows) -> Answer:
    """Store values of pushed metrics."""
    done = record(
        rows,
        source=Metric.SourceKind.PUSHED,
        by=token.owner,
        through=token.name,
        allowed=set(token.metrics.values_list("key", flat=True)),
    )
    return _answer((one.index, one.status, one.refusal, one.is_restated) for one in done.outcomes)


@call
def activity(token: ApiToken, rows: Rows) -> Answer:
    """Store who was seen in which tool on which day."""
    done = record_activity(rows, allowed=list(token.tools.all()))
    return _answer((one.index, one.status, one.refusal, False) for one in done)


def _answer(outcomes: Iterable[tuple[int, Status, Refusal | None, bool]]) -> Answer:
    counts: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for index, status, refusal, is_restated in outcomes:
        counts[status] += 1
        row: dict[str, Any] = {"index": index, "status": status.value}
        if refusal:
            row |= {"code": refusal.code, "reason": str(refusal)}
        if is_restated:
            row["restated"] = True
        rows.append(row)
    totals = {status.value: counts[status] for status in Status}
    return Answer(SOME_REFUSED if counts[Status.REFUSED] else ALL_FINE, {**totals, "rows": rows})
