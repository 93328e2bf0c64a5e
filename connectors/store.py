"""Writing what a page changed, table by table, in a handful of statements. Only the engine calls this."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import psycopg
from django.conf import settings
from django.db import connection as database
from msgspec.json import encode

from . import reasons
from .base import Connector, Json, Notice, Stream, field_at
from .models import TABLES, Connection, PersonAccount, Sourced, SourceRecord, WorkTeam
from .records import AccountDay, Record
from .sync import Fetched, Refused, Stored, canonical

if TYPE_CHECKING:
    from django.db.models import Field

TABLES_BY_NAME: dict[str, type[Sourced]] = {record.__name__: table for record, table in TABLES.items()}


def execute(statement: str, parameters: Sequence[Any]) -> None:
    """Send a statement apart from its values: quoted into its text, as Django does it, a page is read twice."""
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.Cursor(cast("psycopg.Connection", database.connection)) as cursor:
        cursor.execute(statement.encode(), parameters)


@cache
def upsert_of(record: type[Record]) -> str:
    """Return the upsert of a record class: inserts, or updates where something differs, and else touches nothing.

    Text that is longer than its column is cut; only an id must fit as it is.
    """
    meta = TABLES[record]._meta
    columns = [name for name in record.__struct_fields__ if name != "external_id"]
    own = {
        field.column: literal(field.get_default())
        for field in meta.concrete_fields
        if not field.primary_key
        and field.name not in {*columns, "connection", "external_id", "deleted_at"}
        and not field.null
    }
    names = [f'"{name}"' for name in columns]
    types = [cast("Field[Any, Any]", meta.get_field(name)).db_type(database) or "" for name in columns]
    is_text = [kind.startswith("varchar") and not kind.endswith("]") for kind in types]
    given = [f"{name} {'text' if cut else kind}" for name, kind, cut in zip(names, types, is_text, strict=True)]
    values = [f"{name}::{kind}" if cut else name for name, kind, cut in zip(names, types, is_text, strict=True)]
    return f"""
        INSERT INTO {meta.db_table} AS t ({", ".join(["connection_id", "external_id", *names, *own])})
        SELECT {", ".join(["%s::bigint", "external_id", *values, *own.values()])}
        FROM json_to_recordset(%s::json) AS x({", ".join(["external_id text", *given])})
        ON CONFLICT (connection_id, external_id) DO UPDATE
        SET {", ".join(f"{name} = EXCLUDED.{name}" for name in names)}, deleted_at = NULL
        WHERE ({", ".join(f"t.{name}" for name in names)}, t.deleted_at)
            IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in names)}, NULL::timestamptz)
    """  # noqa: S608 — made of our own column names alone


def literal(value: object) -> str:
    """Spell a column's default in SQL."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return "'" + str(value).replace("'", "''") + "'"
    raise TypeError(f"no literal for {value!r}")


def stored_of(connection: Connection, stream: Stream, ids: Sequence[str]) -> dict[str, Stored]:
    """Return what is held of the named records.

    One look into the index for each, whatever the planner believes: a first load fills the table faster than
    statistics follow, and a plan that reads the whole stream for each page makes the load quadratic.
    """
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.id, r.content_hash, r.source_version, r.deleted_at IS NOT NULL, r.map_version, r.produced
            FROM unnest(%s::text[]) AS w(id) CROSS JOIN LATERAL (
                SELECT content_hash, source_version, deleted_at, map_version, produced FROM connectors_sourcerecord
                WHERE connection_id = %s AND stream = %s AND external_id = w.id LIMIT 1) AS r
            """,
            [list(ids), connection.pk, stream.name],
        )
        return {key: Stored(*held) for key, *held in cursor.fetchall()}


def map_records(
    connector: Connector, stream: Stream, items: Iterable[Fetched]
) -> tuple[list[tuple[Fetched, list[Record]]], list[Refused]]:
    """Map raw records to normalised rows; one that can't be mapped is refused, the others go on."""
    mapped, refused = [], []
    for item in items:
        try:
            mapped.append((item, list(connector.map(stream, item.record))))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            told = Notice(reasons.UNMAPPABLE)
            refused.append(Refused(item.external_id, item.record, "", told, reasons.detail_of(error)))
    return mapped, refused


def write_records(
    connection: Connection,
    connector: Connector,
    stream: Stream,
    mapped: Sequence[tuple[Fetched, list[Record]]],
    *,
    stored: Mapping[str, Stored],
    now: datetime,
) -> None:
    """Store raw records and their rows; rows that a record no longer yields are marked as gone."""
    if not mapped:
        return
    produced: dict[str, list[str]] = {}
    rows: dict[type[Record], dict[str, Record]] = defaultdict(dict)
    for item, records in mapped:
        for record in records:
            rows[type(record)][record.external_id] = record
        produced[item.external_id] = [f"{type(record).__name__}:{record.external_id}" for record in records]
    write_raw(connection, connector, stream, [item for item, _ in mapped], produced=produced, now=now)
    for kind, by_id in rows.items():
        write_rows(connection, kind, by_id.values())
    dropped = [
        name for key, names in produced.items() if key in stored for name in set(stored[key].produced).difference(names)
    ]
    mark_gone(connection, dropped, now)
    if PersonAccount.__name__ in {kind.__name__ for kind in rows}:
        accounts = next(by_id for kind, by_id in rows.items() if kind.__name__ == PersonAccount.__name__)
        note_last_seen(connection, list(accounts))
    if AccountDay in rows:
        note_active_days(connection, list(rows[AccountDay]))
    if stream.snapshot:
        write_snapshots(connection, stream, [item for item, _ in mapped], now)


def write_raw(
    connection: Connection,
    connector: Connector,
    stream: Stream,
    items: Sequence[Fetched],
    *,
    produced: Mapping[str, list[str]],
    now: datetime,
) -> None:
    # Each raw text is read once, as jsonb, and not first as a part of something larger; JSON spells its control
    # characters, so one of them parts the texts. A placeholder, or an array's quotes, for each would cost more than it.
    statement = """
        INSERT INTO connectors_sourcerecord AS t (connection_id, stream, external_id, raw, content_hash,
            source_version, produced, map_version, first_seen_at, changed_at, deletion_reason)
        SELECT %s::bigint, %s, x.external_id, x.raw::jsonb, x.content_hash, x.source_version, x.produced, %s, %s, %s, ''
        FROM ROWS FROM (
            json_to_recordset(%s::json)
                AS (external_id text, content_hash text, source_version timestamptz, produced text[]),
            unnest(string_to_array(%s, chr(30)))
        ) AS x(external_id, content_hash, source_version, produced, raw)
        ON CONFLICT (connection_id, stream, external_id) DO UPDATE
        SET raw = EXCLUDED.raw, content_hash = EXCLUDED.content_hash, source_version = EXCLUDED.source_version,
            produced = EXCLUDED.produced, map_version = EXCLUDED.map_version, changed_at = EXCLUDED.changed_at,
            deleted_at = NULL, deletion_reason = ''
    """
    rows = [
        {
            "external_id": item.external_id,
            "content_hash": item.content_hash,
            "source_version": item.version,
            "produced": produced[item.external_id],
        }
        for item in items
    ]
    texts = "\x1e".join([item.text for item in items])
    execute(statement, [connection.pk, stream.name, connector.map_version, now, now, encode(rows).decode(), texts])


def write_rows(connection: Connection, kind: type[Record], records: Iterable[Record]) -> None:
    """Bring rows of one table in line with the records; a row that is right already is not written."""
    execute(upsert_of(kind), [connection.pk, encode(list(records)).decode()])


def mark_gone(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Mark rows, named "Table:external id", as no longer there."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for name in names:
        table, _, external_id = name.partition(":")
        by_table[table].append(external_id)
    for table, ids in by_table.items():
        if table in TABLES_BY_NAME:
            TABLES_BY_NAME[table].objects.filter(connection=connection, external_id__in=ids, deleted_at=None).update(
                deleted_at=now
            )


def note_last_seen(connection: Connection, ids: Sequence[str]) -> None:
    """Keep the day on which each account was last seen: the source forgets it at the next visit."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connectors_activityday (account_id, day, signal, count)
            SELECT id, (last_seen_at AT TIME ZONE %s)::date, 'last_seen', 1 FROM connectors_personaccount
            WHERE connection_id = %s AND external_id = ANY(%s) AND last_seen_at IS NOT NULL
            ON CONFLICT DO NOTHING
            """,
            [settings.COMPANY_TIME_ZONE, connection.pk, list(ids)],
        )


def note_active_days(connection: Connection, ids: Sequence[str]) -> None:
    """Count the days that a tool calls active as activity of the account, which adoption is made of."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connectors_activityday (account_id, day, signal, count)
            SELECT a.id, d.day, 'activity', 1 FROM connectors_accountday d
            JOIN connectors_personaccount a ON a.connection_id = d.connection_id AND a.external_id = d.account_ref
            WHERE d.connection_id = %s AND d.external_id = ANY(%s) AND d.is_active
            ON CONFLICT DO NOTHING
            """,
            [connection.pk, list(ids)],
        )


def write_snapshots(connection: Connection, stream: Stream, items: Sequence[Fetched], now: datetime) -> None:
    """Keep today's values where they differ from the last ones kept."""
    rows = [
        {"external_id": item.external_id, "kept": {path: field_at(item.record, path) for path in stream.snapshot}}
        for item in items
    ]
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connectors_dailysnapshot (connection_id, stream, external_id, day, "values")
            SELECT %(connection)s, %(stream)s, x.external_id, (%(now)s AT TIME ZONE %(zone)s)::date, x.kept
            FROM json_to_recordset(%(rows)s::json) AS x(external_id text, kept jsonb)
            WHERE x.kept IS DISTINCT FROM (
                SELECT s."values" FROM connectors_dailysnapshot s
                WHERE s.connection_id = %(connection)s AND s.stream = %(stream)s AND s.external_id = x.external_id
                ORDER BY s.day DESC LIMIT 1)
            ON CONFLICT (connection_id, stream, external_id, day) DO UPDATE SET "values" = EXCLUDED."values"
            """,
            {
                "connection": connection.pk,
                "stream": stream.name,
                "now": now,
                "zone": settings.COMPANY_TIME_ZONE,
                "rows": canonical(rows),
            },
        )


def write_refused(connection: Connection, stream: Stream, refused: Sequence[Refused], now: datetime) -> None:
    """Set records aside with the reason; one that was there already is counted again."""
    rows = [
        {
            "external_id": item.external_id,
            "raw": item.record,
            "path": item.path,
            "notice": reasons.as_row(item.notice),
            "reason": item.detail,
        }
        for item in refused
    ]
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connectors_refusedrecord AS t
                (connection_id, stream, external_id, path, notice, reason, raw, count, first_at, last_at)
            SELECT %(connection)s, %(stream)s, external_id, path, notice, reason, raw, 1, %(now)s, %(now)s
            FROM json_to_recordset(%(rows)s::json)
                AS x(external_id text, raw jsonb, path text, notice jsonb, reason text)
            ON CONFLICT (connection_id, stream, external_id) DO UPDATE
            SET path = EXCLUDED.path, notice = EXCLUDED.notice, reason = EXCLUDED.reason, raw = EXCLUDED.raw,
                last_at = EXCLUDED.last_at, count = t.count + 1
            """,
            {"connection": connection.pk, "stream": stream.name, "now": now, "rows": canonical(rows)},
        )


def sweep_numbers(connection: Connection, stream: Stream, state_id: int) -> tuple[int, int]:
    """Return how many stored records are alive, and how many of these the pass has seen."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS (SELECT DISTINCT unnest(ids) AS id FROM connectors_seenpage WHERE state_id = %s)
            SELECT count(*), count(seen.id)
            FROM connectors_sourcerecord r LEFT JOIN seen ON seen.id = r.external_id
            WHERE r.connection_id = %s AND r.stream = %s AND r.deleted_at IS NULL
            """,
            [state_id, connection.pk, stream.name],
        )
        alive, still_seen = cursor.fetchone()
    return alive, still_seen


def sweep(connection: Connection, stream: Stream, state_id: int, now: datetime) -> int:
    """Mark what the pass has not seen as gone, with the rows that came of it; return how many records."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connectors_sourcerecord r SET deleted_at = %s, deletion_reason = 'swept'
            WHERE r.connection_id = %s AND r.stream = %s AND r.deleted_at IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM (SELECT unnest(ids) AS id FROM connectors_seenpage WHERE state_id = %s) seen
                WHERE seen.id = r.external_id)
            RETURNING r.produced
            """,
            [now, connection.pk, stream.name, state_id],
        )
        produced = [name for (names,) in cursor.fetchall() for name in names]
        gone = cursor.rowcount
    mark_gone(connection, produced, now)
    return int(gone)


def drop(connection: Connection, which: Mapping[str, object], now: datetime) -> None:
    """Mark records as no longer chosen, with the rows that came of them."""
    held = SourceRecord.objects.filter(connection=connection, deleted_at=None, **which)
    produced = [name for names in held.values_list("produced", flat=True) for name in names]
    held.update(deleted_at=now, deletion_reason=SourceRecord.Reason.UNMAPPED)
    mark_gone(connection, produced, now)


def leave_behind(connection: Connection, now: datetime) -> None:
    """Mark all that was read through a connection as gone. What comes under the same id is taken, however old it is.

    A tool's team of the same id is another team, too: what it stands for is to be said anew.
    """
    records = SourceRecord.objects.filter(connection=connection)
    records.filter(deleted_at=None).update(deleted_at=now, deletion_reason=SourceRecord.Reason.UNMAPPED)
    records.update(source_version=None, content_hash="")
    for table in TABLES_BY_NAME.values():
        table.objects.filter(connection=connection, deleted_at=None).update(deleted_at=now)
    WorkTeam.objects.filter(connection=connection).update(team=None)


def raw_of(connection: Connection, stream: Stream, ids: Sequence[str]) -> dict[str, Json]:
    """Return the stored raw records of those ids."""
    held = SourceRecord.objects.filter(connection=connection, stream=stream.name, external_id__in=ids)
    return dict(held.values_list("external_id", "raw"))


def unknown_to_us(connection: Connection, stream: Stream, ids: Sequence[str]) -> list[str]:
    """Return those ids that the source lists and the hub does not hold as living: one look for each, as above."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.id FROM unnest(%s::text[]) AS w(id) WHERE NOT EXISTS (
                SELECT FROM connectors_sourcerecord
                WHERE connection_id = %s AND stream = %s AND external_id = w.id AND deleted_at IS NULL OFFSET 0)
            """,
            [list(ids), connection.pk, stream.name],
        )
        return [key for (key,) in cursor.fetchall()]


def match_people(connection: Connection) -> None:
    """Tie accounts to people by equal e-mail, and to nothing else. What a person tied by hand is left alone."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connectors_personaccount a
            SET person_id = u.id, match = CASE WHEN u.id IS NULL THEN 'unmatched' ELSE 'email' END
            FROM connectors_personaccount b
            LEFT JOIN people_user u ON u.email = b.email AND b.email <> ''
            WHERE a.id = b.id AND b.connection_id = %s AND b.match IN ('unmatched', 'email')
            AND (a.person_id IS DISTINCT FROM u.id
                OR a.match IS DISTINCT FROM CASE WHEN u.id IS NULL THEN 'unmatched' ELSE 'email' END)
            """,
            [connection.pk],
        )


def match_teams(connection: Connection) -> None:
    """Tie the tool's teams to teams of the company where exactly one has the same name and none is tied yet."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connectors_workteam w SET team_id = t.id
            FROM (SELECT lower(name) AS name, min(id) AS id FROM people_team GROUP BY lower(name) HAVING count(*) = 1) t
            WHERE w.connection_id = %s AND w.team_id IS NULL AND w.deleted_at IS NULL AND lower(w.name) = t.name
            """,
            [connection.pk],
        )


def live_count(connection: Connection, stream: Stream) -> int:
    return SourceRecord.objects.filter(connection=connection, stream=stream.name, deleted_at=None).count()
