"""Addresses that are read every night: each good answer becomes a plan, and most plans apply by themselves."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connectors.base import FailureClass, SourceFailed
from connectors.engine import MayWrite, NobodyElse
from connectors.failures import explain
from connectors.schedule import latest_slot, retry_after_failures
from connectors.secrets import SecretUnreadable, hint, open_secret, sealed
from connectors.transport import fetch_file
from hub.activity.actions import record
from hub.core.csv import Unreadable
from hub.core.workbook import read_table
from hub.people.models import User

from .actions import WRITTEN, apply_plan, discard, judge_plan, upload
from .kinds import Kind, UnknownKind, kind_named
from .models import Feed, ImportPlan
from .sheet import suggest_mapping

MINUTE = 30  # of the night's hour: after the syncs have begun
PLANS_KEPT = 10  # of one address
FEW, SHARE = 10, 0.2  # so many rows, or that share of those known, may change or close without being looked at


class ColumnGone(Exception):
    """The file has no column of that name any more."""


@transaction.atomic
def save_feed(
    *, feed: Feed, label: str, url: str, is_whole: bool, is_active: bool, secret: str | None, by: User
) -> Feed:
    """Keep an address. `secret` None leaves the token, an empty one takes it away; a new host does so, too."""
    is_new = feed.pk is None
    if not is_new:
        stored = Feed.objects.select_for_update().get(pk=feed.pk)
        if secret is None and origin(stored.url) != origin(url):
            secret = ""  # a token was given for one host and goes to no other
    feed.label, feed.url, feed.is_whole, feed.is_active, feed.by = label, url, is_whole, is_active, by
    feed.failure, feed.detail, feed.failures = "", "", 0
    if not is_new:
        feed.version = F("version") + 1
        feed.digest = ""  # whatever changed, the next file is judged
    feed.save()
    feed.refresh_from_db()
    if secret is not None:
        feed.secret = sealed(secret, feed) if secret else b""
        feed.secret_hint = hint(secret)
        feed.save(update_fields=["secret", "secret_hint"])
    record(by=by, verb="created" if is_new else "changed", on=feed)
    return feed


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


@transaction.atomic
def remove_feed(*, feed: Feed, by: User) -> None:
    """Forget an address and its token; what it brought stays."""
    record(by=by, verb="deleted", on=feed)
    feed.delete()


def columns_of(plan: ImportPlan) -> dict[str, str]:
    """Return a plan's mapping by the names of its columns: their order may be another one tomorrow."""
    return {name: plan.header[index] for name, index in plan.mapping.items() if index < len(plan.header)}


def due_feeds(now: datetime) -> list[tuple[Feed, str]]:
    """Return the addresses to read now, each with the occasion: the night, or another try after a failure."""
    day, moment = latest_slot(now, settings.SYNC_HOUR, ZoneInfo(settings.COMPANY_TIME_ZONE), MINUTE)
    found = []
    for feed in Feed.objects.filter(is_active=True).order_by("pk"):
        if feed.created_at <= moment and (feed.last_read_at is None or feed.last_read_at < moment):
            found.append((feed, f"feed:{feed.pk}:{day}"))
        elif is_retry_due(feed, now):
            found.append((feed, f"feed:{feed.pk}:{feed.last_read_at}"))
    return found


def is_retry_due(feed: Feed, now: datetime) -> bool:
    """Tell whether a failed read is to be tried again by itself: where that can help, ever more rarely."""
    if not feed.failure or feed.last_read_at is None or not explain(feed.failure).is_retried:
        return False
    return now - feed.last_read_at >= retry_after_failures(feed.failures)


def read_feed(*, feed_id: int, lease: MayWrite | None = None) -> ImportPlan | None:
    """Read an address once. Returns the plan that came of it; None where nothing is new, or nothing came.

    The network is left before the database is written. What was applied last stays, with its date.
    """
    feed = Feed.objects.filter(pk=feed_id).first()
    if feed is None:
        return None
    reading = Reading(feed, timezone.now(), lease or NobodyElse())
    try:
        secret = open_secret(feed) if feed.secret else ""
        content = fetch_file(feed.url, secret=secret).body
        digest = sha256(content).hexdigest()
        if digest != feed.digest:
            kind = kind_named(feed.kind)
            return bring_in(reading, kind, content, mapping_of(feed, kind, content), digest)
        reading.succeeded(digest)
    except SecretUnreadable as unreadable:
        reading.failed(FailureClass.AUTH_INVALID, str(unreadable))
    except SourceFailed as failed:
        reading.failed(failed.kind, failed.detail)
    except Unreadable as unreadable:
        reading.failed(FailureClass.BAD_PAYLOAD, unreadable.note.text)
    except (UnknownKind, ColumnGone) as missing:
        reading.failed(FailureClass.SCHEMA_DRIFT, f"no column {missing}")
    return None


@dataclass(frozen=True)
class Reading:
    """One reading of an address as it stood when the reading began.

    It says how the address is doing only while that is so, and while no reading that began later has ended.
    """

    feed: Feed
    begun_at: datetime
    lease: MayWrite

    def succeeded(self, digest: str) -> None:
        """Say that the file was read, or that it is the one that is known."""
        now = timezone.now()
        self.note(last_read_at=now, last_success_at=now, failure="", detail="", failures=0, digest=digest)

    def failed(self, kind: str, detail: str) -> None:
        """Say why nothing came."""
        self.note(**as_failed(kind, detail))

    @transaction.atomic
    def note(self, **news: object) -> None:
        """Write down how it went."""
        self.lease.confirm()
        same = Feed.objects.filter(pk=self.feed.pk, version=self.feed.version)
        same.exclude(last_read_at__gt=self.begun_at, last_read_at__lte=timezone.now()).update(**news)


def as_failed(kind: str, detail: str) -> dict[str, object]:
    return {
        "last_read_at": timezone.now(),
        "failure": kind,
        "detail": detail[:300],
        "failures": F("failures") + 1,
    }


def reading_given_up(*, feed_id: int, error: str) -> None:
    """Say of an address whose reading failed or stopped each time that nothing came."""
    Feed.objects.filter(pk=feed_id).update(**as_failed(FailureClass.BUG, error))


def mapping_of(feed: Feed, kind: Kind, content: bytes) -> dict[str, int]:
    """Find the columns that the address was set up with. Raises ColumnGone, and Unreadable."""
    header = list(read_table(content).header)
    if not feed.columns:
        mapping = suggest_mapping(header, kind.columns)
    else:
        mapping = {field: header.index(name) for field, name in feed.columns.items() if name in header}
        for name in feed.columns.values():
            if name not in header:
                raise ColumnGone(name)
    if not any(name in mapping for name in kind.keys):
        raise ColumnGone(kind.keys[0])
    return mapping


@transaction.atomic
def bring_in(reading: Reading, kind: Kind, content: bytes, mapping: dict[str, int], digest: str) -> ImportPlan | None:
    """Make a plan of a new file; apply it where nobody needs to look. The plan that still waited gives way.

    None where the address was changed or removed while it was read, or where another reading brought the same in.
    """
    reading.lease.confirm()
    feed = reading.feed
    held = Feed.objects.select_for_update(of=("self",)).select_related("by").filter(pk=feed.pk, version=feed.version)
    stored = held.first()
    if stored is None or stored.digest == digest:
        return None
    feed = stored
    for waiting in feed.plans.filter(state=ImportPlan.State.READY):
        discard(plan=waiting)
    name = urlsplit(feed.url).path.rsplit("/", 1)[-1] or feed.label
    plan = upload(kind=kind, content=content, filename=name, by=feed.by, is_whole=feed.is_whole, feed=feed)
    plan.mapping, plan.header = mapping, plan.header or list(read_table(content).header)
    plan.save(update_fields=["mapping", "header"])
    judge_plan(plan_id=plan.pk)
    plan.refresh_from_db()
    if feed.by is not None and feed.by.has_perm("imports.edit_feeds") and is_harmless(plan, kind):
        plan = apply_plan(plan_id=plan.pk, by_id=feed.by.pk)
    reading.succeeded(digest)
    old = feed.plans.exclude(state=ImportPlan.State.READY).order_by("-pk").values_list("pk", flat=True)[PLANS_KEPT:]
    ImportPlan.objects.filter(pk__in=list(old)).delete()
    return plan


def is_harmless(plan: ImportPlan, kind: Kind) -> bool:
    """Tell whether a plan may apply by itself: no error, few changes, none of a field that opens something."""
    rows = list(plan.rows.values_list("verdict", "changes"))
    verdicts = [verdict for verdict, _changes in rows]
    if plan.state != ImportPlan.State.READY or "error" in verdicts:
        return False
    if any(kind.careful & set(changes) for verdict, changes in rows if verdict in WRITTEN):
        return False
    moved = sum(verdict in ("update", "close") for verdict in verdicts)
    known = moved + verdicts.count("unchanged")
    return moved <= max(FEW, SHARE * known)
