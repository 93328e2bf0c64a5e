"""Notion's answers, read. Of each record only what the hub uses is kept, under ids that a rename doesn't change."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from connectors import records
from connectors.base import FailureClass, Json, More, Notice, Page, Request, SourceFailed
from connectors.records import Record

from .places import Look, Place
from .values import is_known, people, relation, settled
from .wire import is_error

CUT = 25  # a page shows no more relations or people than this
MORE = 100
WITH_OPTIONS = frozenset({"select", "multi_select", "status"})
NOT_SHARED = "object_not_found"


def rows_in(payload: Json) -> list[Json]:
    """Return the rows of a list. Raises SourceFailed where it is none."""
    rows = payload.get("results")
    if payload.get("object") != "list" or not isinstance(rows, list):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "no list of results", is_final=False)
    if not all(isinstance(row, dict) for row in rows):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "a result that is no object", is_final=False)
    return rows


def cursor_in(payload: Json) -> str:
    """Return where the list goes on, empty at its end. Raises SourceFailed."""
    if not isinstance(payload.get("has_more"), bool):
        raise SourceFailed(FailureClass.SCHEMA_DRIFT, "has_more is missing or changed")
    if not payload["has_more"]:
        return ""
    cursor = payload.get("next_cursor")
    if not isinstance(cursor, str) or not cursor:
        raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "more is promised without a cursor")
    return cursor


def is_capped(payload: Json) -> bool:
    """Tell whether Notion stopped at its cap of rows: `has_more` is false all the same."""
    status = payload.get("request_status")
    return isinstance(status, dict) and status.get("type") == "incomplete"


# --- accounts


def read_users(payload: Json) -> Page:
    """Read one page of accounts. Guests are never among them."""
    if is_error(payload, "restricted_resource"):
        raise SourceFailed(
            FailureClass.STREAM_UNAVAILABLE,
            "restricted_resource: the connection lacks “Read user information”, or this is a personal access token",
        )
    kept = []
    for row in rows_in(payload):
        person = row.get("person")
        email = person.get("email") if isinstance(person, dict) else None
        kept.append({"id": row.get("id"), "type": row.get("type"), "name": row.get("name"), "email": email})
    return Page(kept, cursor_in(payload) or None)


# --- data sources


def read_sources(payload: Json) -> Page:
    """Read a page of the search, or one mapped data source that the search forgot."""
    look = Look.read(str(payload["_look"]))
    if look.is_searched:
        asked, following = look.missing[0], look.without([look.missing[0]])
        token = str(following) if following.missing else None
        if is_error(payload, NOT_SHARED):
            text = gettext_noop("The database %(id)s is mapped, but no longer shared with the connection, or deleted.")
            notice = Notice(text, {"id": asked})
            return Page([], token, notices=(notice,), ends_list=True)
        return Page([kept_source(payload)], token, ends_list=True)
    rows = [kept_source(row) for row in rows_in(payload) if row.get("object") == "data_source"]
    cursor = cursor_in(payload)
    following = look.without([str(row["id"]) for row in rows]).at(cursor)
    has_more = bool(cursor or following.missing)
    return Page(rows, str(following) if has_more else None, ends_list=not cursor)


def kept_source(source: Json) -> Json:
    """Keep a data source's name and schema."""
    found = source.get("properties")
    properties: dict[str, Any] = {}
    for name, config in found.items() if isinstance(found, dict) else ():
        if isinstance(config, dict) and isinstance(config.get("id"), str) and isinstance(config.get("type"), str):
            properties[config["id"]] = [config["type"], str(config.get("name", name)), options_of(config)]
        else:
            properties[str(name)] = []  # the shape refuses it by name
    return {
        "id": source.get("id"),
        "title": plain(source.get("title")),
        "url": source.get("url"),
        "created_time": source.get("created_time"),
        "last_edited_time": source.get("last_edited_time"),
        "in_trash": source.get("in_trash"),
        "properties": properties if isinstance(found, dict) else found,
    }


def schema_changes(before: Json, after: Json) -> Iterator[Notice]:
    """Say which properties were renamed, removed or added. They are told apart by their id."""
    old, new, title = before["properties"], after["properties"], str(after["title"])
    for key, (_kind, name, _options) in old.items():
        if key not in new:
            text = gettext_noop("%(database)s: the property “%(property)s” was removed.")
            yield Notice(text, {"database": title, "property": name})
        elif new[key][1] != name:
            text = gettext_noop("%(database)s: the property “%(before)s” is now called “%(after)s”.")
            yield Notice(text, {"database": title, "before": name, "after": new[key][1]})
    for key in new.keys() - old.keys():
        text = gettext_noop("%(database)s: there is a new property, “%(property)s”.")
        yield Notice(text, {"database": title, "property": new[key][1]})


def options_of(config: Json) -> list[Json]:
    """Return the values that a select or status may have, each with the group it stands in (To-do, Complete …)."""
    kind = config["type"]
    held = config.get(kind) if kind in WITH_OPTIONS else None
    if not isinstance(held, dict) or not isinstance(held.get("options"), list):
        return []
    groups = {
        key: str(group.get("name", ""))
        for group in held.get("groups") or ()
        if isinstance(group, dict)
        for key in group.get("option_ids") or ()
    }
    return [
        {"id": str(option["id"]), "name": str(option.get("name", "")), "group": groups.get(option["id"], "")}
        for option in held["options"]
        if isinstance(option, dict) and option.get("id")
    ]


# --- pages


def read_pages(payload: Json, mapped: Sequence[str], *, by: str) -> Page:
    """Read one page of rows; `by` is the time that the list is ordered by."""
    place = Place.read(str(payload["_place"]))
    if is_error(payload, NOT_SHARED):
        after = Place(place.source, in_trash=True).next_list(mapped)
        text = gettext_noop("The database %(id)s is no longer shared with the connection, or deleted; its pages stay.")
        notice = Notice(text, {"id": place.source})
        return Page([], str(after) if after else None, notices=(notice,), ends_list=True)
    rows = rows_in(payload)
    kept: list[Json] = []
    more: list[More] = []
    notices: dict[str, Notice] = {}
    for row in rows:
        page = kept_page(row, place.source)
        kept.append(page)
        more += follow_ups(row, page)
        notices.update((str(one.values), one) for one in noticed(row))
    following = _after(payload, place, rows, mapped, by)
    is_over = following is None or not following.startswith(f"{place.source}|{'trash' if place.in_trash else 'live'}|")
    return Page(kept, following, more=more, notices=[notices[key] for key in sorted(notices)], ends_list=is_over)


def _after(payload: Json, place: Place, rows: Sequence[Json], mapped: Sequence[str], by: str) -> str | None:
    cursor = cursor_in(payload)
    if cursor:
        return str(place.at(cursor))
    if is_capped(payload):
        last = rows[-1].get(by) if rows else place.since
        if not isinstance(last, str):
            raise SourceFailed(FailureClass.SCHEMA_DRIFT, f"{by} is missing or changed: the list can't be gone on with")
        if last == place.since:
            detail = f"more rows with one {by} ({last}) than Notion gives in a query: they can’t be read"
            raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, detail)
        return str(place.restarted(last))
    following = place.next_list(mapped)
    return str(following) if following else None


def kept_page(page: Json, source: str) -> Json:
    """Keep a page's times, its title, and its properties by their stable id; never its body or its texts."""
    found = page.get("properties")
    properties: dict[str, Any] = {}
    title = ""
    for name, value in found.items() if isinstance(found, dict) else ():
        if (
            not isinstance(value, dict)
            or not isinstance(value.get("id"), str)
            or not isinstance(value.get("type"), str)
        ):
            properties[str(name)] = []  # the shape refuses it by name
            continue
        kind = value["type"]
        if kind == "title":
            title = plain(value.get("title"))
        try:
            properties[value["id"]] = [kind, settled(kind, value.get(kind))]
        except (ValueError, TypeError, KeyError, AttributeError):
            properties[value["id"]] = [kind]
    return {
        "id": page.get("id"),
        "source": source,
        "title": title,
        "url": page.get("url"),
        "created_time": page.get("created_time"),
        "last_edited_time": page.get("last_edited_time"),
        "created_by": ref(page.get("created_by")),
        "last_edited_by": ref(page.get("last_edited_by")),
        "in_trash": page.get("in_trash"),
        "properties": properties if isinstance(found, dict) else found,
    }


def follow_ups(page: Json, kept: Json) -> Iterator[More]:
    """Yield what completes the lists that Notion cut: relations say so, people do not."""
    found = page.get("properties")
    for value in found.values() if isinstance(found, dict) else ():
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in ("relation", "people"):
            continue
        held = value.get(kind)
        is_cut = value.get("has_more") is True or (kind == "people" and isinstance(held, list) and len(held) >= CUT)
        if is_cut and isinstance(value.get("id"), str):
            yield Cut(str(page.get("id")), value["id"], kind, kept).rest()


@dataclass
class Cut:
    """A list of which a page shows the beginning; asked for whole, from its first item on."""

    page_id: str
    property_id: str
    kind: str
    kept: Json
    seen: list[str] = field(default_factory=list)

    def rest(self, cursor: str = "") -> More:
        """Return what fetches the items after a cursor."""
        params = {"page_size": str(MORE), **({"start_cursor": cursor} if cursor else {})}
        path = f"/v1/pages/{self.page_id}/properties/{quote(self.property_id, safe='%')}"
        return More(Request(path, "GET", params, judged=(404,)), partial(self.merge, cursor))

    def merge(self, cursor: str, payload: Json) -> More | None:
        """Add the items of an answer; at the end, put the whole list into the record."""
        if is_error(payload, NOT_SHARED):  # the page went meanwhile: half a list is no list, the shape refuses it
            self.kept["properties"][self.property_id] = []
            return None
        try:
            self.seen += [str(item[self.kind]["id"]) for item in rows_in(payload)]
        except (KeyError, TypeError) as error:
            raise SourceFailed(FailureClass.BAD_PAYLOAD, f"a property item without {error}", is_final=False) from error
        following = cursor_in(payload)
        if following and following == cursor:
            raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "the same cursor twice in a property")
        if following:
            return self.rest(following)
        every = list(dict.fromkeys(self.seen))
        whole = people([{"id": one} for one in every]) if self.kind == "people" else relation(every)
        self.kept["properties"][self.property_id] = [self.kind, whole]
        return None


def noticed(page: Json) -> Iterator[Notice]:
    """Name what Notion could not compute, and types that we don't know."""
    found = page.get("properties")
    for name, value in found.items() if isinstance(found, dict) else ():
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            continue
        if not is_known(kind):
            text = gettext_noop("%(property)s: unknown type of property “%(kind)s”, left empty")
            yield Notice(text, {"property": name, "kind": kind[:40]})
        inner = value.get(kind)
        if (
            kind in ("formula", "rollup")
            and isinstance(inner, dict)
            and inner.get("type") in ("unsupported", "incomplete")
        ):
            text = gettext_noop("%(property)s: this %(kind)s is %(why)s, left empty")
            yield Notice(text, {"property": name, "kind": kind, "why": inner["type"]})


# --- raw records as rows


def rows_of(stream: str, record: Json) -> Iterable[Record]:
    """Turn one kept record into its rows. The record has passed its shape."""
    if stream == "users":
        yield records.PersonAccount(
            external_id=record["id"],
            email=(record["email"] or "").strip().lower(),
            name=record["name"] or "",
            kind="bot" if record["type"] == "bot" else "member",
        )
    elif stream == "data_sources":
        yield records.DocumentSource(
            external_id=record["id"],
            name=record["title"],
            url=web(record["url"]),
            properties=[
                {"id": key, "name": name, "type": kind, "options": options}
                for key, (kind, name, options) in record["properties"].items()
            ],
            is_trashed=record["in_trash"],
            edited_at=moment(record["last_edited_time"]),
        )
    else:
        yield records.Document(
            external_id=record["id"],
            source_ref=record["source"],
            title=record["title"],
            url=web(record["url"]),
            creator_ref=record["created_by"],
            editor_ref=record["last_edited_by"],
            opened_at=moment(record["created_time"]),
            edited_at=moment(record["last_edited_time"]),
            is_trashed=record["in_trash"],
            values={key: {"type": kind, "value": value} for key, (kind, value) in record["properties"].items()},
        )


def plain(texts: Any) -> str:
    """Join the plain words of a rich text."""
    if not isinstance(texts, list):
        return ""
    return "".join(str(text.get("plain_text", "")) for text in texts if isinstance(text, dict))


def ref(user: Any) -> Any:
    return user.get("id") if isinstance(user, dict) else None


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def web(url: str | None) -> str:
    return url if url and url.startswith(("https://", "http://")) and len(url) <= 500 else ""
