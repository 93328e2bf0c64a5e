"""What the sync pages, and the shell around every page, want to know."""

from .jobs import job_owner
from .records import (
    Announced,
    Reads,
    announced_of,
    latest_runs,
    refused_of,
    requests_last_day,
    runs_of,
    service_of,
    shown,
    stream_of,
    what_is_read,
)
from .sources import Source, StreamRow, brought, next_night, sources, unchosen
from .standing import MOST_COUNTED, Freshness, Standing, freshness, snapshot_on, standing

__all__ = [
    "MOST_COUNTED",
    "Announced",
    "Freshness",
    "Reads",
    "Source",
    "Standing",
    "StreamRow",
    "announced_of",
    "brought",
    "freshness",
    "job_owner",
    "latest_runs",
    "next_night",
    "refused_of",
    "requests_last_day",
    "runs_of",
    "service_of",
    "shown",
    "snapshot_on",
    "sources",
    "standing",
    "stream_of",
    "unchosen",
    "what_is_read",
]
