"""Why a figure is not measured: no right to read it, a reading or a history that is too young, no mapping, no price."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from connectors import registry
from connectors.base import FailureClass
from connectors.mappings.meanings import HOLDINGS
from connectors.models import DailySnapshot, DocumentSource, SourceMapping, StreamState
from hub.core.http import address_of
from kpis.formulas import Status
from kpis.models import Metric
from kpis.parameters import EFFORTS, PRICES, lost_fields
from kpis.queries import Figure
from kpis.sync.families import Reads, family_of

SCOPE_ONLY = ("team",)  # without it a figure stands for the company alone


class Stream(NamedTuple):
    """A stream of an active connection: how its reading went, and the first night that was kept of it."""

    connection: int
    service: str
    name: str
    failure: str
    last_success_at: datetime | None
    since: date | None


@dataclass(frozen=True)
class Reason:
    """Why there is no value, and the page where those who have the `right` can change that."""

    text: str
    url: str = ""
    right: str = "connectors.map_sources"


def reasons(figures: Iterable[Figure]) -> dict[str, Reason]:
    """Return, by the metric's key, why figures without any value have none. Two statements at most."""
    silent = {figure.metric.key: figure.metric for figure in figures if figure.status == Status.NOT_MEASURED}
    families = {key: family for key in silent if (family := family_of(key))}
    if not families:
        return {}
    nights = DailySnapshot.objects.filter(connection=OuterRef("connection"), stream=OuterRef("stream")).order_by("day")
    states = StreamState.objects.filter(connection__is_active=True).order_by("connection__label", "pk")
    read = states.values_list(
        "connection", "connection__service", "stream", "failure", "last_success_at", Subquery(nights.values("day")[:1])
    )
    streams = [Stream(*row) for row in read]
    found: dict[str, Reason] = {}
    unmapped: list[str] = []
    young: dict[str, str] = {}
    for key, family in families.items():
        reason = next(filter(None, (unreadable(reads, streams) for reads in family.reads)), None)
        if reason:
            found[key] = reason
        elif unchosen := nothing_chosen(silent[key]):
            found[key] = unchosen
        elif family.nights:
            young[key] = family.nights
        elif any(reads.anchor == "pages" for reads in family.reads):
            unmapped.append(key)
    if unmapped:
        mappable = registry.mappable()
        page = next((state.connection for state in streams if state.service in mappable), None)
        found |= missing_mappings(unmapped, reverse("mappings:source_list", args=[page]) if page else "")
    return found | too_young(young, streams)


def nothing_chosen(metric: Metric) -> Reason | None:
    """Say what nobody has chosen among a metric's parameters, or that it has gone since."""
    chosen = metric.settings
    if chosen.get(PRICES) == []:
        text = _("Not measurable: nobody has entered what a seat costs.")
    elif chosen.get(EFFORTS) == []:
        text = _("Not measurable: nobody has chosen the field that holds the effort of a feature.")
    elif (lost := lost_fields(chosen.get(EFFORTS, ()))) is not None:
        text = _("Not measurable: the field that held the effort is gone: %(fields)s.") % {"fields": ", ".join(lost)}
        text = text if lost else _("Not measurable: the field that is to hold the effort was not read yet.")
    else:
        return None
    return Reason(text, reverse("kpis:metric_edit", args=[metric.key]), "kpis.edit_metric")


def too_young(families: Mapping[str, str], streams: Iterable[Stream]) -> dict[str, Reason]:
    """Say since when the hub has compared its readings of a metric's stream, by the metric's key."""
    since: dict[str, date] = {}
    for state in streams:
        if state.since:
            since[state.name] = min(state.since, since.get(state.name, state.since))
    text = _("The tool keeps no history of it. The hub compares its nightly readings since %(day)s: too few so far.")
    return {
        key: Reason(text % {"day": date_format(since[stream], "DATE_FORMAT")})
        for key, stream in families.items()
        if stream in since
    }


def unreadable(reads: Reads, streams: Iterable[Stream]) -> Reason | None:
    """Say which of the streams can't be read, or was not read to its end yet."""
    services = reads.services
    for state in streams:
        if state.service not in services or state.name not in reads.streams:
            continue
        service = registry.connector(state.service)
        label = next((str(one.label) for one in service.streams if one.name == state.name), state.name)
        said = {"service": service.name, "stream": label}
        if state.failure == FailureClass.STREAM_UNAVAILABLE:
            text = _("Not measurable: the plan of %(service)s, or our token, does not include %(stream)s.")
            return Reason(text % said, address_of("connectors:connection_detail")(state.connection))
        if state.last_success_at is None:
            return Reason(_("Waits for the first complete reading of %(stream)s.") % said)
    return None


def missing_mappings(keys: Iterable[str], url: str) -> dict[str, Reason]:
    """Say which database, or which of its properties, nobody has named yet; `url` is where that is done."""
    there = DocumentSource.objects.live().filter(
        is_trashed=False, connection=OuterRef("connection"), external_id=OuterRef("source_ref")
    )
    rows = SourceMapping.objects.filter(connection__is_active=True).annotate(there=Subquery(there.values("properties")))
    mapped: dict[str, set[str]] = defaultdict(set)
    for meaning, named, properties in rows.exclude(there=None).values_list("meaning", "fields", "there"):
        known = {one["id"] for one in properties}
        mapped[meaning] |= {field for field, ref in named.items() if ref in known}
    found = {}
    for key in keys:
        feeding = {meaning: holding for meaning, holding in HOLDINGS.items() if key in holding.metrics}
        names = {str(SourceMapping.Meaning(meaning).label) for meaning in feeding}
        if not feeding.keys() & mapped.keys():
            text = _("No database is mapped as: %(meanings)s.") % {"meanings": ", ".join(sorted(names))}
            found[key] = Reason(text, url)
            continue
        lacking = {
            str(field.label)
            for meaning, holding in feeding.items()
            for field in holding.fields
            if meaning in mapped and key in field.metrics and field.key not in SCOPE_ONLY
            and field.key not in mapped[meaning]
        }  # fmt: skip
        if lacking:
            text = _("The mapping names no property for: %(fields)s.") % {"fields": ", ".join(sorted(lacking))}
            found[key] = Reason(text, url)
    return found
