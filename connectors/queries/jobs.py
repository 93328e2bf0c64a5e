"""Work of the wires that was given up, as long as that is news."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import BigIntegerField, Exists, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from connectors.models import Connection, State, SyncRun
from hub.jobs.models import Job

MOST = 100
SYNC, REMAP = "connectors.tasks.sync_connection", "connectors.tasks.remap_connection"  # a test tells its own end


def given_up(connections: Iterable[Connection]) -> dict[int, list[Job]]:
    """Return the failed jobs of these connections by connection, latest first. One query.

    What was done well since is no news any more: a sync by a later run that read as much, a mapping by a later one.
    """
    held = {one.pk: one for one in connections}
    run = SyncRun.objects.filter(pk=OuterRef("run_id"))
    found = (
        Job.objects.filter(state=Job.State.DEAD, kind__in=(SYNC, REMAP))
        .annotate(
            run_id=Cast(KT("payload__run_id"), BigIntegerField()),
            asked=Subquery(run.values("only")),
            owner=Coalesce(
                Cast(KT("payload__connection_id"), BigIntegerField()),
                Subquery(run.values("connection")),
                output_field=BigIntegerField(),
            ),
        )
        .filter(owner__in=held)
    )
    good = (State.DONE, State.PARTLY)
    later = SyncRun.objects.filter(connection=OuterRef("owner"), pk__gt=OuterRef("run_id"), state__in=good)
    as_much = Exists(later.filter(only__contains=OuterRef("asked")))
    news = found.exclude(Exists(later.filter(only=[]))).exclude(~Q(asked=[]) & Q(as_much))
    by_owner: dict[int, list[Job]] = defaultdict(list)
    for job in news.order_by("-finished_at", "pk")[:MOST]:
        if not is_mapped_since(job, held[job.owner]):
            by_owner[job.owner].append(job)
    return by_owner


def is_mapped_since(job: Job, connection: Connection) -> bool:
    """Tell whether the mapping of a job was done after all, or a later one; the job's key ends in its version."""
    version = (job.run_key or "").rpartition(":")[2]
    return job.kind == REMAP and version.isdecimal() and connection.mapped_with >= int(version)


def job_owner(job: Job) -> int | None:
    """Return the connection that a job belongs to."""
    if "connection_id" in job.payload:
        return int(job.payload["connection_id"])
    if "run_id" in job.payload:
        return SyncRun.objects.filter(pk=job.payload["run_id"]).values_list("connection_id", flat=True).first()
    return None
