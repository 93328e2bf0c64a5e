"""Where values come from that the hub does not compute: tokens, databases, and what arrived lately."""

from django.conf import settings
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from connectors.models import Warehouse, WarehousePermit
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import requires
from kpis.actions.metrics import create_metric
from kpis.forms import NewMetricForm
from kpis.models import ApiToken, Delivery, Metric
from kpis.sync.judging import told

DELIVERIES_SHOWN = 20


@require_safe
@requires("kpis.see_sources")
def source_list(request: Request) -> HttpResponse:
    """List the metrics that come from outside, the tokens that write them, and what arrived."""
    tokens = (
        ApiToken.objects.select_related("owner").prefetch_related("metrics", "tools").order_by("-created_at", "-pk")
    )
    arrived = Delivery.objects.select_related("by").order_by("-recorded_at", "-pk")[:DELIVERIES_SHOWN]
    context = {
        "permit": WarehousePermit.now(),
        "warehouses": Warehouse.objects.annotate(reads=Count("queries")).order_by("label", "pk"),
        "may_read_databases": request.user.has_perm("kpis.read_databases"),
        "metrics": Metric.objects.shown().exclude(source_kind=Metric.SourceKind.COMPUTED).order_by("name", "pk"),
        "tokens": tokens.order_by("-created_at", "-pk")[:100],
        "deliveries": [(one, [(row["index"], told(row)) for row in one.refusals]) for one in arrived],
        "may_create": request.user.has_perm("kpis.create_metric"),
        "may_manage": request.user.has_perm("kpis.manage_tokens"),
    }
    return render_page(request, "kpis/source_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("kpis.create_metric")
def metric_create(request: Request) -> HttpResponse:
    """Define a metric whose values come from outside."""
    form = NewMetricForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        metric = create_metric(metric=form.save(commit=False), by=request.user)
        say(request, _("“%(metric)s” was defined; it waits for its first value.") % {"metric": metric})
        return redirect(metric)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/metric_create.html", {"form": form}, status=status)


def address_of_api() -> str:
    return f"{settings.BASE_URL.rstrip('/')}/api/v1"
