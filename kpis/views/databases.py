"""Databases that metrics are read from: allowed or not, which, and by which query."""

from django.db.models import ProtectedError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from connectors.models import OPEN_STATES, Warehouse, WarehousePermit
from connectors.warehouse.kinds import KINDS
from connectors.warehouse.words import explained
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import requires
from kpis.actions import databases
from kpis.forms import QueryForm, WarehouseForm
from kpis.models import Metric, MetricQuery
from kpis.sync.judging import told


@require_POST
@requires("kpis.read_databases")
def permit_switch(request: Request) -> HttpResponse:
    """Allow databases to be read, or forbid it."""
    given = request.POST.get("allow") == "yes"
    databases.permit(is_given=given, by=request.user)
    if given:
        say(request, _("Databases may be read from now on."))
    else:
        say(request, _("No database is read any more; the values stay as they are, with their age."))
    return redirect("kpis:source_list")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("kpis.read_databases")
@sensitive_post_parameters("address")
def warehouse_create(request: Request) -> HttpResponse:
    """Add a database."""
    form = WarehouseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = databases.add_warehouse(by=request.user, **form.cleaned_data)
        say(request, _("“%(database)s” was added. A metric can be read from it now.") % {"database": made})
        return redirect("kpis:source_list")
    context = {"form": form, "kinds": list(KINDS.values())}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/warehouse_form.html", context, status=status)


@require_POST
@requires("kpis.read_databases")
def warehouse_remove(request: Request, pk: int) -> HttpResponse:
    """Forget a database and its address, unless a metric is read from it."""
    warehouse = get_object_or_404(Warehouse, pk=pk)
    try:
        databases.remove_warehouse(warehouse=warehouse, by=request.user)
    except ProtectedError:
        say(request, _("A metric is read from “%(database)s”: it stays.") % {"database": warehouse}, level="error")
    else:
        say(request, _("“%(database)s” was removed, with its address.") % {"database": warehouse})
    return redirect("kpis:source_list")


def metric_to_read(key: str) -> Metric:
    return get_object_or_404(Metric, key=key, source_kind=Metric.SourceKind.SQL)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("kpis.read_databases")
def query_edit(request: Request, key: str) -> HttpResponse:
    """Write the query of a metric; saving it tries it."""
    metric = metric_to_read(key)
    query = MetricQuery.objects.select_related("warehouse", "written_by").filter(metric=metric).first()
    initial = {"warehouse": query.warehouse_id, "text": query.text} if query else {}
    form = QueryForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = databases.save_query(
            metric=metric, warehouse=form.cleaned_data["warehouse"], text=form.cleaned_data["text"], by=request.user
        )
        if WarehousePermit.is_open():
            databases.try_soon(query=saved)
            say(request, _("The query was saved and is being tried."))
        else:
            say(request, _("The query was saved. Reading databases is off, so it was not tried."), level="info")
        return redirect("kpis:query_edit", metric.key)
    trial = query.trial if query else {}
    context = {
        "metric": metric,
        "query": query,
        "form": form,
        "permit": WarehousePermit.is_open(),
        "has_databases": Warehouse.objects.exists(),
        "trial": trial,
        "refusals": [(one["row"], told(one)) for one in trial.get("refusals", ())],
        "is_moving": query is not None and query.trial_state in OPEN_STATES,
        "trial_failed": explained(trial["failure"], trial["code"], trial["word"]) if trial.get("failure") else None,
        "night_failed": explained(query.failure) if query and query.failure else None,
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/query_form.html", context, partials=("query-trial",), status=status)


@require_POST
@requires("kpis.read_databases")
def query_try(request: Request, key: str) -> HttpResponse:
    """Try the query as it stands."""
    query = get_object_or_404(MetricQuery, metric=metric_to_read(key))
    if WarehousePermit.is_open():
        databases.try_soon(query=query)
    else:
        say(request, _("Reading databases is off."), level="error")
    return redirect("kpis:query_edit", key)


@require_POST
@requires("kpis.read_databases")
def query_switch(request: Request, key: str) -> HttpResponse:
    """Have the query read each night, or no more."""
    query = get_object_or_404(MetricQuery, metric=metric_to_read(key))
    wants = request.POST.get("on") == "yes"
    if not databases.switch(query=query, is_active=wants, by=request.user):
        say(request, _("Try the query first: what is read each night was seen once by a person."), level="error")
    elif wants:
        say(request, _("The metric is read each night from now on, first within a minute."))
    else:
        say(request, _("The metric is no longer read; its values stay, with their age."))
    return redirect("kpis:query_edit", key)
