"""The pages on which an admin says what the databases of a documents tool hold."""

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors import actions as wires
from connectors import registry
from connectors.models import Connection, DocumentSource, SourceMapping, StreamState
from connectors.templatetags.moments import when
from hub.core.http import Request, render_page
from hub.core.messages import say
from hub.people.permissions import requires

from . import actions, queries
from .forms import MappingForm, MeaningForm
from .meanings import HOLDINGS, named


@require_safe
@requires("connectors.map_sources")
def source_list(request: Request, pk: int) -> HttpResponse:
    """List the databases of a connection: mapped ones first, then those that could be; `?q=` narrows these."""
    connection = mappable(pk)
    words = request.GET.get("q", "")[:100].strip()
    mapped, offered = queries.rows(connection, words=words)
    state = StreamState.objects.filter(connection=connection, stream=queries.SOURCES).first()
    context = {
        "connection": connection,
        "mapped": mapped,
        "changed": queries.changes(connection, mapped, since=timezone.localdate() - timedelta(days=7)),
        "offered": offered,
        "words": words,
        "looked_at": state.last_success_at if state else None,
        "is_under_way": connection.runs.open().exists(),
    }
    return render_page(request, "connectors/mappings/source_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("connectors.map_sources")
def mapping_edit(request: Request, pk: int, ref: UUID) -> HttpResponse:
    """Say what a database holds. `?meaning=` is what is being said; the questions follow from it."""
    connection = mappable(pk)
    source = get_object_or_404(DocumentSource, connection=connection, external_id=str(ref))
    mapping = SourceMapping.objects.filter(connection=connection, source_ref=source.external_id).first()
    meaning = request.GET.get("meaning") or (mapping.meaning if mapping else "")
    form: MappingForm | None = None
    counts = queries.filled_counts(connection, [source.external_id]).get(source.external_id, {})
    if meaning in HOLDINGS:
        initial = MappingForm.said_so_far(mapping) if mapping and mapping.meaning == meaning else {}
        form = MappingForm(request.POST or None, source=source, meaning=meaning, filled=counts, initial=initial)
    elif request.method == "POST":
        raise Http404
    if request.method == "POST" and form is not None and form.is_valid():
        said = actions.map_source(
            source=source, meaning=meaning, fields=form.chosen, held=form.held, by=request.user
        )  # fmt: skip
        undo = reverse("mappings:mapping_undo", args=[pk, said.batch])
        say(request, _("%(name)s is mapped; its pages are read next.") % {"name": source}, undo=undo)
        return redirect("mappings:source_list", pk)
    filled = list(queries.filled_of(mapping, source, counts)) if mapping else []
    context = {
        "connection": connection,
        "source": source,
        "mapping": mapping,
        "meaning": meaning,
        "which": MeaningForm(initial={"meaning": meaning}),
        "form": form,
        "metrics": named(HOLDINGS[meaning].metrics) if form is not None else "",
        "findings": queries.findings_of(mapping, source) if mapping else (),
        "pages": counts.get("", 0),
        "filled": filled,
        "examples": queries.examples(source, [one.ref for one in filled]) if mapping else [],
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "connectors/mappings/mapping_form.html", context, status=status)


@require_POST
@requires("connectors.map_sources")
def mapping_remove(request: Request, pk: int, ref: UUID) -> HttpResponse:
    """No longer read a database."""
    mapping = get_object_or_404(SourceMapping, connection=mappable(pk), source_ref=str(ref))
    name = DocumentSource.objects.filter(connection=pk, external_id=str(ref)).values_list("name", flat=True).first()
    said = actions.unmap_source(mapping=mapping, by=request.user)
    undo = reverse("mappings:mapping_undo", args=[pk, said.batch])
    say(request, _("%(name)s is no longer read; its pages left the figures.") % {"name": name or ref}, undo=undo)
    return redirect("mappings:source_list", pk)


@require_POST
@requires("connectors.map_sources")
def mapping_undo(request: Request, pk: int, batch: UUID) -> HttpResponse:
    """Take back what was just said of a database."""
    if actions.undo(connection=mappable(pk), batch=batch, by=request.user) is not None:
        say(request, _("It is as it was before."))
    else:
        say(request, _("There was nothing to take back."), level="info")
    return redirect("mappings:source_list", pk)


@require_POST
@requires("connectors.map_sources")
def source_look(request: Request, pk: int) -> HttpResponse:
    """Look again which databases are shared with the connection."""
    connection = mappable(pk)
    try:
        wires.run_now(connection=connection, by=request.user, only=(queries.SOURCES,))
    except wires.TooSoon as soon:
        text = _("We looked minutes ago; we can look again from %(clock)s.")
        say(request, text % {"clock": when(soon.until)}, level="info")
    except wires.NotConnected:
        text = _("%(name)s can’t be read: it is off, or needs a new token.")
        say(request, text % {"name": connection.label}, level="warning")
    else:
        say(request, _("The hub looks again; new databases appear here in a moment."))
    return redirect("mappings:source_list", pk)


def mappable(pk: int) -> Connection:
    """Return a connection whose service has databases to map; 404 for any other."""
    connection = get_object_or_404(Connection, pk=pk)
    if connection.service not in registry.mappable():
        raise Http404
    return connection
