"""Metrics that are read from a company's own databases: allowed, tried, then read each night."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from connectors.base import FailureClass
from connectors.engine import MayWrite, NobodyElse
from connectors.models import OPEN_STATES, State, Warehouse, WarehousePermit
from connectors.schedule import latest_slot, retry_after_failures
from connectors.secrets import SecretUnreadable, open_secret, sealed
from connectors.warehouse.addresses import check
from connectors.warehouse.reader import QueryFailed, Table, ask
from hub.activity.actions import record as note
from hub.jobs import worker
from hub.people.models import User
from kpis.models import Metric, MetricQuery, Observation

from .observations import Outcome, Status, plan, record

ROWS_SHOWN = 10
COLUMNS = {"week", "team", "value", "num", "den", "n", "coverage"}
RETRIED = (FailureClass.SOURCE_DOWN, FailureClass.SOURCE_SLOW)
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00:00(?:\.0+)?(?:Z|[+-]\d\d:?\d\d)?")


@transaction.atomic
def permit(*, is_given: bool, by: User) -> WarehousePermit:
    """Allow databases to be read, or forbid it; whoever decided and when is kept."""
    made, _ = WarehousePermit.objects.update_or_create(pk=1, defaults={"is_given": is_given, "by": by})
    note(by=by, verb="allowed_databases" if is_given else "forbade_databases", on=made)
    return made


@transaction.atomic
def add_warehouse(*, label: str, address: str, timeout_seconds: int, by: User) -> Warehouse:
    """Keep the address of a database. Raises `NotAllowed` for one that leads where the hub may not go."""
    place = check(address, looks_up=False)
    made = Warehouse.objects.create(
        kind=place.kind.key, label=label, shown_as=place.shown, timeout_seconds=timeout_seconds, added_by=by
    )
    made.secret = sealed(address, made)
    made.save(update_fields=["secret"])
    note(by=by, verb="connected", on=made, changes={"address": (None, made.shown_as)})
    return made


@transaction.atomic
def save_query(*, metric: Metric, warehouse: Warehouse, text: str, by: User) -> MetricQuery:
    """Keep the query of a metric. A changed one is off until it was tried."""
    query = MetricQuery.objects.select_for_update().filter(metric=metric).first()
    if query is None:
        query = MetricQuery(metric=metric, version=0)
    elif (query.text, query.warehouse_id) == (text, warehouse.pk):
        return query
    before = query.text or None
    query.warehouse, query.text, query.written_by, query.is_active = warehouse, text, by, False
    query.trial_state, query.trial = "", {}
    query.version += 1
    query.save()
    note(by=by, verb="asked_otherwise", on=metric, changes={"query": (before, text)})
    return query


@transaction.atomic
def try_soon(*, query: MetricQuery) -> None:
    """Have a worker ask the query and show what it gives; nothing of it is written into the metric.

    A trial under way begins anew: of two, the page shows what the later one found.
    """
    from kpis.tasks import try_query

    worker.begin_anew(try_query, query_id=query.pk, priority=20)
    MetricQuery.objects.filter(pk=query.pk).update(trial_state=State.QUEUED, trial={}, trial_at=timezone.now())


@transaction.atomic
def switch(*, query: MetricQuery, is_active: bool, by: User) -> bool:
    """Have the query read each night, or no more. False where it was not tried as it stands."""
    query = MetricQuery.objects.select_for_update().select_related("metric").get(pk=query.pk)
    if is_active and not query.is_tried:
        return False
    query.is_active = is_active
    query.save(update_fields=["is_active", "updated_at"])
    note(by=by, verb="edited", on=query.metric, changes={"read each night": (not is_active, is_active)})
    return True


def observations_of(query: MetricQuery, table: Table) -> list[dict[str, Any]]:
    """Return the answer as rows of the metric. Raises QueryFailed where its columns are not those of values."""
    names = ["week" if name.lower() == "date" else name.lower() for name in table.columns]
    strange = [name for name in names if name not in COLUMNS]
    if strange or len(set(names)) != len(names) or "week" not in names or not {"value", "num"} & set(names):
        raise QueryFailed(FailureClass.SCHEMA_DRIFT, "columns", "columns", (strange or ["week, value"])[0][:60])
    if not table.rows:
        raise QueryFailed(FailureClass.SCHEMA_DRIFT, "no row", "empty")
    rows = [dict(zip(names, row, strict=True)) | {"metric": query.metric.key} for row in table.rows]
    for row in rows:
        midnight = MIDNIGHT.fullmatch(str(row["week"]))
        row["week"] = midnight[1] if midnight else row["week"]
    return rows


def ask_for(query: MetricQuery) -> Table:
    """Return what the database answers. Raises QueryFailed."""
    if not WarehousePermit.is_open():
        raise QueryFailed(FailureClass.STREAM_UNAVAILABLE, "reading databases is not allowed", "forbidden")
    try:
        address = open_secret(query.warehouse)
    except SecretUnreadable as error:
        raise QueryFailed(FailureClass.AUTH_INVALID, str(error)) from error
    table = ask(address, query.text, seconds=query.warehouse.timeout_seconds)
    Warehouse.objects.filter(pk=query.warehouse_id).update(may_write="may_write" in table.warnings)
    return table


def refuse_unusable(outcomes: Sequence[Outcome]) -> None:
    """Raise QueryFailed where the rows have no unique key, or none of them is a value."""
    for outcome in outcomes:
        if outcome.refusal and outcome.refusal.code == "twice":
            raise QueryFailed(FailureClass.SCHEMA_DRIFT, str(outcome.refusal), "twice", str(outcome.index + 1))
    if all(outcome.status == Status.REFUSED for outcome in outcomes):
        raise QueryFailed(FailureClass.SCHEMA_DRIFT, str(outcomes[0].refusal), "refused")


def try_out(query: MetricQuery, lease: MayWrite | None = None) -> None:
    """Ask the query and keep what it gives for the page: first rows, types, time, and what would be written."""
    found: dict[str, Any] = {}
    try:
        table = ask_for(query)
        found |= {
            "columns": table.columns,
            "types": table.types,
            "rows": table.rows[:ROWS_SHOWN],
            "count": len(table.rows),
            "took": table.took,
            "warnings": table.warnings,
        }
        outcomes = plan(observations_of(query, table), source=Metric.SourceKind.SQL, allowed=[query.metric.key])
        found |= {str(status): sum(one.status == status for one in outcomes) for status in Status}
        found["refusals"] = [{"row": one.index + 1, **one.refusal.kept()} for one in outcomes if one.refusal][
            :ROWS_SHOWN
        ]
        refuse_unusable(outcomes)
    except QueryFailed as failed:
        found |= {"failure": failed.kind, "detail": failed.detail[:500], "code": failed.code, "word": failed.word}
    with transaction.atomic():
        (lease or NobodyElse()).confirm()
        MetricQuery.objects.filter(pk=query.pk, version=query.version).update(
            trial_state=State.DONE, trial=found, trial_version=query.version, trial_at=timezone.now()
        )


def trial_given_up(*, query_id: int, error: str) -> None:
    """Say of a trial whose worker failed or stopped that nothing was found out."""
    found = {"failure": FailureClass.BUG, "detail": error[:500], "code": "", "word": ""}
    MetricQuery.objects.filter(pk=query_id, trial_state__in=OPEN_STATES).update(
        trial_state=State.DONE, trial=found, trial_version=F("version"), trial_at=timezone.now()
    )


def read(query: MetricQuery, lease: MayWrite | None = None) -> None:
    """Ask the query and store its values; a failure leaves them as they were last good, and says why.

    What an answer says counts for the query that was asked: nothing is written where it was changed meanwhile, or
    where another reading, begun later, has ended.
    """
    asked_at = timezone.now()
    rows, failed = [], None
    try:
        rows = observations_of(query, ask_for(query))
        refuse_unusable(plan(rows, source=Metric.SourceKind.SQL, allowed=[query.metric.key]))
    except QueryFailed as error:
        failed = error
    with transaction.atomic():
        (lease or NobodyElse()).confirm()
        asked = MetricQuery.objects.filter(pk=query.pk, version=query.version).exclude(
            tried_at__gt=asked_at, tried_at__lte=timezone.now()
        )
        if not asked.select_for_update().exists():
            return
        if failed is not None:
            note_failure(asked, asked_at, failed.kind, failed.detail)
            return
        made = record(
            rows,
            source=Metric.SourceKind.SQL,
            by=query.written_by,
            through=query.warehouse.label,
            allowed=[query.metric.key],
            read_at=asked_at,
        )
        asked.update(
            tried_at=asked_at,
            read_at=asked_at,
            failure="",
            detail="",
            failures=0,
            withdrawn=withdrawn(query, made.outcomes),
        )


def note_failure(queries: QuerySet[MetricQuery], at: datetime, kind: str, detail: str) -> None:
    """Write down that a query was asked in vain."""
    queries.update(tried_at=at, failure=kind, detail=detail[:500], failures=Least(F("failures") + 1, 1000))


def reading_given_up(*, query_id: int, error: str) -> None:
    """Say of a reading whose worker failed or stopped that no value came of it."""
    note_failure(MetricQuery.objects.filter(pk=query_id, is_active=True), timezone.now(), FailureClass.BUG, error)


def withdrawn(query: MetricQuery, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the values that are kept though the answer holds them no longer, each with the day that was first met.

    What is older than the answer's first week is no part of it: many queries give the latest weeks alone. Where a row
    was refused, nobody knows what it said: then all stays as it was known. See docs/decisions/0016.
    """
    held = MetricQuery.objects.values_list("withdrawn", flat=True).get(pk=query.pk)
    if any(outcome.judged is None for outcome in outcomes):
        return list(held)
    answered = {(one.judged.team.pk if one.judged.team else None, one.judged.week) for one in outcomes if one.judged}
    stored = Observation.objects.filter(metric=query.metric_id, week__gte=min(week for _team, week in answered))
    known = {(row["team"], row["week"]): row["since"] for row in held}
    today = str(timezone.localdate())
    return [
        {"week": str(week), "team": team, "since": known.get((team, str(week)), today)}
        for team, week in stored.order_by("week", "team").values_list("team", "week")
        if (team, week) not in answered
    ]


def due(now: datetime) -> list[tuple[MetricQuery, str]]:
    """Return the queries whose night has come, or whose next try has, each with the name of the occasion."""
    if not WarehousePermit.is_open():
        return []
    day, slot = latest_slot(now, settings.SYNC_HOUR, ZoneInfo(settings.COMPANY_TIME_ZONE))
    found = []
    for query in MetricQuery.objects.filter(is_active=True).order_by("pk"):
        wait = retry_after_failures(query.failures) if query.failure in RETRIED else timedelta.max
        is_new = query.tried_at is None or query.tried_at < slot
        if is_new or (query.tried_at and query.failures and now - query.tried_at >= wait):
            found.append((query, f"sql:{query.pk}:{day}:{query.failures}:{query.version}"))
    return found


@transaction.atomic
def remove_warehouse(*, warehouse: Warehouse, by: User) -> None:
    """Forget a database and its address. Raises `ProtectedError` where a metric is read from it."""
    note(by=by, verb="removed", on=warehouse, changes={"address": (warehouse.shown_as, None)})
    warehouse.delete()
