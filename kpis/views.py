"""Pages of the numbers."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.csv import csv_answer
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.core.templatetags.ui import number, percent
from hub.people.models import Team
from hub.people.permissions import require, requires

from . import actions, charts, queries
from .forms import CommentForm, MetricForm, TargetForm
from .formulas import Status
from .models import Metric, Target
from .queries import Figure, Point

CHARTED = ("cycle-time", "throughput", "wip", "predictability")  # of the team dashboard, two by two


@dataclass(frozen=True)
class Row:
    """One week in a chart's table."""

    week: str
    value: str
    n: str
    coverage: str


@dataclass(frozen=True)
class Panel:
    """A chart with all that stands around it (`components/chart.html`)."""

    title: str
    says: str
    label: str
    no_data: str
    foot: str
    csv: str
    chart: charts.Chart
    rows: tuple[Row, ...]


@require_safe
@requires("kpis.see_kpis")
def overview(request: Request) -> HttpResponse:
    """List the metrics with their latest value; `?team=` is the scope, `?state=`, `?owner=`, `?q=` narrow it."""
    trackers = queries.trackers()
    teams = trackers.teams
    team = next((team for team in teams if team.slug == request.GET.get("team")), None)
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
        "rows": [(queries.tile(figure), figure.metric) for figure in shown],
        "total": len(found),
        "teams": teams,
        "team_choices": [(one.slug, one.name) for one in teams],
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
    weeks = _weeks(request)
    found = queries.figures(Metric.objects.shown(), team=team, weeks=weeks)
    by_key = {figure.metric.key: figure for figure in found}
    drawn = [by_key[key] for key in CHARTED if key in by_key and any(p.n is not None for p in by_key[key].points)]
    context = {
        "team": team,
        "tiles": [queries.tile(figure) for figure in found],
        "has_values": any(figure.latest for figure in found),
        "panels": [panel(figure, width=600) for figure in drawn],
        "zoneless": queries.trackers(team).without_zone(team),
        "weeks": weeks,
        "ranges": _ranges(request),
        "read_at": max((figure.metric.read_at for figure in found if figure.metric.read_at), default=None),
    }
    return render_page(request, "kpis/team_dashboard.html", context)


@require_safe
@requires("kpis.see_kpis")
def metric_detail(request: Request, key: str) -> HttpResponse:
    """Show a metric's passport: value, chart, contract, past; `?team=` is the scope, `?weeks=` the span."""
    return _passport(request, _metric(key), CommentForm())


def _passport(request: Request, metric: Metric, form: CommentForm, status: int = 200) -> HttpResponse:
    weeks, trackers = _weeks(request), queries.trackers()
    slug = request.GET.get("team", "")
    team = next((one for one in trackers.teams if one.slug == slug), None) or _team(request)
    figure = queries.figures([metric], team=team, weeks=max(weeks, 52) + 1)[0]
    past = queries.redefinitions(metric)
    shown = Figure(figure.metric, team, figure.points[-weeks:], figure.latest, figure.target, figure.status)
    marks = [
        charts.Mark(
            timezone.localtime(change.at).date(),
            _("Definition changed, %(day)s") % {"day": queries.short_day(change.at)},
            queries.short_day(change.at),
        )
        for change in reversed(past)
    ]  # fmt: skip
    comments = metric.comments.filter(team=team).select_related("author").order_by("-written_at", "-pk")[:20]
    context = {
        "metric": figure.metric,
        "team": team,
        "team_choices": [(one.slug, one.name) for one in trackers.teams],
        "zoneless": trackers.without_zone(team) if metric.unit != Metric.Unit.SEATS else [],
        "tile": queries.tile(figure),
        "facts": _facts(figure),
        "panel": panel(shown, marks=marks),
        "pitfalls": [line for line in metric.localized("pitfalls").splitlines() if line.strip()],
        "past": past,
        "restatements": queries.restatements(metric, team),
        "comments": comments,
        "form": form,
        "weeks": weeks,
        "ranges": _ranges(request),
        "may_edit": request.user.has_perm("kpis.edit_metric", metric),
        "has_value": bool(figure.latest and figure.latest.value is not None),
        "may_see_syncs": request.user.has_perm("connectors.see_syncs"),
        "scope_query": f"?{urlencode({'team': team.slug})}" if team else "",
    }
    return render_page(request, "kpis/metric_detail.html", context, status=status)


@require_safe
@requires("kpis.see_kpis")
def metric_csv(request: Request, key: str) -> HttpResponse:
    """Answer a metric's weeks as CSV, in one scope; small groups are left empty as on the page."""
    metric, team = _metric(key), _team(request)
    figure = queries.figures([metric], team=team, weeks=_weeks(request))[0]
    header = ("metric", "scope", "week", "value", "unit", "n", "coverage", "numerator", "denominator", "read_at")
    scope, unit = team.slug if team else "company", "share" if metric.unit == Metric.Unit.PERCENT else metric.unit
    rows = (
        (
            metric.key, scope, point.week, point.value, unit, None if point.is_too_few else point.n, point.coverage,
            point.num, point.den, point.read_at,
        )
        for point in figure.points
    )  # fmt: skip
    return csv_answer(f"{metric.key}-{scope}.csv", header, rows)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def metric_edit(request: Request, key: str) -> HttpResponse:
    """Change a metric's contract; a second editor sees both texts and loses nothing."""
    rows = Metric.objects.select_for_update(of=("self",)) if request.method == "POST" else Metric.objects.all()
    metric = get_object_or_404(rows.select_related("owner"), key=key)
    require(request.user, "kpis.edit_metric", metric)
    before = Metric.objects.select_related("owner").get(pk=metric.pk)
    form = MetricForm(request.POST or None, instance=metric)
    if request.method == "POST" and form.is_valid():
        event = actions.edit_metric(metric=metric, before=before, by=request.user, why=form.cleaned_data["why"])
        if event is None:
            say(request, _("Nothing was changed."), level="info")
        else:
            say(request, _("“%(metric)s” was changed.") % {"metric": metric})
        return redirect(metric)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/metric_form.html", {"form": form, "metric": before}, status=status)


@require_POST
def metric_verify(request: Request, key: str) -> HttpResponse:
    """Note that the definition still holds."""
    metric = _metric(key)
    require(request.user, "kpis.edit_metric", metric)
    actions.verify(metric=metric, by=request.user)
    say(request, _("“%(metric)s” was verified.") % {"metric": metric})
    return redirect(metric)


@require_http_methods(["GET", "HEAD", "POST"])
def target_set(request: Request, key: str) -> HttpResponse:
    """Set what is aimed at, for the company or for `?team=`."""
    metric, team = _metric(key), _team(request)
    require(request.user, "kpis.edit_metric", metric)
    form = TargetForm(request.POST or None, metric=metric)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made = actions.set_target(
            metric=metric, team=team, value=given["value"], upper=given.get("upper"), since=given["since"],
            by=request.user, why=given["why"],
        )  # fmt: skip
        text = _("“%(metric)s” aims at %(target)s from %(day)s on.") % {
            "metric": metric,
            "target": queries.target_text(metric, made),
            "day": date_format(made.since, "DATE_FORMAT"),
        }
        say(request, text, undo=reverse("kpis:target_withdraw", args=[metric.key, made.pk]))
        return redirect(_address(metric, team))
    aims = metric.targets.filter(team=team).select_related("set_by").order_by("-since", "-pk")[:10]
    context = {
        "form": form,
        "metric": metric,
        "team": team,
        "aims": [(aim, queries.target_text(metric, aim)) for aim in aims],
        "back": _address(metric, team),
    }
    return render_page(request, "kpis/target_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def target_withdraw(request: Request, key: str, pk: int) -> HttpResponse:
    """Take a target back."""
    target = get_object_or_404(Target.objects.select_related("metric", "team"), pk=pk, metric__key=key)
    require(request.user, "kpis.edit_metric", target.metric)
    if actions.withdraw_target(target=target, by=request.user):
        say(request, _("The target was withdrawn; the one before it counts again."))
    else:
        say(request, _("This target was withdrawn already."), level="info")
    return redirect(_address(target.metric, target.team))


@require_POST
@requires("kpis.see_kpis")
def comment_add(request: Request, key: str) -> HttpResponse:
    """Keep a comment on a number, in the scope of `?team=`."""
    metric, team = _metric(key), _team(request)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _passport(request, metric, form, status=422)
    actions.comment(
        metric=metric, team=team, by=request.user, text=form.cleaned_data["text"], key=form.cleaned_data["key"]
    )
    say(request, _("Your comment was added."))
    return redirect(_address(metric, team) + "#comments")


# ---------------------------------------------------------------- parts of pages


def _metric(key: str) -> Metric:
    return get_object_or_404(Metric.objects.select_related("owner"), key=key)


def _team(request: Request) -> Team | None:
    """Return the team that `?team=` names; an unknown one is 404."""
    slug = request.GET.get("team", "")
    return get_object_or_404(Team, slug=slug) if slug else None


def _address(metric: Metric, team: Team | None) -> str:
    return metric.get_absolute_url() + (f"?{urlencode({'team': team.slug})}" if team else "")


def _weeks(request: Request) -> int:
    asked = request.GET.get("weeks", "")
    return int(asked) if asked in {str(weeks) for weeks in queries.RANGES} else 26


def _ranges(request: Request) -> list[tuple[int, str, str]]:
    """Return the spans to choose from: weeks, in words, and the address with the rest of the query kept."""
    found = []
    for weeks in queries.RANGES:
        query = request.GET.copy()
        query["weeks"] = str(weeks)
        words = _("A year") if weeks == 52 else ngettext("%(count)s week", "%(count)s weeks", weeks) % {"count": weeks}
        found.append((weeks, words, f"?{query.urlencode()}"))
    return found


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


def _facts(figure: Figure) -> list[tuple[str, str]]:
    """Return what stands under the value: target, gap, changes, cases, coverage."""
    metric, latest, facts = figure.metric, figure.latest, []
    if latest is None or latest.value is None:
        return [(_("Target"), queries.target_text(metric, figure.target))] if figure.target else []
    if figure.target:
        facts.append((_("Target"), queries.target_text(metric, figure.target)))
        edge = figure.target.value
        if figure.target.upper is not None and latest.value > figure.target.upper:
            edge = figure.target.upper
        inside = figure.target.upper is not None and figure.target.value <= latest.value <= figure.target.upper
        if not inside:
            facts.append((_("Gap to target"), queries.difference(metric, latest.value - edge)))
    for words, back in ((_("In 4 weeks"), 4), (_("In a year"), 52)):
        day = latest.week - timedelta(weeks=back)
        then = next((p for p in figure.points if p.week == day and p.value is not None), None)
        if then is not None and then.value is not None:
            facts.append((words, queries.difference(metric, latest.value - then.value)))
    facts.append((_("Cases behind it"), number(latest.n)))
    if latest.coverage is not None:
        facts.append((_("Coverage"), percent(latest.coverage)))
    if latest.spread is not None:
        facts.append((_("Standard deviation"), queries.difference(metric, latest.spread, signed=False)))
    return facts


def panel(figure: Figure, *, marks: list[charts.Mark] | None = None, width: int = 860) -> Panel:
    """Draw a figure's weeks, and say in a sentence what there is to see."""
    metric, points = figure.metric, figure.points
    as_bars = metric.kind == Metric.Kind.COUNT
    said = [(point, date_format(point.week, "DATE_FORMAT"), _shown(metric, point)) for point in points]
    readings = [
        charts.Reading(point.week, point.value, _words(metric, point, day, value)) for point, day, value in said
    ]
    places = metric.decimals if metric.unit != Metric.Unit.PERCENT else 0
    known = [point for point in points if point.value is not None]
    last = queries.full(metric, known[-1].value) if known else ""
    drawing = charts.chart(
        readings,
        figure=lambda value: _tick(metric, value, places),
        month=lambda day: date_format(day, "N"),
        no_data=_("no data"),
        lines=_lines(figure),
        marks=marks or [],
        as_bars=as_bars,
        connects=queries.is_of_cycles(metric),
        last=last,
        width=width,
    )
    start, end = points[0].week, points[-1].week + timedelta(days=6)
    query = {"weeks": len(points)} | ({"team": figure.team.slug} if figure.team else {})
    foot = _("By week, to %(day)s.") % {"day": queries.short_day(end)}
    if drawing.starts_at is not None:
        start_text = _tick(metric, drawing.starts_at, places) + queries.unit(metric, drawing.starts_at)
        foot += " " + _("The axis starts at %(figure)s.") % {"figure": start_text}
    label = _("%(metric)s by week, %(start)s to %(end)s.") % {
        "metric": metric, "start": date_format(start, "DATE_FORMAT"), "end": date_format(end, "DATE_FORMAT"),
    }  # fmt: skip
    return Panel(
        title=str(metric),
        says=sentence(figure),
        label=f"{label} {sentence(figure)}",
        no_data=_("no data"),
        foot=foot,
        csv=reverse("kpis:metric_csv", args=[metric.key]) + f"?{urlencode(query)}",
        chart=drawing,
        rows=tuple(
            Row(
                day,
                value,
                "" if point.n is None or point.is_too_few else number(point.n),
                "" if point.coverage is None else percent(point.coverage),
            )
            for point, day, value in reversed(said)
        ),
    )


def _shown(metric: Metric, point: Point) -> str:
    """Write a week's value; where only a cycle's end brings one, say that none ended."""
    if point.is_too_few:
        return _("too few")
    if point.value is None and queries.is_of_cycles(metric):
        return _("no cycle ended")
    return queries.full(metric, point.value)


def _tick(metric: Metric, value: float, places: int) -> str:
    """Write a figure of the axis: as short as it can be without a lie."""
    shown = value * 100 if metric.unit == Metric.Unit.PERCENT else value
    return number(shown, 0 if abs(shown - round(shown)) < 1e-9 else max(1, places))


def _lines(figure: Figure) -> list[charts.Line]:
    """Return the target's line, or both edges of its band."""
    metric, target = figure.metric, figure.target
    if target is None:
        return []
    if target.upper is None:
        text = queries.target_text(metric, target)
        return [charts.Line(target.value, _("Target %(target)s") % {"target": text}, text)]
    low = queries.aim(metric, target.value) + queries.unit(metric, target.value)
    high = queries.aim(metric, target.upper) + queries.unit(metric, target.upper)
    return [
        charts.Line(target.value, _("From %(target)s") % {"target": low}, low),
        charts.Line(target.upper, _("To %(target)s") % {"target": high}, high),
    ]


def _words(metric: Metric, point: Point, day: str, value: str) -> str:
    """Say one week aloud; `day` and `value` are its first day and its value as the table writes them."""
    if point.is_too_few:
        return _("Week of %(day)s: too few cases to show") % {"day": day}
    if point.value is None and queries.is_of_cycles(metric):
        return _("Week of %(day)s: no cycle ended") % {"day": day}
    if point.value is None:
        return _("Week of %(day)s: not measured") % {"day": day}
    text = _("Week of %(day)s: %(value)s") % {"day": day, "value": value}
    if point.n and metric.kind != Metric.Kind.COUNT:
        text += ngettext(", from %(n)s case", ", from %(n)s cases", point.n) % {"n": number(point.n)}
    return text


def sentence(figure: Figure) -> str:
    """Say what the chart shows: the latest value, how it stands to its target, and a run of weeks in one direction."""
    metric, latest = figure.metric, figure.latest
    if latest is None or latest.value is None:
        return queries.missing_text(figure)
    values = {"value": queries.full(metric, latest.value), "day": date_format(latest.week, "DATE_FORMAT")}
    said = _("%(value)s in the week of %(day)s.") % values
    target = figure.target
    if target is not None:
        edge = target.value if target.upper is None or latest.value < target.value else target.upper
        gap = latest.value - edge
        values |= {
            "gap": queries.difference(metric, abs(gap), signed=False),
            "target": queries.target_text(metric, target),
        }
        inside = target.upper is not None and target.value <= latest.value <= target.upper
        if inside:
            said = _("%(value)s in the week of %(day)s, inside its band of %(target)s.") % values
        elif gap > 0:
            said = _("%(value)s in the week of %(day)s, %(gap)s above its target of %(target)s.") % values
        elif gap < 0:
            said = _("%(value)s in the week of %(day)s, %(gap)s under its target of %(target)s.") % values
        else:
            said = _("%(value)s in the week of %(day)s, right on its target.") % values
    until = [point.value for point in figure.points if point.week <= latest.week]
    of_cycles = queries.is_of_cycles(metric)
    run = _run([value for value in until if value is not None] if of_cycles else until)
    if of_cycles and abs(run) >= 3:
        said += " " + (
            ngettext("It rose %(count)s cycle in a row.", "It rose %(count)s cycles in a row.", run)
            if run > 0
            else ngettext("It fell %(count)s cycle in a row.", "It fell %(count)s cycles in a row.", -run)
        ) % {"count": abs(run)}
    elif run >= 3:
        said += " " + ngettext("It rose %(count)s week in a row.", "It rose %(count)s weeks in a row.", run) % {
            "count": run
        }
    elif run <= -3:
        said += " " + ngettext("It fell %(count)s week in a row.", "It fell %(count)s weeks in a row.", -run) % {
            "count": -run
        }
    return said


def _run(values: list[float | None]) -> int:
    """Return for how many steps the values rose (positive) or fell (negative) up to the last."""
    run = 0
    for later, earlier in zip(reversed(values), list(reversed(values))[1:], strict=False):
        if later is None or earlier is None or later == earlier:
            break
        step = 1 if later > earlier else -1
        if run and (run > 0) != (step > 0):
            break
        run += step
    return run
