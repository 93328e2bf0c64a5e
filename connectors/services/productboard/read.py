"""Productboard's answers, read: pages of raw records, tidied and without what people wrote. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from connectors.base import FailureClass, Json, More, Notice, Page, Request, SourceFailed

from .wire import JUDGED, code_of, refusal

REDACTED = "[redacted]"
# What people wrote stays at the source
UNREAD = {"entity": ("description",), "note": ("name", "content")}
# Values we know. Another one becomes "other" and is said, never guessed.
HEALTHS = frozenset({"notSet", "onTrack", "atRisk", "offTrack"})
GRANULARITIES = frozenset({"year", "quarter", "month", "day"})
ROLES = frozenset({"admin", "maker", "viewer", "contributor"})
NOTES = frozenset({"textNote", "conversationNote", "opportunityNote"})
KNOWN: Mapping[str, frozenset[str]] = {
    "fields.health.status": HEALTHS,
    "fields.timeframe.granularity": GRANULARITIES,
    "fields.role": ROLES,
}


def rows_in(payload: Json, *, is_in_every_plan: bool, scope: str) -> list[Json]:
    """Return the rows of a page. Raises SourceFailed where there are none to be had."""
    if payload.get("errors"):
        raise refusal(payload, is_in_every_plan=is_in_every_plan, scope=scope)
    rows = payload.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "data is not a list of objects", is_final=False)
    return rows


def next_link(payload: Json) -> str:
    """Return the address of the next page, empty at the end. Raises SourceFailed where nothing says which it is."""
    links = payload.get("links")
    if not isinstance(links, dict):
        raise SourceFailed(FailureClass.SCHEMA_DRIFT, "links is missing or changed")
    following = links.get("next")
    if following is not None and not isinstance(following, str):
        raise SourceFailed(FailureClass.SCHEMA_DRIFT, "links.next is no address")
    return following or ""


def entities(rows: Sequence[Json], wanted: str) -> tuple[list[Json], list[More], list[Notice]]:
    """Tidy a page of entities; those of another type, which a search may let in, are left out and said."""
    kept = [row for row in rows if row.get("type") == wanted]
    notices = list(unknown_values(kept))
    if strangers := len(rows) - len(kept):
        text = gettext_noop("%(strangers)s of %(all)s records were of another type and left out")
        notices.append(Notice(text, {"strangers": strangers, "all": len(rows)}))
    more = [found for row in kept if (found := tidy(row, "entity")) is not None]
    return kept, more, notices


def notes(rows: Sequence[Json]) -> tuple[list[Json], list[More], list[Notice]]:
    """Tidy a page of notes."""
    unknown = sorted({str(row.get("type"))[:40] for row in rows} - NOTES)
    notices = [
        Notice(gettext_noop("%(path)s: unknown value “%(value)s”, kept as it is"), {"path": "type", "value": value})
        for value in unknown
    ]
    more = [found for row in rows if (found := tidy(row, "note")) is not None]
    return list(rows), more, notices


def members(rows: Sequence[Json]) -> tuple[list[Json], list[Notice]]:
    """Take hidden names and e-mails out, and say how many there are."""
    hidden = 0
    for row in rows:
        fields = row.get("fields")
        if not isinstance(fields, dict):
            continue
        drop_empty(fields)
        names = [name for name in ("name", "username", "email") if fields.get(name) == REDACTED]
        for name in names:
            del fields[name]
        hidden += bool(names)
        row.pop("links", None)
    notices = list(unknown_values(rows))
    if hidden:
        text = gettext_noop(
            "Names and e-mails are hidden from this token (members:pii:read is missing): "
            "accounts can’t be tied to people by e-mail and wait to be matched by hand"
        )
        notices.append(Notice(text))
    return list(rows), notices


def activities(rows: Sequence[Json]) -> list[Json]:
    """Give each day of a member an id of its own; the row has none."""
    return [{**row, "id": f"{row['memberId']}:{row['date']}"} if _has_day(row) else row for row in rows]


def _has_day(row: Json) -> bool:
    return all(isinstance(row.get(name), str) and row[name] for name in ("memberId", "date"))


def tidy(row: Json, kind: str) -> More | None:
    """Bring a record into one spelling, whichever request it came by; return what its ties still lack.

    Empty fields are left out, ties are one list in a fixed order, addresses of the API itself are gone, for they
    say nothing that the ids don't. What is of the wrong type stays, for the shape to refuse.
    """
    fields = row.get("fields")
    if isinstance(fields, dict):
        for name in UNREAD[kind]:
            fields.pop(name, None)
        drop_empty(fields)
        if isinstance(fields.get("health"), dict):
            fields["health"].pop("comment", None)
            drop_empty(fields["health"])
        for name in ("owner", "creator"):
            person = fields.get(name)
            if isinstance(person, dict) and person.get("email") == REDACTED:
                del person["email"]
    links = row.pop("links", None)
    if isinstance(links, dict) and isinstance(links.get("html"), str):
        row["url"] = links["html"]
    held = row.get("relationships", [])
    following = None
    if isinstance(held, dict) and isinstance(held.get("data"), list):
        inner = held.get("links")
        following = inner.get("next") if isinstance(inner, dict) else None
        held = held["data"]
    row["relationships"] = in_order(held) if isinstance(held, list) else held
    return ties_after(row, following, 1) if isinstance(following, str) else None


def ties_after(row: Json, link: str, page: int) -> More:
    """Return the follow-up that reads the rest of a record's ties."""

    def merge(payload: Json) -> More | None:
        if payload.get("errors"):
            if code_of(payload)[0] == "resource.notFound":
                return None  # deleted since its page was read: the next sync says so
            raise refusal(payload, is_in_every_plan=True, scope="entities:read")
        row["relationships"] = in_order([*row["relationships"], *rows_in(payload, is_in_every_plan=True, scope="")])
        following = next_link(payload)
        if following == link:
            raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "the same page of relationships twice")
        return ties_after(row, following, page + 1) if following else None

    return More(Request(link, "GET", judged=JUDGED), merge)


def in_order(ties: Iterable[Any]) -> list[Any]:
    """Return ties without the addresses of their targets, each once, in one order whatever the source's."""
    kept: dict[tuple[str, str], Any] = {}
    for tie in ties:
        target = tie.get("target") if isinstance(tie, dict) else None
        if not isinstance(target, dict):
            return list(ties)  # not as it should be: the shape will say so
        plain = {"type": tie.get("type"), "target": {"id": target.get("id"), "type": target.get("type")}}
        kept[str(tie.get("type")), str(target.get("id"))] = plain
    return [kept[key] for key in sorted(kept)]


def drop_empty(fields: Json) -> None:
    """Leave out what is null: the source leaves it out itself unless asked."""
    for name in [name for name, value in fields.items() if value is None]:
        del fields[name]


def unknown_values(rows: Iterable[Json]) -> Iterator[Notice]:
    """Name each value of a closed list that we do not know, once a page."""
    unknown: set[tuple[str, str]] = set()
    for row in rows:
        for path, known in KNOWN.items():
            value: Any = row
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, str) and value not in known:
                unknown.add((path, value[:40]))
    text = gettext_noop("%(path)s: unknown value “%(value)s”, kept as “other”")
    for path, value in sorted(unknown):
        yield Notice(text, {"path": path, "value": value})


def page(payload: Json, rows: Sequence[Json], more: Sequence[More] = (), notices: Sequence[Notice] = ()) -> Page:
    """Return a page with its link to the next."""
    return Page(rows, None, more, notices, next_link=next_link(payload))


def catalogue(rows: Sequence[Json], payload: Json, *, then: str) -> Page:
    """Return a page of field catalogues; after the last one of a list, the list at `then` follows."""
    for row in rows:
        row.pop("links", None)
    following = next_link(payload) if "links" in payload else ""
    if following or not then:
        return Page(rows, next_link=following)
    return Page(rows, then, ends_list=True)


def drift(before: Json, after: Json) -> Iterator[Notice]:
    """Say how the catalogue of a type changed, by the ids of its fields: a new name is no other field."""
    was, now = _by_id(before), _by_id(after)
    kind = str(after.get("type"))
    for key in sorted(was.keys() | now.keys()):
        if key not in now:
            yield Notice(gettext_noop("%(kind)s: the field “%(field)s” is gone"), {"kind": kind, "field": was[key][0]})
        elif key not in was:
            yield Notice(gettext_noop("%(kind)s: a new field, “%(field)s”"), {"kind": kind, "field": now[key][0]})
        else:
            (old_name, old_schema), (name, schema) = was[key], now[key]
            if old_name != name:
                text = gettext_noop("%(kind)s: the field “%(before)s” is now called “%(after)s”")
                yield Notice(text, {"kind": kind, "before": old_name, "after": name})
            if old_schema != schema:
                text = gettext_noop("%(kind)s: the field “%(field)s” holds another kind of value")
                yield Notice(text, {"kind": kind, "field": name})


def _by_id(configuration: Json) -> dict[str, tuple[str, Any]]:
    fields = configuration.get("fields")
    found = fields.values() if isinstance(fields, dict) else ()
    return {
        str(one.get("id")): (str(one.get("name"))[:60], one.get("schema")) for one in found if isinstance(one, dict)
    }
