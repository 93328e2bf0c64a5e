"""What is mapped, what no longer fits, and what the mapping pages want to know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection as database
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject

from connectors.models import Connection, DailySnapshot, Document, DocumentSource, SourceMapping, StreamState

from .meanings import HOLDINGS, broken_without, named

PAGES = "pages"  # the stream that reads what is mapped
SOURCES = "data_sources"  # the one that finds what can be


def chosen(connection: Connection) -> dict[str, list[str]]:
    """Return which databases a connection reads, and whose history was not read to its end yet.

    The pages' watermark says up to when everything is stored: what was mapped after it waits for a whole reading.
    """
    mapped = SourceMapping.objects.filter(connection=connection).order_by("pk").values_list("source_ref", "asked_at")
    state = StreamState.objects.filter(connection=connection, stream=PAGES).only("watermark").first()
    read_up_to = state.watermark if state else None
    rows = list(mapped)
    return {
        "data_sources": [ref for ref, _ in rows],
        "unread": [ref for ref, asked_at in rows if read_up_to is None or asked_at > read_up_to],
    }


@dataclass(frozen=True)
class Finding:
    """Something about a mapping that a person must look at. `kind` is removed, unshared or trashed."""

    kind: str
    field: str = ""  # the label of what the property stood for
    name: str = ""  # of the property, when it was chosen
    metrics: tuple[str, ...] = ()

    @property
    def breaks(self) -> str:
        """The metrics that stop, by name."""
        return named(self.metrics)


@dataclass(frozen=True)
class Filled:
    """How many of a database's pages have something in a property."""

    ref: str
    label: str
    name: str
    count: int


@dataclass(frozen=True)
class Row:
    """A database in the list, and what is known of its mapping."""

    source: DocumentSource
    mapping: SourceMapping | None
    pages: int = 0
    is_unread: bool = False  # no run has ended since it was mapped
    filled: tuple[Filled, ...] = ()
    findings: tuple[Finding, ...] = ()


def findings_of(mapping: SourceMapping, source: DocumentSource | None) -> tuple[Finding, ...]:
    """Tell what of a mapping does not fit any more. A property that was only renamed still fits: it is known by id."""
    holding = HOLDINGS.get(mapping.meaning)
    if source is None or holding is None:
        return ()
    every = tuple(holding.metrics)
    if source.is_trashed:
        return (Finding("trashed", metrics=every),)
    if source.deleted_at is not None:
        return (Finding("unshared", metrics=every),)
    known = {one["id"] for one in source.properties}
    labels = {one.key: str(one.label) for one in holding.fields}
    return tuple(
        Finding("removed", labels.get(key, key), mapping.names.get(ref, ref), broken_without(mapping.meaning, key))
        for key, ref in mapping.fields.items()
        if ref not in known
    )


def findings(connections: Iterable[Connection] | None = None) -> list[tuple[SourceMapping, Finding]]:
    """Return what a person must look at, over all connections that are on (or only these). One query."""
    of_mapping = DocumentSource.objects.filter(connection=OuterRef("connection"), external_id=OuterRef("source_ref"))
    there = of_mapping.values(row=JSONObject(**{name: name for name in ("properties", "is_trashed", "deleted_at")}))
    mapped = SourceMapping.objects.filter(connection__is_active=True).select_related("connection").order_by("pk")
    if connections is not None:
        mapped = mapped.filter(connection__in=list(connections))
    return [
        (row, one)
        for row in mapped.annotate(there=Subquery(there))
        for one in findings_of(row, DocumentSource(**row.there) if row.there else None)
    ]


def rows(connection: Connection, *, words: str = "") -> tuple[list[Row], list[Row]]:
    """Return the mapped databases, and those that could be, by name. Four queries, however many there are."""
    mapped = {one.source_ref: one for one in SourceMapping.objects.filter(connection=connection)}
    state = StreamState.objects.filter(connection=connection, stream=PAGES).only("last_success_at").first()
    read_at = state.last_success_at if state else None
    found = DocumentSource.objects.filter(connection=connection).order_by("name", "external_id")
    sources = [one for one in found if one.external_id in mapped or (one.deleted_at is None and not one.is_trashed)]
    filled = filled_counts(connection, list(mapped)) if mapped else {}
    inside, outside = [], []
    for source in sources:
        mapping = mapped.get(source.external_id)
        if mapping is None:
            if words.lower() in source.name.lower():
                outside.append(Row(source, None))
            continue
        counts = filled.get(source.external_id, {})
        inside.append(
            Row(
                source,
                mapping,
                counts.get("", 0),
                read_at is None or read_at < mapping.asked_at,
                tuple(filled_of(mapping, source, counts)),
                findings_of(mapping, source),
            )
        )
    return inside, outside


@dataclass(frozen=True)
class Changed:
    """A property that a metric uses, and that is no longer called as it was; `after` is empty where it is gone."""

    source: DocumentSource
    field: str  # the label of what the property stands for
    before: str
    after: str
    breaks: str  # the metrics that need it, by name


def changes(connection: Connection, mapped: Iterable[Row], *, since: date) -> list[Changed]:
    """Return which properties that a metric uses were renamed or removed since a day, by the nightly schemas."""
    inside = [(row.source, row.mapping) for row in mapped if row.mapping is not None]
    nights = DailySnapshot.objects.filter(
        connection=connection, stream=SOURCES, external_id__in=[source.external_id for source, _ in inside]
    )
    before: dict[str, Mapping[str, Any]] = {}
    for ref, day, properties in nights.order_by("day").values_list("external_id", "day", "values__properties"):
        if day <= since or ref not in before:
            before[ref] = properties
    found = []
    for source, mapping in inside:
        names = {str(one["id"]): str(one["name"]) for one in source.properties}
        labels = {one.key: str(one.label) for one in HOLDINGS[mapping.meaning].fields}
        for field, ref in mapping.fields.items():
            _kind, name, *_options = before.get(source.external_id, {}).get(ref) or ("", "")
            used_by = broken_without(mapping.meaning, field)
            if name and used_by and names.get(ref) != name:
                found.append(Changed(source, labels.get(field, field), name, names.get(ref, ""), named(used_by)))
    return found


def filled_of(mapping: SourceMapping, source: DocumentSource, counts: Mapping[str, int]) -> Iterable[Filled]:
    """Yield, for each field that is mapped, its property's name of today and how many pages have it filled."""
    names = {str(one["id"]): str(one["name"]) for one in source.properties}
    holding = HOLDINGS.get(mapping.meaning)
    for field in holding.fields if holding else ():
        ref = mapping.fields.get(field.key)
        if ref in names:
            yield Filled(ref, str(field.label), names[ref], counts.get(ref, 0))


def filled_counts(connection: Connection, sources: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return, by database, how many living pages have something in each property; under "" how many there are."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH alive AS (
                SELECT source_ref, "values" FROM connectors_document
                WHERE connection_id = %s AND source_ref = ANY(%s) AND deleted_at IS NULL AND NOT is_trashed)
            SELECT source_ref, '', count(*) FROM alive GROUP BY source_ref
            UNION ALL
            SELECT source_ref, held.key, count(*)
            FROM alive CROSS JOIN LATERAL jsonb_each("values") AS held
            WHERE held.value -> 'value' <> 'null'::jsonb GROUP BY source_ref, held.key
            """,
            [connection.pk, list(sources)],
        )
        found: dict[str, dict[str, int]] = {}
        for source, key, count in cursor.fetchall():
            found.setdefault(source, {})[key] = count
    return found


def examples(source: DocumentSource, keys: Sequence[str], *, limit: int = 3) -> list[tuple[Document, list[str]]]:
    """Return the latest pages with what stands in these properties, so that one sees what one chose."""
    pages = Document.objects.live().filter(
        connection=source.connection_id, source_ref=source.external_id, is_trashed=False
    )
    return [
        (page, [in_words(page.values.get(key, {}).get("value")) for key in keys])
        for page in pages.order_by("-edited_at", "external_id")[:limit]
    ]


def in_words(value: Any) -> str:  # noqa: PLR0911 — one line a shape
    """Write a settled value for a person; ids are counted, not shown."""
    match value:
        case None:
            return ""
        case bool():
            return "✓" if value else "–"
        case {"start": start, "end": end}:
            return f"{start} – {end}" if end else str(start)
        case {"name": name}:
            return str(name)
        case {"count": count}:
            return str(count)
        case {"state": state}:
            return str(state)
        case [{"name": _}, *_]:
            return ", ".join(str(one["name"]) for one in value)
        case list():
            return str(len(value))
    return str(value)
