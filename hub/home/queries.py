"""What waits for each kind of reader; reads every room, writes none."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Max, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.accounts.queries import unmatched
from connectors.failures import explain
from connectors.models import Connection
from hub.activity.models import Event
from hub.activity.words import verb_in_words
from hub.people.models import Invitation, Membership, Team, User
from kpis.models import Metric
from tooling.models import AdoptionRollup, StandardDecision, Tool

SOON = timedelta(days=14)
FIRST_LOOK = timedelta(days=7)  # how far back a first visit looks
MOST_ROWS = 40
TOLD = {"tooling.tool": "tools", "kpis.metric": "kpis"}  # kinds of things whose changes everybody may read: icon


# ---------------------------------------------------------------- Product Ops


@dataclass(frozen=True)
class Row:
    """One thing that waits for Product Ops: what, since when, and the one thing to do about it."""

    kind: str
    label: str | Promise
    icon: str
    title: str
    detail: str
    since: datetime | date | None
    tone: str  # of its age: bad, warn or nothing
    act: str
    url: str


def queue(reader: User) -> list[Row]:
    """Return everything that waits for Product Ops, the most urgent first. Five queries."""
    today = timezone.localdate()
    return [*failed_syncs(), *loose_accounts(), *due_decisions(today), *due_metrics(today), *open_invitations()][
        :MOST_ROWS
    ]


def failed_syncs() -> list[Row]:
    """Connections that stopped: their token is refused, or a stream failed."""
    found = Connection.objects.filter(is_active=True).annotate(
        failure=Max("streams__failure"), good=Min("streams__last_success_at")
    )
    rows = []
    for connection in found.order_by("label", "pk"):
        failure = connection.failure or ("" if connection.auth == Connection.Auth.OK else "auth_invalid")
        if not failure:
            continue
        told = explain(failure)
        title = _("%(connection)s: %(what)s") % {"connection": connection.label, "what": told.title}
        detail = str(told.sentence) % {"service": connection.label}
        tone = "warn" if told.is_retried else "bad"
        rows.append(
            Row(
                "sync",
                _("Sync"),
                "sync",
                title,
                detail,
                connection.good,
                tone,
                _("See the sync"),
                connection.get_absolute_url(),
            )
        )
    return sorted(rows, key=lambda row: row.tone != "bad")


def loose_accounts() -> list[Row]:
    """Accounts that belong to nobody we know, one row for each connection."""
    found = (
        unmatched()
        .values(tool=F("connection__label"))
        .annotate(count=Count("pk"), example=Min("name"))
        .order_by("-count", "tool")
    )
    return [
        Row(
            "account",
            _("Accounts"),
            "people",
            ngettext(
                "%(count)s person in %(tool)s is not matched",
                "%(count)s people in %(tool)s are not matched",
                row["count"],
            )
            % {"count": row["count"], "tool": row["tool"]},
            _("%(name)s and others") % {"name": row["example"]}
            if row["count"] > 1 and row["example"]
            else row["example"],
            None,
            "",
            _("Match"),
            reverse("accounts:account_list"),
        )
        for row in found
    ]


def due_decisions(today: date) -> list[Row]:
    """Standings whose date to be looked at again has come, or comes in two weeks."""
    found = (
        StandardDecision.objects.current()
        .filter(review_on__lte=today + SOON)
        .select_related("tool", "capability")
        .order_by("review_on", "pk")[:MOST_ROWS]
    )
    return [
        Row(
            "review",
            _("Review"),
            "review",
            _("%(tool)s for %(job)s") % {"tool": decision.tool.name, "job": decision.capability.name},
            _("%(standing)s; to be looked at again on %(day)s")
            % {"standing": decision.get_ring_display(), "day": date_format(decision.review_on, "DATE_FORMAT")},
            decision.review_on,
            "warn" if decision.review_on < today else "",
            _("Decide"),
            reverse("tooling:tool_decide", args=[decision.tool.slug]) + f"?capability={decision.capability.slug}",
        )
        for decision in found
    ]


def due_metrics(today: date) -> list[Row]:
    """KPIs whose definition nobody has verified for longer than agreed."""
    metrics = Metric.objects.shown().select_related("owner").order_by("position", "pk")
    due = [(metric.review_due_on, metric) for metric in metrics if metric.review_due_on]
    return [
        Row(
            "review",
            _("Review"),
            "kpis",
            str(metric),
            _("Owner: %(name)s") % {"name": metric.owner} if metric.owner else _("Nobody owns it"),
            day,
            "warn" if day < today else "",
            _("Verify"),
            metric.get_absolute_url(),
        )
        for day, metric in sorted(due, key=lambda pair: pair[0])
        if day <= today + SOON
    ]


def open_invitations() -> list[Row]:
    """Invitations that nobody has taken up yet."""
    now = timezone.now()
    found = Invitation.objects.filter(accepted_at=None).order_by("expires_at", "pk")[:MOST_ROWS]
    return [
        Row(
            "invitation",
            _("Invitation"),
            "key",
            invitation.name,
            _("The link has run out") if invitation.expires_at < now else invitation.email,
            invitation.created_at,
            "warn" if invitation.expires_at < now else "",
            _("See the invitation"),
            reverse("people:invitation_list"),
        )
        for invitation in found
    ]


# ---------------------------------------------------------------- everybody


@dataclass(frozen=True)
class Moved:
    """One thing that changed: what happened to it, who did it, when."""

    icon: str
    title: str
    url: str
    what: str
    who: str
    at: datetime


@dataclass(frozen=True)
class Changes:
    """What changed since the reader was here before."""

    since: datetime
    rows: tuple[Moved, ...]


def changes_for(reader: User, limit: int = 7) -> Changes:
    """Return what changed since the reader's visit before this one; a thing is told once. At most three queries."""
    since = reader.previous_visit_at or timezone.now() - FIRST_LOOK
    events = (
        Event.objects.filter(kind__in=TOLD, at__gt=since).exclude(by=reader).select_related("by").order_by("-at", "-id")
    )[: 5 * limit]
    latest: dict[tuple[str, str], Event] = {}
    for event in events:
        latest.setdefault((event.kind, event.object_id), event)
    ids: dict[str, list[str]] = {kind: [key for k, key in latest if k == kind] for kind in TOLD}
    things: dict[tuple[str, str], Tool | Metric] = {}
    if ids["tooling.tool"]:
        things |= {("tooling.tool", str(pk)): tool for pk, tool in Tool.objects.in_bulk(ids["tooling.tool"]).items()}
    if ids["kpis.metric"]:
        things |= {("kpis.metric", str(pk)): one for pk, one in Metric.objects.in_bulk(ids["kpis.metric"]).items()}
    rows = [
        Moved(
            TOLD[kind],
            str(things[kind, key]),
            things[kind, key].get_absolute_url(),
            str(verb_in_words(event.verb)),
            str(event.by) if event.by else _("by a sync"),
            event.at,
        )
        for (kind, key), event in latest.items()
        if (kind, key) in things
    ]
    return Changes(since, tuple(rows[:limit]))


# ---------------------------------------------------------------- members


@dataclass(frozen=True)
class MemberFront:
    """A member's front page."""

    team: Team | None
    changes: Changes
    tools: tuple[Tool, ...]
    is_team_use: bool  # False: the tools are the company's standards, for nothing is known of the team


def member_front(reader: User) -> MemberFront:
    """Gather a member's front page: their team, what changed, the tools their team uses."""
    today = timezone.localdate()
    held = (
        Membership.objects.on(today)
        .filter(person=reader)
        .select_related("team")
        .order_by("-is_primary", "-starts_on", "pk")
    ).first()
    team = held.team if held else None
    used = tools_of(team) if team else ()
    return MemberFront(team, changes_for(reader), used or standard_tools(), bool(used))


def tools_of(team: Team, limit: int = 6) -> tuple[Tool, ...]:
    """Return the tools that people of `team` were active in during the last 30 days, the most used first."""
    used = (
        AdoptionRollup.objects.filter(team=team, window=30, is_current=True, active__gt=0)
        .select_related("tool")
        .order_by("-active", "tool__name", "pk")[:limit]
    )
    return tuple(rollup.tool for rollup in used)


def standard_tools(limit: int = 6) -> tuple[Tool, ...]:
    """Return the company's standards."""
    return tuple(Tool.objects.in_estate().filter(ring=Tool.Ring.ADOPT).order_by("name", "pk")[:limit])


# ---------------------------------------------------------------- leaders


@dataclass(frozen=True)
class LeaderFront:
    """A leader's front page."""

    changes: Changes


def leader_front(reader: User) -> LeaderFront:
    """Gather a leader's front page."""
    return LeaderFront(changes_for(reader))
