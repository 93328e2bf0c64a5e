"""Who gets what in the wires' room."""

import uuid

from tests.access import Rule

SEE = frozenset({"ops", "admin"})
EDIT = frozenset({"admin"})


def a_connection():
    from tests.connectors.factories import make_connection

    return {"pk": make_connection("linear", label="Linear").pk}


def switched():
    return {**a_connection(), "on": 0}


def a_stream():
    return {**a_connection(), "stream": "issues"}


def a_switched_stream():
    return {**a_stream(), "on": 0}


def a_refused_record():
    from django.utils import timezone

    from connectors.models import RefusedRecord

    made, now = a_connection(), timezone.now()
    refused = RefusedRecord.objects.create(
        connection_id=made["pk"], stream="issues", external_id="x", reason="odd", raw={}, first_at=now, last_at=now
    )
    return {**made, "record": refused.pk}


def a_dead_job():
    from hub.jobs.models import Job

    made = a_connection()
    job = Job.objects.create(
        kind="connectors.tasks.check_connection", state=Job.State.DEAD, payload={"connection_id": made["pk"]}
    )
    return {**made, "job": uuid.UUID(str(job.pk))}


ACCESS = {
    "connectors:sync_list": Rule(who=SEE),
    "connectors:sync_run_all": Rule(who=SEE, methods=("POST",)),
    "connectors:connection_create": Rule(
        who=EDIT,
        methods=("GET", "POST"),
        data={"service": "linear", "label": "Linear", "token": "lin_api_for_the_access_test"},
    ),
    "connectors:connection_detail": Rule(who=SEE, make=a_connection),
    "connectors:connection_edit": Rule(
        who=EDIT, methods=("GET", "POST"), make=a_connection, data={"label": "Linear", "token": ""}
    ),
    "connectors:connection_remove": Rule(who=EDIT, methods=("POST",), make=a_connection),
    "connectors:connection_run": Rule(who=SEE, methods=("POST",), make=a_connection),
    "connectors:connection_test": Rule(who=EDIT, methods=("POST",), make=a_connection),
    "connectors:connection_back_fill": Rule(
        who=SEE, methods=("GET", "POST"), make=a_connection, data={"since": "2026-01-01", "stream": ""}
    ),
    "connectors:stream_detail": Rule(who=SEE, make=a_stream),
    "connectors:stream_switch": Rule(who=SEE, methods=("POST",), make=a_switched_stream),
    "connectors:refused_detail": Rule(who=SEE, make=a_refused_record),
    "connectors:what_is_read": Rule(),
    "connectors:connection_switch": Rule(who=SEE, methods=("POST",), make=switched),
    "connectors:sweep_confirm": Rule(who=SEE, methods=("POST",), make=a_stream),
    "connectors:job_retry": Rule(who=SEE, methods=("POST",), make=a_dead_job),
}
