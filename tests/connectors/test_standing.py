"""What the shell around every page says of the sources."""

from connectors import queries
from connectors.models import Connection, StreamState


def test_one_failed_stream_counts_but_not_what_the_plan_leaves_out(db):
    linear = Connection.objects.create(service="linear", label="Linear")
    StreamState.objects.create(connection=linear, stream="issues")
    StreamState.objects.create(connection=linear, stream="projects", failure="stream_unavailable")

    assert queries.standing().failing == 0

    StreamState.objects.filter(stream="issues").update(failure="source_down")
    assert queries.standing().failing == 1
