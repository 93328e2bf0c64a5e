"""Many figures at once: the dictionary, the company's, a team's."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hub.core.http import Request, address_of, render_page
from hub.people.models import Team
from hub.people.permissions import requires
from kpis import queries
from kpis.formulas import Status
from kpis.models import Metric

from .panels import panel
from .reasons import reasons
from .scope import ranges_of, weeks_of

CHARTED = ("cycle-time", "throughput", "wip", "predictability")  # of the team dashboard, two by two


@dataclass(frozen=True)
class Group:
    """The figures of one theme. `off` are off target or at risk, `silent` have no value to show."""

    key: str
    label: str
    rows: list[tuple[queries.Tile, Metric]]

    @property
    def off(self) -> int:
        return sum(tile.status in (Status.OFF_TRACK, Status.AT_RISK) for tile, _metric in self.rows)

    @property
    def told(self) -> list[queries.Tile]:
        return [tile for tile, _metric in self.rows if tile.unit]

    @property
    def silent(self) -> list[queries.Tile]:
        return [tile for tile, _metric in self.rows if not tile.unit]


def grouped(figures: Sequence[queries.Figure]) -> list[Group]:
    """Put figures under their themes, in the order of the themes; those without a value say why."""
    why = reasons(figures)
    told = {key: reason.text for key, reason in why.items()}
    rows = [(queries.tile(figure, told.get(figure.metric.key, "")), figure.metric) for figure in figures]
    groups = [
        Group(theme.value, str(theme.label), [row for row in rows if row[1].theme == theme]) for theme in Metric.Theme
    ]
    return [group for group in groups if group.rows]


@require_safe
@requires("kpis.see_kpis")
def overview(request: Request) -> HttpResponse:
    """List the metrics with their latest value; `?team=` is the scope, `?state=`, `?owner=`, `?q=` narrow it."""
    trackers = queries.trackers()
    slug = request.GET.get("team", "")
    team = Team.objects.filter(slug=slug).first() if slug in dict(trackers.teams) else None
    dashboard = address_of("kpis:team_dashboard")
    found = queries.figures(Metric.objects.shown(), team=team)
    owners = sorted({(f.metric.owner.pk, f.metric.owner.name) for f in found if f.metric.owner}, key=lambda o: o[1])
    state, owner = request.GET.get("state", ""), request.GET.get("owner", "")
    words = " ".join(request.GET.get("q", "").split())[:60].casefold()
    shown = [
        figure
        for figure in found
        if (not state or figure.status == state)
        and (not owner or str(figure.metric.owner_id or "none") == owner)
        and (not words or words in f"{figure.metric} {figure.metric.localized('summary')}".casefold())
    ]
    context = {
        "groups": grouped(shown),
        "shown": len(shown),
        "total": len(found),
        "team_choices": trackers.teams,
        "dashboards": [(dashboard(slug), name) for slug, name in trackers.teams],
        "team": team,
        "owners": owners,
        "owner": owner,
        "state": state,
        "states": [(status.value, queries.state_text(status)) for status in Status],
        "words": request.GET.get("q", ""),
        "chips": _chips(request, state, owner, words, dict(owners)),
        "zoneless": trackers.without_zone(team),
        "read_at": max((figure.metric.read_at for figure in found if figure.metric.read_at), default=None),
    }
    return render_page(request, "kpis/overview.html", context, partials=("metric-rows",))


@require_safe
@requires("kpis.see_leadership")
def leadership(request: Request) -> HttpResponse:
    """Show at most nine figures of the company, those off target first."""
    tiles = queries.leadership_tiles(request.user)
    off = sum(tile.status in (Status.OFF_TRACK, Status.AT_RISK) for tile in tiles)
    has_aims = any(tile.target_value is not None for tile in tiles)
    context = {"tiles": tiles, "off": off, "has_aims": has_aims, "read_at": queries.newest_read()}
    return render_page(request, "kpis/leadership.html", context)


@require_safe
@requires("kpis.see_kpis")
def team_dashboard(request: Request, slug: str) -> HttpResponse:
    """Show a team's figures and how they moved; `?weeks=` is 13, 26 or 52."""
    team = get_object_or_404(Team.objects.select_related("lead"), slug=slug)
    weeks = weeks_of(request)
    found = queries.figures(Metric.objects.shown(), team=team, weeks=weeks, charted=CHARTED)
    by_key = {figure.metric.key: figure for figure in found}
    drawn = [by_key[key] for key in CHARTED if key in by_key and any(p.n is not None for p in by_key[key].points)]
    context = {
        "team": team,
        "groups": grouped(found),
        "has_values": any(figure.latest for figure in found),
        "panels": [panel(figure, width=600) for figure in drawn],
        "zoneless": queries.trackers(team).without_zone(team),
        "weeks": weeks,
        "ranges": ranges_of(request),
        "read_at": max((figure.metric.read_at for figure in found if figure.metric.read_at), default=None),
    }
    return render_page(request, "kpis/team_dashboard.html", context)


def _chips(request: Request, state: str, owner: str, words: str, owners: dict[int, str]) -> list[tuple[str, str, str]]:
    """Return each filter in force: its name, its value in words, and the address without it."""
    states = {status.value: queries.state_text(status) for status in Status}
    name = next((name for pk, name in owners.items() if str(pk) == owner), _("Nobody yet"))
    found = []
    for key, label, value in (
        ("q", _("Name"), words and request.GET.get("q", "").strip()),
        ("state", _("State"), state and states.get(state, state)),
        ("owner", _("Owner"), owner and name),
    ):
        if value:
            query = request.GET.copy()
            query.pop(key, None)
            found.append((label, value, f"?{query.urlencode()}"))
    return found
