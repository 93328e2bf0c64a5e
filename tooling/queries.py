"""What the pages of this room ask."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, CharField, Count, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, JSONObject, Lower, NullIf
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.models import PersonAccount
from hub.core.http import address_of
from hub.people.models import Team, User

from .models import (
    AdoptionRollup,
    AdoptionWeek,
    Capability,
    StandardDecision,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Workspace,
)
from .models.adoption import percent

SMALLEST_GROUP = 5  # a smaller team's use would tell on people
TEAMS_IN_A_ROW = 5
LOW = 0.6  # a team below it is drawn pale
STALE_AFTER = timedelta(days=2)

RING_RANK = Case(
    *(When(ring=ring, then=Value(rank)) for rank, ring in enumerate(["adopt", "trial", "assess", "hold"])),
    default=Value(9),
    output_field=IntegerField(),
)
# Every order ends in a unique field.
SORTS = {
    "name": (Lower("name"), "pk"),
    "for": (F("capability_link__capability__sort").asc(nulls_last=True), Lower("name"), "pk"),
    "standing": (RING_RANK, Lower("name"), "pk"),
    "lifecycle": ("lifecycle", Lower("name"), "pk"),
    "active": (F("adoption_rate").asc(nulls_first=True), Lower("name"), "pk"),
    "seats": (F("adoption__accounts_active").asc(nulls_first=True), Lower("name"), "pk"),
    "owner": (F("owner_link__person__name").asc(nulls_last=True), Lower("name"), "pk"),
}
FALLING = {
    "active": (F("adoption_rate").desc(nulls_last=True), Lower("name"), "pk"),
    "seats": (F("adoption__accounts_active").desc(nulls_last=True), Lower("name"), "pk"),
    "name": (Lower("name").desc(), "-pk"),
    "standing": (RING_RANK.desc(), Lower("name"), "pk"),
    "for": (F("capability_link__capability__sort").desc(nulls_last=True), Lower("name"), "pk"),
    "lifecycle": ("-lifecycle", Lower("name"), "pk"),
    "owner": (F("owner_link__person__name").desc(nulls_last=True), Lower("name"), "pk"),
}

EXPORTED = ("vendor", "owner_link__person", "adoption")


def listed(tools: "QuerySet[Tool]", *, sort: str) -> "QuerySet[Tool]":
    """Join what a row of the export says, in one query, in the order asked for ("-" before the name: falling)."""
    return sorted_by(tools, sort).select_related(*EXPORTED)


def sorted_by(tools: "QuerySet[Tool]", sort: str) -> "QuerySet[Tool]":
    """Put tools in the order of a key of SORTS ("-" before it: falling)."""
    tools = tools.with_owner().with_capability().with_adoption()  # type: ignore[attr-defined]
    key = sort.removeprefix("-")
    if key == "active":
        tools = tools.annotate(
            adoption_rate=Case(
                When(adoption__eligible__gt=0, then=F("adoption__active") * 1.0 / F("adoption__eligible"))
            )
        )
    return tools.order_by(*(FALLING[key] if sort.startswith("-") else SORTS[key]))


class LargeTeam(NamedTuple):
    """A team whose use may be shown apart."""

    pk: int
    slug: str
    name: str


def large_teams() -> list[LargeTeam]:
    """Return the teams whose use may be shown apart, largest first."""
    teams = Team.objects.active().with_size(day=timezone.localdate()).filter(size__gte=SMALLEST_GROUP)  # type: ignore[misc]
    return [LargeTeam(*row) for row in teams.order_by("-size", "name", "pk").values_list("pk", "slug", "name")]


@dataclass(frozen=True)
class Bar:
    """One team's bar in a row, in a drawing 24 high."""

    x: int
    y: float
    height: float
    is_low: bool


@dataclass(frozen=True)
class TeamBars:
    """The largest teams' use of a tool, side by side; `says` is the same in words."""

    bars: tuple[Bar, ...]
    says: str
    width: int


def team_bars(tools: Sequence[int], teams: Sequence[LargeTeam]) -> dict[int, TeamBars]:
    """Return the bars of each tool, by its id, for these teams, in one query."""
    shown = teams[:TEAMS_IN_A_ROW]
    measured = AdoptionRollup.objects.filter(
        tool__in=tools,
        team__in=[team.pk for team in shown],
        window=30,
        is_current=True,
        eligible__gte=SMALLEST_GROUP,
    )
    rates = {
        (tool, team): active / eligible
        for tool, team, active, eligible in measured.values_list("tool", "team", "active", "eligible")
        if active is not None
    }
    drawn = {}
    for tool_id in {tool for tool, _team in rates}:
        bars, says = [], []
        for rank, team in enumerate(shown):
            rate = rates.get((tool_id, team.pk))
            if rate is not None:
                height = round(22 * rate, 1)
                bars.append(Bar(x=rank * 14, y=round(23 - height, 1), height=height, is_low=rate < LOW))
                says.append(f"{team.name} {percent(rate)}")
        drawn[tool_id] = TeamBars(tuple(bars), ", ".join(says), len(shown) * 14 - 2)
    return drawn


def counted(found: "QuerySet[Tool]", every: "QuerySet[Tool] | None") -> tuple[int, int]:
    """Return how many tools were found, and how many there are in all of `every`: one query.

    `every` is None where nothing narrows it: then all of it was found.
    """
    if every is None:
        count = found.count()
        return count, count
    counts = every.aggregate(every=Count("pk"), found=Count("pk", filter=Q(pk__in=found.values("pk"))))
    return counts["found"], counts["every"]


@dataclass(frozen=True)
class ListRow:
    """A tool in the list with what its row says: what it is for, who owns it, how many use it.

    Of `tool` only its own short fields are read. A count is None where nothing reads that tool; `owner_id` is that of
    a person, None where a team owns it.
    """

    tool: Tool
    job: str
    owner: str
    owner_id: int | None
    active: int | None
    eligible: int | None
    seats_used: int | None
    seats: int | None
    bars: TeamBars | None

    @property
    def use(self) -> str:
        """The share of people who use it, as a person reads it; empty where it is not measured."""
        return "" if self.active is None or not self.eligible else percent(self.active / self.eligible)


def list_rows(tools: Sequence[int], *, jobs: Iterable[Capability], teams: Sequence[LargeTeam]) -> list[ListRow]:
    """Return the rows of a page of tools, in the order of their ids, with bars for `teams`: two queries.

    What a row shows is joined for these alone and read as values: seven models for each row would cost thrice as much.
    """
    shown: QuerySet[Any] = (
        Tool.objects.with_owner()
        .with_capability()
        .with_adoption()
        .filter(pk__in=tools)
        .only("slug", "name", "summary_en", "summary_fr", "lifecycle", "ring", "is_starter")
        .annotate(
            job=F("capability_link__capability"),
            owner_id=F("owner_link__person"),
            owner=Coalesce(
                NullIf("owner_link__person__name", Value("")),
                "owner_link__person__email",
                "owner_link__team__name",
                output_field=CharField(),
            ),
            active=F("adoption__active"),
            eligible=F("adoption__eligible"),
            seats_used=F("adoption__accounts_active"),
            seats=F("adoption__accounts"),
        )
    )
    told = shown.in_bulk(tools)
    names = {job.pk: job.name for job in jobs}
    bars = team_bars(tools, teams) if teams else {}
    return [
        ListRow(
            tool=tool,
            job=names.get(tool.job, ""),
            owner=tool.owner or "",
            owner_id=tool.owner_id,
            active=tool.active,
            eligible=tool.eligible,
            seats_used=tool.seats_used,
            seats=tool.seats,
            bars=bars.get(tool.pk),
        )
        for tool in (told[pk] for pk in tools if pk in told)
    ]


def tool_on_page(slug: str) -> Tool:
    """Return one tool with what every tab of its page shows: three queries. Raises Tool.DoesNotExist."""
    owners = ToolOwner.objects.select_related("person", "team").order_by("role", "-is_primary", "pk")
    tools: QuerySet[Tool] = (
        Tool.objects.with_capability()  # type: ignore[misc]
        .select_related("vendor", "successor", "capability_link__capability")
        .annotate(
            alias_texts=ArraySubquery(ToolAlias.objects.filter(tool=OuterRef("pk")).order_by("text").values("text")),
            week_rows=ArraySubquery(
                AdoptionWeek.objects.filter(tool=OuterRef("pk"))
                .order_by("week")
                .values(row=JSONObject(week="week", active="active"))
            ),
        )
        .prefetch_related(Prefetch("owners", owners))
    )
    return tools.get(slug=slug)


# ---------------------------------------------------------------- one tool


@dataclass(frozen=True)
class TeamUse:
    """One team's line in the table of adoption."""

    name: str
    url: str
    active: int
    eligible: int
    rate: float
    is_low: bool

    @property
    def width(self) -> int:
        return round(self.rate * 100)

    @property
    def percent(self) -> str:
        return percent(self.rate)


@dataclass(frozen=True)
class Adoption:
    """What is known of a tool's use in a window. `company` None: nothing reads this tool."""

    company: AdoptionRollup | None
    teams: tuple[TeamUse, ...]
    team_count: int  # before `limit`
    small: TeamUse | None  # the teams too small to be shown apart, together
    small_count: int
    weeks: tuple[tuple[date, int | None], ...]
    is_stale: bool

    @property
    def spark(self) -> str:
        """The weeks as a path in a drawing 96 × 32; a week without data lifts the pen."""
        values = [value for _week, value in self.weeks if value is not None]
        top = max(values, default=0) or 1
        step = 96 / max(len(self.weeks) - 1, 1)
        path, pen = [], "M"
        for rank, (_week, value) in enumerate(self.weeks):
            if value is None:
                pen = "M"
                continue
            path.append(f"{pen}{rank * step:.1f} {30 - 28 * value / top:.1f}")
            pen = "L"
        return " ".join(path)


def adoption_of(tool: Tool, *, reader: User, window: int, limit: int | None = None) -> Adoption:
    """Return a tool's use by team, of a tool from `tool_on_page`.

    Small teams are told apart only to Product Ops and to their own lead.
    """
    rows = list(
        AdoptionRollup.objects.filter(tool=tool, window=window, is_current=True)
        .select_related("team")
        .defer("team__created_at", "team__updated_at")
        .order_by(F("team").asc(nulls_first=True), "pk")
    )
    company = next((row for row in rows if row.team is None), None)
    uses, small, url_of = [], [], address_of("people:team_detail")
    for row in rows:
        if row.team is None or row.active is None or not row.eligible:
            continue
        if row.eligible >= SMALLEST_GROUP or reader.is_ops or row.team.lead_id == reader.pk:
            uses.append(_use(row.team.name, url_of(row.team.slug), row.active, row.eligible))
        else:
            small.append(row)
    team_count = len(uses)
    uses = sorted(uses, key=lambda use: (-use.eligible, use.name))[:limit]  # the largest, whatever their rate
    uses.sort(key=lambda use: (-use.rate, -use.eligible, use.name))
    return Adoption(
        company=company,
        teams=tuple(uses),
        team_count=team_count,
        small=_together(small),
        small_count=len(small),
        weeks=_weeks(tool, company),
        is_stale=company is not None and company.as_of < timezone.localdate() - STALE_AFTER,
    )


def _use(name: str, url: str, active: int, eligible: int) -> TeamUse:
    return TeamUse(name, url, active, eligible, active / eligible, active / eligible < LOW)


def _together(rows: list[AdoptionRollup]) -> TeamUse | None:
    """Put the small teams in one line, unless that line would be one team or still too few people."""
    eligible = sum(row.eligible for row in rows)
    if len(rows) < 2 or eligible < SMALLEST_GROUP:
        return None
    return _use(_("Small teams together"), "", sum(row.active or 0 for row in rows), eligible)


def _weeks(tool: Tool, company: AdoptionRollup | None) -> tuple[tuple[date, int | None], ...]:
    """Return the last 26 weeks in order; weeks before the first that was seen are unknown, later gaps are nought."""
    if company is None:
        return ()
    seen = {date.fromisoformat(row["week"]): row["active"] for row in tool.week_rows}  # type: ignore[attr-defined]
    if not seen:
        return ()
    first = min(seen)
    # The running week would look like a fall: it counts once it is over.
    last = company.as_of - timedelta(days=company.as_of.weekday() + (0 if company.as_of.weekday() == 6 else 7))
    weeks = [last - timedelta(weeks=back) for back in range(25, -1, -1)]
    return tuple((week, seen.get(week, 0) if week >= first else None) for week in weeks)


def workspaces_of(tool: Tool) -> list[Workspace]:
    """Return the tenants of a tool with the wires that read them."""
    return list(tool.workspaces.select_related("connection"))


@dataclass(frozen=True)
class Idle:
    """An account nobody used for a while."""

    name: str
    email: str
    person_url: str
    last_seen: date | None


def idle_accounts(tool: Tool, *, window: int, limit: int = 50) -> list[Idle]:
    """Return the accounts that were not used in the window, longest unused first. For those who may see names."""
    since = timezone.localdate() - timedelta(days=window)
    accounts = (
        PersonAccount.objects.filter(connection__workspace__tool=tool, deleted_at=None, is_active=True)
        .exclude(kind="bot")
        .exclude(match=PersonAccount.Match.IGNORED)
        .exclude(Q(last_seen_at__date__gt=since) | Q(pk__in=_seen_since(tool, since)))
        .select_related("person")
        .order_by(F("last_seen_at").asc(nulls_first=True), "pk")[:limit]
    )
    return [
        Idle(
            name=account.name or account.email or account.external_id,
            email=account.email,
            person_url=account.person.get_absolute_url() if account.person else "",
            last_seen=timezone.localtime(account.last_seen_at).date() if account.last_seen_at else None,
        )
        for account in accounts
    ]


def _seen_since(tool: Tool, since: date) -> "QuerySet[PersonAccount, int]":
    return PersonAccount.objects.filter(connection__workspace__tool=tool, days__day__gt=since).values_list(
        "pk", flat=True
    )


# ---------------------------------------------------------------- jobs that tools are for


@dataclass(frozen=True)
class JobLine:
    """One capability on the guide: which tool is the standard, how many others there are."""

    job: Capability
    standards: tuple[Tool, ...]
    others: int

    @property
    def is_gap(self) -> bool:
        """Nothing at all is used for this job."""
        return not self.standards and not self.others

    @property
    def is_double(self) -> bool:
        """More than one tool is the standard, so none is."""
        return len(self.standards) > 1


def guide() -> list[tuple[Capability, list[JobLine]]]:
    """Return every family with its jobs, and for each job the company's standard. Three queries."""
    jobs = list(Capability.objects.select_related("parent").order_by("sort", "name_en", "pk"))
    standards: dict[int, list[Tool]] = {}
    for decision in (
        StandardDecision.objects.current().for_company().filter(ring=Tool.Ring.ADOPT).select_related("tool")
    ):
        if not decision.tool.is_over:
            standards.setdefault(decision.capability_id, []).append(decision.tool)
    counts = dict(
        ToolCapability.objects.filter(tool__in=Tool.objects.in_estate())
        .values_list("capability")
        .annotate(n=Count("tool"))
    )
    families: list[tuple[Capability, list[JobLine]]] = []
    for family in (job for job in jobs if job.parent_id is None):
        lines = [
            JobLine(
                job,
                tuple(sorted(standards.get(job.pk, []), key=lambda tool: tool.name.lower())),
                max(counts.get(job.pk, 0) - len(standards.get(job.pk, [])), 0),
            )
            for job in jobs
            if job.parent_id == family.pk
        ]
        families.append((family, lines))
    return families


@dataclass(frozen=True)
class Candidate:
    """A tool that does the job, with what was decided about it for this job."""

    tool: Tool
    decision: StandardDecision | None
    not_for: str


def candidates(job: Capability) -> list[Candidate]:
    """Return the tools for one job, the standard first, suggestions and history last. Two queries."""
    links = (
        ToolCapability.objects.filter(capability=job)
        .select_related("tool__vendor")
        .order_by("-is_primary", Lower("tool__name"), "pk")
    )
    decisions = {
        decision.tool_id: decision
        for decision in StandardDecision.objects.current()
        .for_company()
        .filter(capability=job)
        .select_related("decided_by")
    }
    found = [Candidate(link.tool, decisions.get(link.tool_id), link.not_for) for link in links]
    order = ["adopt", "trial", "assess", "hold"]
    return sorted(
        found,
        key=lambda row: (
            row.tool.is_over,
            row.tool.is_starter,
            order.index(row.decision.ring) if row.decision else len(order),
        ),
    )


def job_names(slugs: Collection[str]) -> dict[str, str]:
    """Return the names of capabilities by their slug, in the reader's language."""
    return {one.slug: str(one) for one in Capability.objects.filter(slug__in=slugs)}


def tool_names(slugs: Collection[str]) -> dict[str, str]:
    """Return the names of tools by their slug."""
    return dict(Tool.objects.filter(slug__in=slugs).values_list("slug", "name"))
