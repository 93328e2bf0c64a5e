"""The drill-down: what a stream was given, what it set aside and why, and what is read at all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors import registry
from connectors.base import Connector, Stream
from connectors.models import Connection, RefusedRecord, State, StreamRun, SyncRun
from connectors.sync import masked
from hub.core.logs import masked as masked_anywhere

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# What a person calls the fields that streams name as personal; one that is missing here is shown by its own name
WORDS: "dict[str, StrOrPromise]" = {
    "displayName": _("display name"),
    "display_name": _("display name"),
    "email": _("e-mail"),
    "name": _("name"),
    "title": _("title"),
}


def service_of(connection: Connection) -> Connector | None:
    """Return the connector of a connection, None where this release has none."""
    try:
        return registry.connector(connection.service)
    except registry.UnknownService:
        return None


def stream_of(connection: Connection, name: str) -> Stream | None:
    """Return one stream of a connection, None where it has none of that name."""
    service = service_of(connection)
    return next((one for one in service.streams if one.name == name), None) if service else None


def refused_of(connection: Connection, stream: Stream) -> QuerySet[RefusedRecord]:
    """Return a stream's records that were set aside, latest first."""
    rows = RefusedRecord.objects.filter(connection=connection, stream=stream.name).order_by("-last_at", "pk")
    return rows.defer("raw")


def shown(record: RefusedRecord, stream: Stream | None) -> Any:
    """Return a record as it came, with secrets and what is personal put out of sight.

    A record is often set aside because a field moved: an e-mail or a token is known by how it looks, too.
    """
    return masked_anywhere(masked(record.raw, stream.personal if stream else ()))


SHORT = Q(reason=SyncRun.Reason.WEBHOOK, state=State.DONE)  # many a day, so that nights would be lost among them


@dataclass(frozen=True)
class Announced:
    """The short runs that the tool's own announcements started, of the last day."""

    count: int
    changed: int
    since: datetime | None


def latest_runs(connection: Connection, *, with_short: bool, limit: int = 20) -> list[SyncRun]:
    """Return a connection's latest runs, latest first; those that deliveries started and that went well if asked."""
    rows = connection.runs.select_related("requested_by").order_by("-id")
    return list((rows if with_short else rows.exclude(SHORT))[:limit])


def runs_of(connection: Connection, stream: Stream, *, with_short: bool, limit: int = 30) -> list[StreamRun]:
    """Return the stream's part of the latest runs, latest first; of the short ones if asked."""
    rows = StreamRun.objects.filter(run__connection=connection, stream=stream.name).select_related("run__requested_by")
    short = Q(run__reason=SyncRun.Reason.WEBHOOK, state=State.DONE)
    return list((rows if with_short else rows.exclude(short)).order_by("-run_id")[:limit])


def announced_of(connection: Connection, stream: Stream | None = None) -> Announced:
    """Sum up the last day's short runs, of a connection or of one of its streams."""
    rows = connection.runs.filter(SHORT, created_at__gt=timezone.now() - timedelta(days=1))
    if stream is not None:
        rows = rows.filter(only__contains=[stream.name])
    found = rows.aggregate(count=Count("pk"), changed=Sum(F("new") + F("changed") + F("gone")), since=Min("created_at"))
    return Announced(found["count"], found["changed"] or 0, found["since"])


def requests_last_day(connection: Connection) -> int:
    """Return how many requests the last day took."""
    since = timezone.now() - timedelta(days=1)
    total = connection.runs.filter(created_at__gt=since).aggregate(n=Sum("requests"))["n"]
    return int(total or 0)


@dataclass(frozen=True)
class Reads:
    """What is read from one connected tool, for the people whose data it is."""

    connection: Connection
    service: Connector
    personal: "tuple[tuple[Stream, tuple[StrOrPromise, ...]], ...]"  # the fields that say something of a person
    other: tuple[Stream, ...]


def what_is_read() -> list[Reads]:
    """Return, for each connection that is on, what is read from it. One query."""
    found = []
    for connection in Connection.objects.filter(is_active=True).order_by("label", "pk"):
        service = service_of(connection)
        if service is None:
            continue
        read = [one for one in service.streams if one.name not in connection.paused_streams]
        personal = tuple(
            (one, tuple(dict.fromkeys(WORDS.get(path.split(".")[-1], path) for path in one.personal)))
            for one in read
            if one.personal
        )
        found.append(Reads(connection, service, personal, tuple(one for one in read if not one.personal)))
    return found
