"""Productboard's raw records as normalised rows. Pure; zones and units end here."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors import records
from connectors.base import Json
from connectors.records import Record

from .read import GRANULARITIES, HEALTHS

# Entity type → our word for it
KINDS: Mapping[str, str] = {
    "product": "product",
    "component": "component",
    "feature": "feature",
    "subfeature": "subfeature",
    "initiative": "initiative",
    "objective": "objective",
    "keyResult": "key_result",
    "release": "release",
    "releaseGroup": "release_group",
}
STANDARD = frozenset({
    "name", "description", "status", "owner", "teams", "tags", "archived", "timeframe", "health", "workProgress",
    "progress",
})  # fmt: skip
ADDRESS = re.compile(r"https?://[^\s<>\"'“”()\[\]]+")
LONGEST_URL, MOST_URLS = 500, 20
LARGEST = 1e12  # no effort or score is larger; a column of floats holds it exactly


def entity(raw: Json) -> Iterator[Record]:
    """A planned thing, and its ties to others."""
    fields = raw["fields"]
    item, owner, timeframe = raw["id"], fields.get("owner") or {}, fields.get("timeframe") or {}
    health, progress = fields.get("health") or {}, fields.get("progress") or {}
    done = (fields.get("workProgress") or {}).get("value")
    parents = [tie["target"]["id"] for tie in raw["relationships"] if tie["type"] == "parent"]
    yield records.ProductItem(
        external_id=item,
        kind=KINDS[raw["type"]],
        name=_text(fields.get("name"), 500),
        url=_url(raw.get("url")),
        status=_text((fields.get("status") or {}).get("name"), 100),
        status_ref=str((fields.get("status") or {}).get("id") or ""),
        owner_ref=str(owner.get("id") or ""),
        owner_email=_text(owner.get("email"), 254).strip().lower(),
        team_refs=[team["id"] for team in fields.get("teams") or () if team.get("id")],
        parent_ref=parents[0] if parents else "",
        is_archived=bool(fields.get("archived")),
        starts_on=_day(timeframe.get("startDate")),
        ends_on=_day(timeframe.get("endDate")),
        granularity=_choice(timeframe.get("granularity"), GRANULARITIES),
        health=_choice(health.get("status"), HEALTHS),
        health_at=_moment(health.get("lastUpdatedAt")),
        progress=None if done is None else min(max(done / 100, 0.0), 1.0),
        metric_start=_number(progress.get("startValue")),
        metric_target=_number(progress.get("targetValue")),
        metric_current=_number(progress.get("currentValue")),
        outside_urls=outside_urls(raw),
        numbers=numbers(fields),
        opened_at=_at(raw["createdAt"]),
        edited_at=_at(raw["updatedAt"]),
    )
    for tie in raw["relationships"]:
        if tie["type"] != "parent":
            target = tie["target"]["id"]
            yield records.ProductLink(
                external_id=f"{item}:{tie['type']}:{target}", item_ref=item, target_ref=target, kind=tie["type"][:20]
            )


def outside_urls(raw: Json) -> list[str]:
    """Return the addresses in a record's custom fields and its source, in their order: what a join needs."""
    fields = raw["fields"]
    texts = [value for name, value in fields.items() if name not in STANDARD]
    source = (raw.get("metadata") or {}).get("source")
    if isinstance(source, dict):
        texts.append(source.get("url"))
    found = [url.rstrip(".,;:!?") for text in texts for url in ADDRESS.findall(_plain(text))]
    return [url for url in dict.fromkeys(found) if len(url) <= LONGEST_URL][:MOST_URLS]


def numbers(fields: Json) -> dict[str, float]:
    """Return the numbers in a record's custom fields, by the id of the field."""
    found = {
        name: value.get("value") if isinstance(value, dict) else value
        for name, value in fields.items()
        if name not in STANDARD
    }
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    }


def note(raw: Json) -> Iterator[Record]:
    """A note, and what it is about. A note that was put away counts as it stands: unprocessed, whatever it was."""
    fields, key = raw["fields"], raw["id"]
    customers = [tie["target"]["id"] for tie in raw["relationships"] if tie["type"] == "customer"]
    yield records.Feedback(
        external_id=key,
        kind=_text(raw["type"], 20),
        url=_url(raw.get("url")),
        is_processed=bool(fields.get("processed")),
        is_archived=bool(fields.get("archived")),
        owner_ref=str((fields.get("owner") or {}).get("id") or ""),
        creator_ref=str((fields.get("creator") or {}).get("id") or ""),
        customer_ref=customers[0] if customers else "",
        source=_text((fields.get("source") or {}).get("origin"), 60),
        tags=[_text(tag["name"], 100) for tag in fields.get("tags") or ()],
        opened_at=_at(raw["createdAt"]),
        edited_at=_at(raw["updatedAt"]),
    )
    for tie in raw["relationships"]:
        if tie["type"] == "link":
            target = tie["target"]["id"]
            yield records.FeedbackLink(external_id=f"{key}:{target}", feedback_ref=key, item_ref=target)


# A viewer or contributor has a light seat that costs nothing
SEATS: Mapping[str, str] = {"admin": "admin", "maker": "member", "viewer": "guest", "contributor": "guest"}


def member(raw: Json) -> Iterator[Record]:
    """A seat and its teams. Somebody who was invited and never came holds none yet."""
    fields, key = raw["fields"], raw["id"]
    yield records.PersonAccount(
        external_id=key,
        email=_text(fields.get("email"), 254).strip().lower(),
        name=_text(fields.get("name") or fields.get("username"), 200),
        kind=SEATS.get(fields["role"], "other"),
        is_active=not fields.get("disabled") and not fields.get("invitationPending"),
    )
    for team in fields.get("teams") or ():
        if team.get("id"):
            yield records.WorkTeamMember(external_id=f"{team['id']}:{key}", team_ref=team["id"], account_ref=key)


def team(raw: Json) -> Iterator[Record]:
    fields = raw["fields"]
    yield records.WorkTeam(external_id=raw["id"], key=_text(fields.get("handle"), 40), name=_text(fields["name"], 200))


def activity(raw: Json) -> Iterator[Record]:
    """What a member did on a day. Counters come as they are called; flags and words beside them are no counters."""
    counts = {
        name: value for name, value in raw.items() if isinstance(value, int) and not isinstance(value, bool) and value
    }
    yield records.AccountDay(
        external_id=raw["id"],
        account_ref=raw["memberId"],
        day=date.fromisoformat(raw["date"]),
        is_active=raw["activeFlag"] or bool(counts),
        counts=counts,
    )


def configuration(raw: Json) -> Iterator[Record]:
    """The custom fields in the catalogue of an entity type; what fields of notes there are concerns no row."""
    kind = KINDS.get(raw["type"], "")
    for field in raw["fields"].values() if kind else ():
        if field["id"] not in STANDARD:
            yield records.ProductField(
                external_id=f"{kind}:{field['id']}", kind=kind, ref=field["id"], name=_text(field["name"], 100)
            )


MAPS: Mapping[str, Callable[[Json], Iterator[Record]]] = {
    "configurations": configuration,
    "members": member,
    "teams": team,
    "notes": note,
    "member_activities": activity,
}


def _text(value: str | None, longest: int) -> str:
    """Return text that a column can hold: without NUL, which PostgreSQL refuses, and cut to its width."""
    return (value or "").replace("\x00", "")[:longest]


def _plain(value: Any) -> str:
    """Return the text of a custom field: a text itself, or the one inside a rich value; nothing of other kinds."""
    if isinstance(value, dict):
        value = value.get("url") or value.get("value")
    return value if isinstance(value, str) else ""


def _url(value: Any) -> str:
    """Return the address, nothing if it is no web address or too long to be one."""
    is_url = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= LONGEST_URL
    return value if is_url else ""


def _choice(value: str | None, known: frozenset[str]) -> str:
    if not value:
        return ""
    return value if value in known else "other"


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _at(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _moment(value: str | None) -> datetime | None:
    return None if value is None else _at(value)


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
