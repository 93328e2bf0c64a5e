"""Work of the wires that was given up, as long as that is news."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import BigIntegerField, Exists, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from connectors.models import State, SyncRun
from hub.jobs.models import Job

MOST = 100
SHOWN = ("connectors.tasks.sync_connection", "connectors.tasks.remap_connection")  # a test tells its own end


def given_up(connections: Sequence[int]) -> dict[int, list[Job]]:
    """Return the failed jobs of these connections by connection, latest first. One query.

    What was done well since is no news any more: a sync by a later run that read as much, a mapping by a later one.
    """
    run = SyncRun.objects.filter(pk=OuterRef("run_id"))
    found = (
        Job.objects.filter(state=Job.State.DEAD, kind__in=SHOWN)
        .annotate(
            run_id=Cast(KT("payload__run_id"), BigIntegerField()),
            asked=Subquery(run.values("only")),
            owner=Coalesce(
                Cast(KT("payload__connection_id"), BigIntegerField()),
                Subquery(run.values("connection")),
                output_field=BigIntegerField(),
            ),
        )
        .filter(owner__in=connections)
    )
    good = (State.DONE, State.PARTLY)
    later = SyncRun.objects.filter(connection=OuterRef("owner"), pk__gt=OuterRef("run_id"), state__in=good)
    as_much = Exists(later.filter(only__contains=OuterRef("asked")))
    same = Job.objects.filter(kind=OuterRef("kind"), payload=OuterRef("payload"), state=Job.State.DONE)
    news = (
        found.exclude(Exists(later.filter(only=[])))
        .exclude(~Q(asked=[]) & Q(as_much))
        .exclude(Exists(same.filter(finished_at__gt=OuterRef("finished_at"))))
    )
    by_owner: dict[int, list[Job]] = defaultdict(list)
    for job in news.order_by("-finished_at", "pk")[:MOST]:
        by_owner[job.owner].append(job)
    return by_owner


def job_owner(job: Job) -> int | None:
    """Return the connection that a job belongs to."""
    if "connection_id" in job.payload:
        return int(job.payload["connection_id"])
    if "run_id" in job.payload:
        return SyncRun.objects.filter(pk=job.payload["run_id"]).values_list("connection_id", flat=True).first()
    return None
