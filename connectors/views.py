"""Where the hub's data comes from, and how it is doing."""

import json
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.http import Request, paginate, render_page
from hub.core.messages import say
from hub.jobs.models import Job
from hub.people.models import User
from hub.people.permissions import requires

from . import actions, queries, registry
from .base import Mode, Stream
from .forms import BackFillForm, ConnectionForm
from .models import Connection, RefusedRecord, StreamRun
from .templatetags.moments import when
from .webhooks.queries import panel

ADMINS_SHOWN = 3
MOST_SHOWN = 100_000  # characters of a record; more helps nobody and is slow to draw


@require_safe
@requires("connectors.see_syncs")
def sync_list(request: Request) -> HttpResponse:
    """Show each connection with its streams; what is under way keeps itself up to date."""
    sources = queries.sources()
    rows = [row for source in sources for row in source.rows]
    context = {
        "sources": sources,
        "is_moving": any(source.is_moving for source in sources),
        "needy": sum(source.needs_somebody for source in sources),
        "fresh": sum(not row.is_stale for row in rows),
        "total": len(rows),
        "next_night": queries.next_night(),
        "may_run": request.user.has_perm("connectors.run_sync"),
        "may_edit": request.user.has_perm("connectors.edit_connection"),
        "admins": technical_admins(),
        "poll": reverse("connectors:sync_list"),
    }
    return render_page(request, "connectors/sync_list.html", context, partials=("sync-sources",))


@require_safe
@requires("connectors.see_syncs")
def connection_detail(request: Request, pk: int) -> HttpResponse:
    """Show one connection: its streams, what was set aside, and its last runs; `?runs=each` lists the short, too."""
    source = next(iter(queries.sources(pk)), None)
    if source is None:
        raise Http404
    service = queries.service_of(source.connection)
    labels = {row.stream.name: row.stream.label for row in source.rows}
    runs = queries.latest_runs(source.connection, with_short=wants_each(request))
    may_edit = request.user.has_perm("connectors.edit_connection")
    latest = StreamRun.objects.filter(run__in=[run.pk for run in runs[:5]]).exclude(notices=[], detail="")
    context = {
        "source": source,
        "connection": source.connection,
        "sources": [source],
        "is_moving": source.is_moving,
        "runs": runs,
        "announced": queries.announced_of(source.connection),
        "lists_each": wants_each(request),
        "told": [(labels.get(one.stream, one.stream), one) for one in latest.order_by("-run_id", "stream")],
        "refused": sorted(((row.stream, row.refused) for row in source.rows if row.refused), key=lambda pair: -pair[1]),
        "requests": queries.requests_last_day(source.connection),
        "scopes": service.scopes if service else (),
        "webhooks": panel(source.connection) if may_edit else None,
        "may_run": request.user.has_perm("connectors.run_sync"),
        "may_edit": may_edit,
        "admins": technical_admins(),
        "poll": reverse("connectors:connection_detail", args=[pk]),
    }
    return render_page(request, "connectors/connection_detail.html", context, partials=("sync-now",))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("connectors.edit_connection")
def connection_create(request: Request) -> HttpResponse:
    """Connect a source, `?service=` says which: its token is tested, and everything is read for the first time."""
    services = registry.all()
    asked = request.POST.get("service") or request.GET.get("service")
    service = next((one for one in services if one.key == asked), services[0])
    form = ConnectionForm(request.POST or None, initial={"service": service.key})
    if request.method == "POST" and form.is_valid():
        made = actions.connect(
            service=form.cleaned_data["service"],
            label=form.cleaned_data["label"],
            secret=form.cleaned_data["token"],
            base_url=form.cleaned_data["base_url"],
            by=request.user,
        )
        if registry.choosing(made.service):
            say(request, _("%(name)s is connected. Now say what of it is read.") % {"name": made.label})
            return redirect("connectors:connection_edit", made.pk)
        say(request, _("%(name)s is connected; its first sync is queued.") % {"name": made.label})
        return redirect(made)
    context = {"form": form, "services": services, "service": service, "connection": None}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "connectors/connection_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("connectors.edit_connection")
def connection_edit(request: Request, pk: int) -> HttpResponse:
    """Change a connection's name, address or token."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    form = ConnectionForm(request.POST or None, instance=connection)
    if request.method == "POST" and form.is_valid() and _edit(request, connection, form):
        say(request, _("%(name)s was saved.") % {"name": connection.label})
        return redirect(connection)
    context = {
        "form": form,
        "service": queries.service_of(connection),
        "connection": connection,
        "may_remove": not actions.has_read(connection),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "connectors/connection_form.html", context, status=status)


def _edit(request: Request, connection: Connection, form: ConnectionForm) -> bool:
    """Keep what the form says; False, with the reason at the token, where the connection was moved meanwhile."""
    told = form.cleaned_data
    try:
        with transaction.atomic():
            if "chosen" in told:
                actions.choose(connection=connection, names=told["chosen"], by=request.user)
            actions.edit(
                connection=connection,
                label=told["label"],
                base_url=told["base_url"],
                secret=told["token"],
                by=request.user,
            )
    except actions.TokenNeeded:
        form.add_error("token", form.token_needed)
        return False
    return True


@require_POST
@requires("connectors.edit_connection")
def connection_remove(request: Request, pk: int) -> HttpResponse:
    """Take away a connection that was made by mistake: one that never read anything."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    name = {"name": connection.label}
    try:
        actions.remove(connection=connection, by=request.user)
    except actions.HasRead:
        text = _("%(name)s was read before, and figures may stand on it. Pause it instead.")
    except actions.UnderWay:
        text = _("A sync or a test of %(name)s is under way. Wait until it has ended.")
    else:
        say(request, _("%(name)s was removed; its token is forgotten.") % name)
        return redirect("connectors:sync_list")
    say(request, text % name, level="warning")
    return redirect(connection)


@require_POST
@requires("connectors.run_sync")
def connection_run(request: Request, pk: int) -> HttpResponse:
    """Start a run now: of everything, or of the one stream named in `stream`."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    stream = request.POST.get("stream", "")
    known = {one.name for source in queries.sources(pk) for one in (row.stream for row in source.rows)}
    only = (stream,) if stream in known else ()
    run_one(request, connection, only)
    return redirect(back(request, connection, *only))


@require_POST
@requires("connectors.run_sync")
def sync_run_all(request: Request) -> HttpResponse:
    """Start a run of every connection that can."""
    started = 0
    for connection in Connection.wired().filter(is_active=True, auth=Connection.Auth.OK).order_by("pk"):
        try:
            actions.run_now(connection=connection, by=request.user)
            started += 1
        except (actions.TooSoon, actions.NotConnected):
            continue
    if started:
        say(request, _("The syncs are queued."))
    else:
        say(request, _("Nothing to run: each source was read minutes ago, or can’t be read."), level="info")
    return redirect("connectors:sync_list")


def run_one(request: Request, connection: Connection, only: tuple[str, ...]) -> None:
    """Start a run and say what came of it."""
    try:
        actions.run_now(connection=connection, by=request.user, only=only)
    except actions.TooSoon as soon:
        text = _("%(name)s was read minutes ago; it can be read again from %(clock)s.")
        say(request, text % {"name": connection.label, "clock": when(soon.until)}, level="info")
    except actions.NotConnected:
        text = _("%(name)s can’t be read: it is paused, or needs a new token.") % {"name": connection.label}
        say(request, text, level="warning")
    else:
        say(request, _("The sync of %(name)s is queued. You can leave this page.") % {"name": connection.label})


@require_POST
@requires("connectors.edit_connection")
def connection_test(request: Request, pk: int) -> HttpResponse:
    """Have a worker test the connection; the page shows the result as soon as it is there."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    actions.test(connection=connection, by=request.user)
    return redirect(back(request, connection))


@require_POST
@requires("connectors.run_sync")
def connection_switch(request: Request, pk: int, on: int) -> HttpResponse:
    """Pause a source, or take it up again."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    actions.switch(connection=connection, on=bool(on), by=request.user)
    undo = back_here(request, reverse("connectors:connection_switch", args=[pk, 0 if on else 1]))
    if on:
        say(request, _("%(name)s is read again.") % {"name": connection.label}, undo=undo)
    else:
        text = _("%(name)s is paused; what was read stays.") % {"name": connection.label}
        say(request, text, undo=undo)
    return redirect(back(request, connection))


@require_POST
@requires("connectors.run_sync")
def stream_switch(request: Request, pk: int, stream: str, on: int) -> HttpResponse:
    """Pause one stream of a source, or take it up again."""
    connection, made = _stream(pk, stream)
    actions.switch_stream(connection=connection, stream=made.name, on=bool(on), by=request.user)
    undo = back_here(request, reverse("connectors:stream_switch", args=[pk, made.name, 0 if on else 1]))
    names = {"name": connection.label, "stream": capfirst(made.label)}
    if on:
        say(request, _("%(stream)s of %(name)s: read again from the next run on.") % names, undo=undo)
    else:
        say(request, _("%(stream)s of %(name)s: paused; what was read stays.") % names, undo=undo)
    return redirect(back(request, connection, made.name))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("connectors.run_sync")
def connection_back_fill(request: Request, pk: int) -> HttpResponse:
    """Read again what changed in the source since a day; `?stream=` proposes one stream."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    service = queries.service_of(connection)
    streams = [one for one in service.streams if one.mode == Mode.WINDOW] if service else []
    streams = [one for one in streams if one.name not in connection.paused_streams]
    if not streams:
        raise Http404
    form = BackFillForm(request.POST or None, streams=streams, initial={"stream": request.GET.get("stream", "")})
    if request.method == "POST" and form.is_valid() and _back_fill(request, connection, form):
        return redirect(connection)
    context = {"form": form, "connection": connection, "streams": streams, "is_open": connection.runs.open().exists()}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "connectors/back_fill.html", context, status=status)


def _back_fill(request: Request, connection: Connection, form: BackFillForm) -> bool:
    """Start it and say so; False, with the reason in the form, where it can't start."""
    since = form.cleaned_data["since"]
    try:
        actions.back_fill(connection=connection, since=since, streams=form.chosen, by=request.user)
    except actions.UnderWay:
        form.add_error(
            None, _("A sync of %(name)s is under way. Wait until it has ended.") % {"name": connection.label}
        )
        return False
    except actions.NotConnected:
        text = _("%(name)s can’t be read: it is paused, or needs a new token.")
        form.add_error(None, text % {"name": connection.label})
        return False
    day = date_format(since, "DATE_FORMAT")
    text = _("%(name)s is read again since %(day)s. You can leave this page.")
    say(request, text % {"name": connection.label, "day": day})
    return True


@require_safe
@requires("connectors.see_syncs")
def stream_detail(request: Request, pk: int, stream: str) -> HttpResponse:
    """Show one stream: how it is doing, its last runs, and what was set aside; `?runs=each` lists the short, too."""
    source = next(iter(queries.sources(pk)), None)
    row = next((one for one in source.rows if one.stream.name == stream), None) if source else None
    if source is None or row is None:
        raise Http404
    context = {
        "source": source,
        "connection": source.connection,
        "row": row,
        "state": row.state,
        "runs": queries.runs_of(source.connection, row.stream, with_short=wants_each(request)),
        "announced": queries.announced_of(source.connection, row.stream),
        "lists_each": wants_each(request),
        "page": paginate(request, queries.refused_of(source.connection, row.stream)),
        "may_run": request.user.has_perm("connectors.run_sync"),
    }
    return render_page(request, "connectors/stream_detail.html", context)


@require_safe
@requires("connectors.see_syncs")
def refused_detail(request: Request, pk: int, record: int) -> HttpResponse:
    """Show one record that was set aside, why, and as it came; what is secret or personal is masked."""
    refused = get_object_or_404(RefusedRecord.objects.select_related("connection"), pk=record, connection=pk)
    stream = queries.stream_of(refused.connection, refused.stream)
    context = {
        "refused": refused,
        "connection": refused.connection,
        "stream": stream,
        "raw": json.dumps(queries.shown(refused, stream), indent=2, ensure_ascii=False)[:MOST_SHOWN],
    }
    return render_page(request, "connectors/refused_detail.html", context)


@require_safe
def what_is_read(request: Request) -> HttpResponse:
    """Say in plain words what is read from each tool, to everybody whose data it may be."""
    return render_page(request, "connectors/what_is_read.html", {"reads": queries.what_is_read()})


@require_POST
@requires("connectors.run_sync")
def sweep_confirm(request: Request, pk: int, stream: str) -> HttpResponse:
    """Accept that many records are gone, and read the stream again."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    run = actions.confirm_sweep(connection=connection, stream=stream, by=request.user)
    if run is not None:
        say(request, _("Confirmed; the stream is read again and what is gone is marked."))
    else:
        say(request, _("Confirmed; it applies at the next run."), level="info")
    return redirect(back(request, connection))


@require_POST
@requires("connectors.run_sync")
def job_retry(request: Request, pk: int, job: UUID) -> HttpResponse:
    """Give failed work of a connection another try."""
    connection = get_object_or_404(Connection.wired(), pk=pk)
    row = get_object_or_404(Job, pk=job, kind__startswith="connectors.")
    if queries.job_owner(row) != connection.pk:
        raise Http404
    actions.retry_job(job=row, connection=connection, by=request.user)
    say(request, _("It is tried again."))
    return redirect(back(request, connection))


def _stream(pk: int, name: str) -> tuple[Connection, Stream]:
    connection = get_object_or_404(Connection.wired(), pk=pk)
    made = queries.stream_of(connection, name)
    if made is None:
        raise Http404
    return connection, made


def technical_admins() -> QuerySet[User]:
    """Return whom to ask for what only they may do; asked of the database only where the page names them."""
    people: QuerySet[User] = User.objects.filter(is_active=True, is_staff=True).order_by("name", "pk")
    return people.only("name", "email")[:ADMINS_SHOWN]


def wants_each(request: Request) -> bool:
    """Tell whether each of the many short runs is to be listed, too."""
    return request.GET.get("runs") == "each"


def back(request: Request, connection: Connection, stream: str = "") -> str:
    """Return to the page that the button stood on: the list, the connection's own, or the stream's."""
    page = came_from(request)
    if page == "stream" and stream:
        return reverse("connectors:stream_detail", args=[connection.pk, stream])
    if page == "detail":
        return connection.get_absolute_url()
    return reverse("connectors:sync_list")


def came_from(request: Request) -> str:
    """Return the page that the button stood on; an *Undo* says it in its address."""
    page = request.POST.get("from") or request.GET.get("from", "")
    return page if page in ("stream", "detail") else "list"


def back_here(request: Request, undo: str) -> str:
    """Return the address of an *Undo* that leaves its reader on the page where they are."""
    return f"{undo}?from={came_from(request)}"
