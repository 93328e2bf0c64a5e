"""One metric: its passport, its contract, what people say about it."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.csv import csv_answer
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.core.templatetags.ui import number, percent, short_day
from hub.people.permissions import require, requires
from kpis import actions, charts, queries
from kpis.forms import CommentForm, MetricForm
from kpis.models import Metric, MetricQuery
from kpis.parameters import said
from kpis.queries import Figure
from kpis.tasks import after_choice

from .lists import lists
from .panels import panel
from .reasons import reasons
from .scope import address, metric_of, ranges_of, team_of, weeks_of


@require_safe
@requires("kpis.see_kpis")
def metric_detail(request: Request, key: str) -> HttpResponse:
    """Show a metric's passport: value, chart, contract, past; `?team=` is the scope, `?weeks=` the span."""
    return _passport(request, metric_of(key), CommentForm())


def _passport(request: Request, metric: Metric, form: CommentForm, status: int = 200) -> HttpResponse:
    weeks, trackers = weeks_of(request), queries.trackers()
    team = team_of(request)
    figure = queries.figures([metric], team=team, weeks=max(weeks, 52) + 1)[0]
    past = queries.redefinitions(metric)
    shown = Figure(figure.metric, team, figure.points[-weeks:], figure.latest, figure.target, figure.status)
    marks = [
        charts.Mark(
            timezone.localtime(change.at).date(),
            _("Definition changed, %(day)s") % {"day": short_day(change.at)},
            short_day(change.at),
        )
        for change in reversed(past)
    ]  # fmt: skip
    comments = metric.comments.filter(team=team).select_related("author").order_by("-written_at", "-pk")[:20]
    reason = reasons([figure]).get(metric.key)
    context = {
        "metric": figure.metric,
        "team": team,
        "team_choices": trackers.teams,
        "zoneless": trackers.without_zone(team) if metric.unit != Metric.Unit.SEATS else [],
        "tile": queries.tile(figure),
        "reason": reason,
        "may_mend": bool(reason and reason.url and request.user.has_perm(reason.right, metric)),
        "facts": _facts(figure),
        "parameters": said(metric.settings),
        "panel": panel(shown, marks=marks),
        "lists": lists(metric.key, team),
        "pitfalls": [line for line in metric.localized("pitfalls").splitlines() if line.strip()],
        "past": past,
        "restatements": queries.restatements(metric, team),
        "withdrawn": MetricQuery.withdrawn_from(metric, team),
        "comments": comments,
        "form": form,
        "weeks": weeks,
        "ranges": ranges_of(request),
        "may_edit": request.user.has_perm("kpis.edit_metric", metric),
        "has_weeks": any(point.n is not None for point in shown.points),
        "has_value": bool(figure.latest and figure.latest.value is not None),
        "may_see_syncs": request.user.has_perm("connectors.see_syncs"),
        "scope_query": f"?{urlencode({'team': team.slug})}" if team else "",
    }
    return render_page(request, "kpis/metric_detail.html", context, status=status)


@require_safe
@requires("kpis.see_kpis")
def metric_csv(request: Request, key: str) -> HttpResponse:
    """Answer a metric's weeks as CSV, in one scope; small groups are left empty as on the page."""
    metric, team = metric_of(key), team_of(request)
    figure = queries.figures([metric], team=team, weeks=weeks_of(request))[0]
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
        elif "settings" in event.changes and after_choice(metric):
            say(request, _("“%(metric)s” was changed. Its values are being computed anew.") % {"metric": metric})
        else:
            say(request, _("“%(metric)s” was changed.") % {"metric": metric})
        return redirect(metric)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/metric_form.html", {"form": form, "metric": before}, status=status)


@require_POST
def metric_verify(request: Request, key: str) -> HttpResponse:
    """Note that the definition still holds."""
    metric = metric_of(key)
    require(request.user, "kpis.edit_metric", metric)
    actions.verify(metric=metric, by=request.user)
    say(request, _("“%(metric)s” was verified.") % {"metric": metric})
    return redirect(metric)


@require_POST
@requires("kpis.see_kpis")
def comment_add(request: Request, key: str) -> HttpResponse:
    """Keep a comment on a number, in the scope of `?team=`."""
    metric, team = metric_of(key), team_of(request)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _passport(request, metric, form, status=422)
    actions.comment(
        metric=metric, team=team, by=request.user, text=form.cleaned_data["text"], key=form.cleaned_data["key"]
    )
    say(request, _("Your comment was added."))
    return redirect(address(metric, team) + "#comments")


@require_POST
@requires("kpis.see_kpis")
def comment_remove(request: Request, key: str, pk: int) -> HttpResponse:
    """Take back a comment of one's own; Product Ops may take back any. To others it is not found here."""
    metric = metric_of(key)
    comments = metric.comments.select_related("team", "metric")
    if not request.user.has_perm("kpis.take_back_comments"):
        comments = comments.filter(author=request.user)
    comment = get_object_or_404(comments, pk=pk)
    actions.take_back_comment(comment=comment, by=request.user)
    say(request, _("The comment was taken back."))
    return redirect(address(metric, comment.team) + "#comments")


def _facts(figure: Figure) -> list[tuple[str, str]]:
    """Return what stands under the value: target, gap, changes, cases, coverage."""
    metric, latest, facts = figure.metric, figure.latest, []
    if latest is None or latest.value is None:
        return [(_("Target"), queries.aim_text(metric, figure.target))] if figure.target else []
    if figure.target:
        facts.append((_("Target"), queries.aim_text(metric, figure.target)))
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
