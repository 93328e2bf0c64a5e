"""Tokens of the push API, and how to use them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import requires
from kpis.actions.tokens import make_token, revoke_token
from kpis.forms import TokenForm
from kpis.models import ApiToken, Metric
from kpis.sync.judging import REASONS

from .sources import address_of_api


@require_safe
@requires("kpis.see_sources")
def push_docs(request: Request) -> HttpResponse:
    """Explain the push API, with calls to copy."""
    metric = Metric.objects.shown().filter(source_kind=Metric.SourceKind.PUSHED).order_by("pk").first()
    context = {
        "api": address_of_api(),
        "key": metric.key if metric else "deals-won",
        "reasons": sorted(REASONS),
        "calls": settings.API_CALLS_PER_MINUTE,
    }
    return render_page(request, "kpis/push_docs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@requires("kpis.manage_tokens")
@sensitive_variables("secret")
def token_create(request: Request) -> HttpResponse:
    """Make a token; the answer to the POST shows it, and no page ever again."""
    form = TokenForm(request.POST or None, initial={"owner": request.user})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        day = given["expires_on"] + timedelta(days=1)  # the whole of the last day counts
        token, secret = make_token(
            name=given["name"],
            owner=given["owner"],
            metrics=given["metrics"],
            tools=given["tools"],
            expires_at=datetime.combine(day, time(), ZoneInfo(settings.COMPANY_TIME_ZONE)),
            by=request.user,
        )
        context = {"token": token, "secret": secret, "api": address_of_api()}
        return render_page(request, "kpis/token_made.html", context, status=200)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "kpis/token_form.html", {"form": form}, status=status)


@require_POST
@requires("kpis.manage_tokens")
def token_revoke(request: Request, pk: int) -> HttpResponse:
    """Revoke a token: the next call with it is refused."""
    token = get_object_or_404(ApiToken, pk=pk)
    if revoke_token(token=token, by=request.user):
        say(request, _("The token “%(token)s” was revoked: its next call is refused.") % {"token": token})
    else:
        say(request, _("This token was revoked already."), level="info")
    return redirect("kpis:source_list")
