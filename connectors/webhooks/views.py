"""Taking deliveries in, for the whole internet; and the section of the connection's page, for the technical admin."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from connectors import registry
from connectors.base import Hook, SecretFrom
from connectors.models import Connection, Webhook, WebhookCount
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import requires

from . import actions, intake
from .ceiling import COUNTED_PER_MINUTE, PER_MINUTE, ceiling
from .forms import SecretForm

LONGEST_PROBE = 500
NOWHERE = ""  # the ceiling's key of all addresses that don't exist
SAYS = {200: "Taken.", 400: "Not taken.", 401: "Not verified.", 404: "Not found.", 413: "Too large.", 429: "Too many."}
What = WebhookCount.What


class TooLarge(Exception):
    """A delivery of more than a megabyte: no tool sends one."""


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt  # no person and no session: what a delivery is worth is told by its signature
@login_not_required
@never_cache
def receive(request: HttpRequest, service: str, address: str) -> HttpResponse:
    """Take one delivery in, or send back what a probe asks for. Nothing is read again here."""
    if request.method != "POST":
        return probe(request, service, address)
    if ceiling.is_above(address, PER_MINUTE):
        return answer(429)
    webhook = intake.found(service, address)
    if webhook is None:
        if not ceiling.is_above(NOWHERE, COUNTED_PER_MINUTE):
            intake.refuse(404, What.UNKNOWN, None, times=1 + ceiling.take(NOWHERE, COUNTED_PER_MINUTE))
        return answer(404)
    if turned_away := ceiling.take(address, PER_MINUTE):
        intake.count(What.TOO_MANY, webhook, times=turned_away)
    try:
        raw_body = body_of(request)
    except UnreadablePostError:  # whoever sent it went away
        return answer(400)
    except TooLarge:
        return answer(intake.refuse(413, What.TOO_LARGE, webhook).status)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return answer(intake.take(webhook, headers, raw_body).status)


def body_of(request: HttpRequest) -> bytes:
    """Return the body as it came. Raises TooLarge without reading what is said to be, or turns out to be, too much."""
    said = str(request.META.get("CONTENT_LENGTH") or "")
    if said.isdecimal() and (len(said) > 9 or int(said) > intake.LARGEST):
        raise TooLarge
    raw_body = request.read(intake.LARGEST + 1)
    if len(raw_body) > intake.LARGEST:
        raise TooLarge
    return raw_body


def probe(request: HttpRequest, service: str, address: str) -> HttpResponse:
    """Send back the value with which a service tests an address; there is nothing else to read here."""
    if not request.GET:
        return HttpResponseNotAllowed(["POST"])
    webhook = intake.found(service, address)
    made = registry.announcing(service) if webhook is not None and webhook.is_on else None
    value = request.GET.get(made.hook.probe, "") if made is not None and made.hook.probe else ""
    if not value or len(value) > LONGEST_PROBE:
        return answer(404)
    return HttpResponse(value, content_type="text/plain; charset=utf-8")


def answer(status: int) -> HttpResponse:
    """Answer in one shape, so that an address that was turned off looks like one that never was."""
    made = HttpResponse(f"{SAYS[status]}\n", status=status, content_type="text/plain; charset=utf-8")
    if status == 429:
        made["Retry-After"] = "60"
    return made


@require_POST
@requires("connectors.edit_connection")
def switch(request: Request, pk: int, on: int) -> HttpResponse:
    """Open a connection's endpoint, or close it."""
    connection, hook = listening(pk)
    if on:
        actions.turn_on(connection=connection, hook=hook, by=request.user)
        text = _("%(name)s may announce its changes now; the steps below tell what is left to do.")
    else:
        actions.turn_off(webhook=endpoint(connection), by=request.user)
        text = _("Webhooks of %(name)s are off; it is read at night, as before.")
    undo = reverse("webhooks:switch", args=[pk, 0 if on else 1])
    say(request, text % {"name": connection.label}, undo=undo)
    return back(connection)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("connectors.edit_connection")
def secret_edit(request: Request, pk: int) -> HttpResponse:
    """Enter the secret that the tool made."""
    connection, hook = listening(pk)
    webhook = endpoint(connection)
    if hook.secret_from != SecretFrom.PASTED:
        raise Http404
    form = SecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.enter_secret(webhook=webhook, secret=form.cleaned_data["secret"], by=request.user)
        say(request, _("The signing secret of %(name)s was saved.") % {"name": connection.label})
        return back(connection)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "connection": connection}
    return render_page(request, "connectors/webhook_secret.html", context, status=status)


@require_POST
@requires("connectors.edit_connection")
def secret_renew(request: Request, pk: int) -> HttpResponse:
    """Make another value to send, or let the tool tell another token."""
    connection, hook = listening(pk)
    webhook = endpoint(connection)
    if hook.secret_from == SecretFrom.PASTED:
        raise Http404
    actions.renew_secret(webhook=webhook, hook=hook, by=request.user)
    if hook.secret_from == SecretFrom.GENERATED:
        say(request, _("There is a new value; what is sent with the old one is refused."))
    else:
        say(request, _("The token is forgotten; create the subscription again, and a new one appears here."))
    return back(connection)


@require_POST
@requires("connectors.edit_connection")
def move(request: Request, pk: int) -> HttpResponse:
    """Give the endpoint another address."""
    connection, _hook = listening(pk)
    actions.move(webhook=endpoint(connection), by=request.user)
    say(request, _("There is a new address; nothing listens at the old one any more."))
    return back(connection)


def listening(pk: int) -> tuple[Connection, Hook]:
    """Return a connection whose service can announce changes, and how; 404 for any other."""
    connection = get_object_or_404(Connection, pk=pk)
    made = registry.announcing(connection.service)
    if made is None:
        raise Http404
    return connection, made.hook


def endpoint(connection: Connection) -> Webhook:
    return get_object_or_404(Webhook.objects.select_related("connection"), connection=connection)


def back(connection: Connection) -> HttpResponse:
    return redirect(f"{connection.get_absolute_url()}#webhooks")
