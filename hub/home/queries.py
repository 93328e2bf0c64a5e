"""What waits for each kind of reader; reads every room, writes none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db.models import (
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors import registry
from connectors.accounts.queries import unmatched
from connectors.base import FailureClass
from connectors.failures import NEVER_LET_IN, explain
from connectors.mappings.queries import findings
from connectors.models import Connection, RefusedRecord, SourceMapping
from connectors.queries import Standing, service_of, unchosen
from connectors.queries.sources import grouped
from connectors.webhooks.queries import silent
from hub.activity.models import Event
from hub.activity.words import verb_in_words
from hub.core.templatetags.ui import age_in_words
from hub.imports.models import Feed, ImportPlan
from hub.people.models import Invitation, Membership, Team, User
from kpis.models import Metric
from kpis.queries import Tile, figures, leadership_tiles, tile, worst_first
from tooling.models import StandardDecision, Tool

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
    who: User | None = None
    due: str = ""  # how late or near it is, in words; said instead of `since`


def queue(reader: User) -> list[Row]:
    """Return what waits for Product Ops, the most urgent first; one row above `MOST_ROWS` says that more wait.

    Six queries, and one where databases are mapped.
    """
    today = timezone.localdate()
    rows = [
        *waiting_syncs(),
        *waiting_files(),
        *loose_accounts(),
        *due_decisions(today),
        *due_metrics(today),
        *open_invitations(),
    ]
    urgency = ["bad", "warn", ""]
    return sorted(rows, key=lambda row: urgency.index(row.tone))[: MOST_ROWS + 1]


def first_steps(reader: User) -> list[Row]:
    """Return what a new hub lacks before it can show anything, in the order that helps; nothing later. One query."""
    colleagues = User.objects.exclude(pk=reader.pk)
    lacks = User.objects.filter(pk=reader.pk).values_list(
        ~Exists(Connection.wired()), ~Exists(Team.objects.all()), ~Exists(Tool.objects.in_estate()), ~Exists(colleagues)
    )
    no_source, no_team, no_tool, is_alone = lacks.get()
    step = partial(Row, "step", _("First steps"), tone="", since=None)
    may_connect, steps = reader.has_perm("connectors.edit_connection"), []
    if no_source:
        title, told = _("Connect a first source"), _("The hub then reads it each night; figures and adoption follow.")
        if may_connect:
            steps.append(("sync", title, told, _("Connect a source"), reverse("connectors:connection_create")))
        else:
            told = _("A technical admin does it, with a token that may only read.")
            steps.append(("sync", title, told, _("See the syncs"), reverse("connectors:sync_list")))
    if reader.is_ops and no_team:
        told = _("Figures and adoption are told by team. Start with the ones that ship.")
        steps.append(("people", _("Make your teams"), told, _("New team"), reverse("people:team_create")))
    if reader.is_ops and no_tool:
        told, url = _("From a spreadsheet, from the suggestions, or one by one."), reverse("tooling:tool_list")
        steps.append(("tools", _("Bring in the tools of the company"), told, _("See the tools"), url))
    if reader.is_ops and is_alone:
        told = _("One by one with a link, or all at once from a file.")
        steps.append(("key", _("Invite your colleagues"), told, _("Invite somebody"), reverse("people:invite")))
    return [step(icon=icon, title=title, detail=told, act=act, url=url) for icon, title, told, act, url in steps]


def for_admin(reader: User, now: Standing) -> list[Row]:
    """Return what the technical admin has to see first: sources that need somebody, or that there is none yet."""
    if now.failing:
        title = ngettext("%(count)s source needs you", "%(count)s sources need you", now.failing)
        told = _("Its figures keep their last good value, with its date. The page says what to do.")
        url = reverse("connectors:sync_list")
        row = Row("sync", _("Sync"), "sync", title % {"count": now.failing}, told, None, "bad", _("See the syncs"), url)
        return [row]
    return [] if now.freshness.total else first_steps(reader)


def due_in_words(day: date, today: date) -> str:
    """Say how late a thing due on `day` is, or when it is due."""
    late = (today - day).days
    if late > 0:
        return ngettext("%(count)s day late", "%(count)s days late", late) % {"count": late}
    return _("due %(when)s") % {"when": age_in_words(day)}


def waiting_syncs() -> list[Row]:
    """What of the connections somebody must look at: what stopped, what is not said yet, what was set aside or missed.

    One query, and one where databases are mapped.
    """
    aside = RefusedRecord.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
    found = (
        Connection.wired()
        .filter(is_active=True)
        .annotate(
            failure=Max("streams__failure", filter=~Q(streams__failure=FailureClass.STREAM_UNAVAILABLE)),
            good=Min("streams__last_success_at"),
            failing_since=Min("streams__failing_since", filter=~Q(streams__failure=FailureClass.STREAM_UNAVAILABLE)),
            aside=Subquery(aside.annotate(count=Count("pk")).values("count")),
            aside_since=Subquery(aside.annotate(since=Min("first_at")).values("since")),
            is_mapped=Exists(SourceMapping.objects.filter(connection=OuterRef("pk"))),
            is_silent=Exists(silent().filter(connection=OuterRef("pk"))),
        )
    )
    connections = list(found.order_by("label", "pk"))
    rows = [row for connection in connections for row in rows_of(connection)]
    rows += broken_mappings([connection for connection in connections if connection.is_mapped])
    return sorted(rows, key=lambda row: row.tone != "bad")


def rows_of(connection: Any) -> Iterator[Row]:
    """Yield what waits of one connection, annotated as above."""
    own = connection.get_absolute_url()
    row = partial(Row, "sync", _("Sync"), "sync")
    failure = connection.failure or ("" if connection.auth == Connection.Auth.OK else FailureClass.AUTH_INVALID)
    if failure:
        is_first = failure == FailureClass.AUTH_INVALID and connection.good is None
        told = NEVER_LET_IN if is_first else explain(failure)
        title = _("%(connection)s: %(what)s") % {"connection": connection.label, "what": told.title}
        detail = str(told.sentence) % {"service": connection.label}
        yield row(title, detail, connection.failing_since, "warn" if told.is_retried else "bad", _("See the sync"), own)
    service = service_of(connection)
    chosen = [one for one in (service.streams if service else ()) if one.is_chosen]
    if (
        service
        and connection.reads_any_of(one.name for one in chosen)
        and not (connection.chosen or connection.is_mapped)
    ):
        title = _("%(connection)s waits for you") % {"connection": connection.label}
        is_mapped = connection.service in registry.mappable()
        url = reverse("mappings:source_list", args=[connection.pk]) if is_mapped else own
        yield row(title, unchosen(service), None, "warn", _("Say what is read"), url)
    if connection.aside:
        title = ngettext(
            "%(count)s record of %(tool)s is set aside", "%(count)s records of %(tool)s are set aside", connection.aside
        ) % {"count": grouped(connection.aside), "tool": connection.label}
        detail = _("Figures go on with their last good version.")
        yield row(title, detail, connection.aside_since, "", _("See why"), f"{own}#refused")
    if connection.is_silent:
        title = _("%(connection)s no longer announces its changes") % {"connection": connection.label}
        detail = _("The tool may have turned its webhook off. The nights find what it does not tell.")
        yield row(title, detail, None, "warn", _("See the sync"), own)


def broken_mappings(connections: Sequence[Connection]) -> Iterator[Row]:
    """Yield what an admin mapped and the tool has no longer, with the KPIs that it stops."""
    for mapping, finding in findings(connections) if connections else ():
        values = {
            "connection": mapping.connection.label,
            "name": finding.name,
            "meaning": mapping.get_meaning_display(),
        }
        if finding.kind == "removed":
            title = _("%(connection)s: the property “%(name)s” is gone") % values
        else:
            title = _("%(connection)s: a database can’t be read any more (%(meaning)s)") % values
        detail = _("It stops: %(metrics)s.") % {"metrics": finding.breaks} if finding.breaks else ""
        url = reverse("mappings:source_list", args=[mapping.connection_id])
        yield Row("sync", _("Sync"), "alert", title, detail, None, "bad", _("Mend the mapping"), url)


def waiting_files() -> list[Row]:
    """Addresses that are read every night: those that failed, and files that nobody but a person may apply."""
    is_failing = Q(is_active=True) & ~Q(failure="")
    found = (
        Feed.objects.annotate(waiting=FilteredRelation("plans", condition=Q(plans__state=ImportPlan.State.READY)))
        .filter(is_failing | Q(waiting__isnull=False))
        .annotate(plan_id=F("waiting__pk"), plan_at=F("waiting__created_at"))
        .order_by("label", "pk", "plan_at", "plan_id")[: MOST_ROWS + 1]
    )
    failing = {feed.pk: feed for feed in found if feed.is_active and feed.failure}
    rows = [failing_feed(feed) for feed in failing.values()]
    title, detail = _("A file from %(address)s waits"), _("It has errors, or changes much: look before it is applied.")
    row = partial(Row, "file", _("File"), "table", detail=detail, tone="warn", act=_("Look at the plan"))
    return rows + [
        row(
            title=title % {"address": feed},
            since=feed.plan_at,
            url=reverse("imports:plan_detail", args=[feed.plan_id]),
        )
        for feed in found
        if feed.plan_id
    ]


def failing_feed(feed: Feed) -> Row:
    told = explain(feed.failure)
    title = _("%(connection)s: %(what)s") % {"connection": feed.label, "what": told.title}
    detail = str(told.sentence) % {"service": feed.label}
    tone = "warn" if told.is_retried else "bad"
    act, url = _("See the address"), feed.get_absolute_url()
    return Row("file", _("File"), "sync", title, detail, feed.last_success_at, tone, act, url)


def loose_accounts() -> list[Row]:
    """Accounts that belong to nobody we know, one row for each connection."""
    found = (
        unmatched()
        .values("connection", tool=F("connection__label"))
        .annotate(count=Count("pk"), example=Min("name"))
        .order_by("-count", "tool")
    )
    return [
        Row(
            "account",
            _("Accounts"),
            "people",
            ngettext(
                "%(count)s account in %(tool)s has no person",
                "%(count)s accounts in %(tool)s have no person",
                row["count"],
            )
            % {"count": row["count"], "tool": row["tool"]},
            _("%(name)s and others") % {"name": row["example"]}
            if row["count"] > 1 and row["example"]
            else row["example"],
            None,
            "",
            _("Match"),
            f"{reverse('accounts:account_list')}?tool={row['connection']}",
        )
        for row in found
    ]


def due_decisions(today: date) -> list[Row]:
    """Standings whose date to be looked at again has come, or comes in two weeks."""
    found = (
        StandardDecision.objects.current()
        .filter(review_on__lte=today + SOON)
        .select_related("tool", "capability", "decided_by")
        .order_by("review_on", "pk")[: MOST_ROWS + 1]
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
            who=decision.decided_by,
            due=due_in_words(decision.review_on, today),
        )
        for decision in found
    ]


def due_metrics(today: date) -> list[Row]:
    """KPIs whose definition nobody has verified for longer than agreed."""
    due = ExpressionWrapper(F("reviewed_on") + F("review_every_days"), DateField())
    metrics = Metric.objects.shown().annotate(due=due).filter(due__lte=today + SOON).select_related("owner")
    found: Iterable[Any] = metrics.defer(*Metric.CONTRACT).order_by("due", "position", "pk")[: MOST_ROWS + 1]
    return [
        Row(
            "review",
            _("Review"),
            "kpis",
            str(metric),
            _("Is its definition still true?") if metric.owner else _("Nobody owns it"),
            metric.due,
            "warn" if metric.due < today else "",
            _("Verify"),
            metric.get_absolute_url(),
            who=metric.owner,
            due=due_in_words(metric.due, today),
        )
        for metric in found
    ]


def open_invitations() -> list[Row]:
    """Invitations that nobody has taken up yet."""
    now = timezone.now()
    waiting = Invitation.objects.unanswered().select_related("invited_by")
    found = waiting.order_by("expires_at", "pk")[: MOST_ROWS + 1]
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
            who=invitation.invited_by,
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


def changes_for(reader: User, metrics: Sequence[Metric] | None = None, limit: int = 7) -> Changes:
    """Return what changed since the reader's visit before this one; a thing is told once.

    `metrics` spares a query where the page has read them already. At most three queries.
    """
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
        known = Tool.objects.defer("how_to_en", "how_to_fr").in_bulk(ids["tooling.tool"])
        things |= {("tooling.tool", str(pk)): tool for pk, tool in known.items()}
    if metrics:
        things |= {("kpis.metric", str(one.pk)): one for one in metrics}
    elif ids["kpis.metric"]:
        things |= {("kpis.metric", str(pk)): one for pk, one in Metric.objects.in_bulk(ids["kpis.metric"]).items()}
    rows = (
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
    )
    return Changes(since, tuple(islice(rows, limit)))


# ---------------------------------------------------------------- members


@dataclass(frozen=True)
class MemberFront:
    """A member's front page."""

    team: Team | None
    tiles: tuple[Tile, ...]  # at most three figures of the team, those off target first
    changes: Changes
    tools: tuple[Tool, ...]
    is_team_use: bool  # False: the tools are the company's standards, for nothing is known of the team


def member_front(reader: User) -> MemberFront:
    """Gather a member's front page: their team, its figures, what changed, the tools the team uses."""
    today = timezone.localdate()
    held = (
        Membership.objects.on(today)
        .filter(person=reader)
        .select_related("team")
        .order_by("-is_primary", "-starts_on", "pk")
        .first()
    )
    team = held.team if held else None
    found = figures(Metric.objects.shown(), team=team) if team else []
    measured = [figure for figure in found if figure.latest is not None and figure.latest.value is not None]
    tools, is_team_use = tools_for(team)
    return MemberFront(
        team=team,
        tiles=tuple(tile(figure) for figure in worst_first(measured)[:3]),
        changes=changes_for(reader, [figure.metric for figure in found]),
        tools=tools,
        is_team_use=is_team_use,
    )


def tools_for(team: Team | None, limit: int = 6) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools that `team` was active in during the last 30 days and True; else the standards and False."""
    estate = Tool.objects.in_estate().defer("how_to_en", "how_to_fr")  # pages of text that no line of the list shows
    standards = estate.filter(ring=Tool.Ring.ADOPT).order_by("name", "pk")
    if team is None:
        return tuple(standards[:limit]), False
    use = {"rollups__team": team, "rollups__window": 30, "rollups__is_current": True, "rollups__active__gt": 0}
    used = estate.filter(**use).annotate(active=F("rollups__active")).order_by("-active", "name", "pk")
    none = standards.annotate(active=Value(None, IntegerField()))
    both: list[Any] = list(
        used[:limit].union(none[:limit], all=True)
    )  # each sorted by itself: quicker than all tools together
    active = sorted((tool for tool in both if tool.active), key=lambda tool: (-tool.active, tool.name, tool.pk))
    return tuple(active or sorted(both, key=lambda tool: (tool.name, tool.pk))), bool(active)


# ---------------------------------------------------------------- leaders


@dataclass(frozen=True)
class LeaderFront:
    """A leader's front page."""

    tiles: tuple[Tile, ...]
    off_count: int
    changes: Changes


def leader_front(reader: User) -> LeaderFront:
    """Gather a leader's front page: at most nine figures, those off target first, and what changed."""
    tiles = leadership_tiles(reader)
    return LeaderFront(tiles, sum(one.tone in ("bad", "warn") for one in tiles), changes_for(reader))
