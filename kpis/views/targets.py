"""What is aimed at: set, and taken back."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import require
from kpis import actions, queries
from kpis.forms import TargetForm
from kpis.models import Target

from .scope import address, metric_of, team_of


@require_http_methods(["GET", "HEAD", "POST"])
def target_set(request: Request, key: str) -> HttpResponse:
    """Set what is aimed at, for the company or for `?team=`."""
    metric, team = metric_of(key), team_of(request)
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
        return redirect(address(metric, team))
    aims = metric.targets.filter(team=team).select_related("set_by").order_by("-since", "-pk")[:10]
    context = {
        "form": form,
        "metric": metric,
        "team": team,
        "aims": [(aim, queries.target_text(metric, aim)) for aim in aims],
        "back": address(metric, team),
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
    return redirect(address(target.metric, target.team))
