"""What is understood of GitHub: a page of raw records, cut down to what is used, and the rows that each becomes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.utils.translation import gettext_noop

from connectors import records
from connectors.base import Json, More, Notice, Page, Request, Slice

KEPT: Mapping[str, tuple[str, ...]] = {
    "pulls": ("id", "number", "title", "html_url", "state", "draft", "created_at", "updated_at", "closed_at",
              "merged_at"),
    "releases": ("id", "tag_name", "name", "html_url", "draft", "prerelease", "published_at"),
    "deployments": ("id", "environment", "production_environment", "ref", "created_at"),
}  # fmt: skip
ORDERED_BY = {"pulls": "updated_at", "deployments": "created_at"}  # latest first; releases keep no order to rely on
KNOWN = {"open", "closed"}  # states of a pull request
KEY = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{1,9}-[1-9]\d{0,5})(?![A-Za-z0-9])")
STATUSES_A_PAGE = 100


@dataclass(frozen=True)
class Place:
    """Where reading stands, spelled as a page token: in which repository, and the query that its Link header gave."""

    repository: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.repository}?{self.query}"

    @classmethod
    def read(cls, token: str) -> "Place":
        return cls(*token.partition("?")[::2])

    def next_list(self, repositories: Sequence[str]) -> "Place | None":
        """Return the beginning of the next repository, None after the last; the first after one that is not chosen."""
        following = repositories.index(self.repository) + 1 if self.repository in repositories else 0
        return Place(repositories[following]) if following < len(repositories) else None


def read_page(
    stream: str, part: Slice, payload: Json, repositories: Sequence[str], unread: Sequence[str]
) -> Page:  # fmt: skip
    """Read a page of one repository's list, and where it goes on: the next page, the next repository, or nowhere."""
    place = Place.read(payload["_place"])
    following = place.next_list(repositories)
    after = str(following) if following else None
    if "items" not in payload:
        text = gettext_noop("%(repository)s was renamed, is not there, or is not among the token’s repositories.")
        said = Notice(text, {"repository": place.repository})
        return Page((), after, notices=(said,), ends_list=True)
    found = [cut(stream, place.repository, one) for one in payload["items"]]
    start = None if part.sweep or place.repository in unread else part.start
    wanted = [one for one in found if not is_before(one.get(ORDERED_BY.get(stream, "")), start)]
    is_over = len(wanted) < len(found)  # the rest of the list is older still
    more = [] if stream != "deployments" or part.sweep else [follow(one) for one in wanted]
    if payload["next"] and not is_over:
        return Page(wanted, str(Place(place.repository, urlsplit(payload["next"]).query)), more, strangers(wanted))
    return Page(wanted, after, more, strangers(wanted), ends_list=True)


def cut(stream: str, repository: str, given: Json) -> Json:
    """Return what is kept of a record: never what people wrote below its title."""
    kept: Json = {"repository": repository} | {name: given[name] for name in KEPT[stream] if name in given}
    for name in ("user", "author", "creator"):
        if name in given:
            kept[name] = picked(given[name], ("id", "login", "type"))
    for name in ("base", "head"):
        if name in given:
            kept[name] = picked(given[name], ("ref",))
    return kept


def picked(value: Any, names: Iterable[str]) -> Any:
    """Return these fields of an object; anything else is for the shape to judge."""
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else value


def is_before(value: Any, start: datetime | None) -> bool:
    """Tell whether a moment lies before a window; one that can't be read is for the shape to judge."""
    if start is None or not isinstance(value, str):
        return False
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return False
    return at.tzinfo is not None and at < start


def strangers(found: Iterable[Json]) -> list[Notice]:
    """Say which states of pull requests are new to us."""
    states = {str(one["state"])[:40] for one in found if one.get("state") not in (None, *KNOWN)}
    text = gettext_noop("%(path)s: unknown value “%(value)s”, kept as “other”")
    return [Notice(text, {"path": "state", "value": state}) for state in sorted(states)]


def follow(deployment: Json) -> More:
    """Return the follow-up that brings a deployment's statuses; GitHub gives them of one deployment at a time."""
    path = f"/repos/{deployment['repository']}/deployments/{deployment.get('id')}/statuses"
    deployment["statuses"] = []

    def asked(query: Mapping[str, str]) -> More:
        return More(Request(path, "GET", query, is_list=True), merge)

    def merge(payload: Json) -> More | None:
        held = {one["id"]: one for one in deployment["statuses"]}
        held |= {one.get("id"): picked(one, ("id", "state", "created_at")) for one in payload["items"]}
        deployment["statuses"] = sorted(held.values(), key=lambda one: str(one.get("id")))
        return asked(dict(parse_qsl(urlsplit(payload["next"]).query))) if payload["next"] else None

    return asked({"per_page": str(STATUSES_A_PAGE)})


def rows_of(stream: str, record: Json) -> Iterator[records.Record]:
    """Turn a kept record into its row."""
    if stream == "pulls":
        yield change_of(record)
    elif stream == "releases":
        yield release_of(record)
    else:
        yield deployment_of(record)


def change_of(record: Json) -> records.ChangeRequest:
    state = record["state"] if record["state"] in KNOWN else "other"
    author = record.get("user") or {}
    return records.ChangeRequest(
        external_id=str(record["id"]),
        repository=record["repository"],
        number=record["number"],
        title=record["title"],
        url=record.get("html_url", ""),
        state="merged" if record.get("merged_at") else state,
        is_draft=record.get("draft", False),
        is_by_bot=author.get("type") == "Bot",
        author_ref=ref_of(author),
        base=record["base"]["ref"],
        item_keys=keys_in(record["head"]["ref"], record["title"]),
        opened_at=datetime.fromisoformat(record["created_at"]),
        edited_at=datetime.fromisoformat(record["updated_at"]),
        closed_at=moment(record.get("closed_at")),
        merged_at=moment(record.get("merged_at")),
    )


def release_of(record: Json) -> records.Release:
    return records.Release(
        external_id=str(record["id"]),
        repository=record["repository"],
        tag=record["tag_name"],
        name=record.get("name") or "",
        url=record.get("html_url", ""),
        is_draft=record.get("draft", False),
        is_prerelease=record.get("prerelease", False),
        author_ref=ref_of(record.get("author")),
        published_at=moment(record.get("published_at")),
    )


def deployment_of(record: Json) -> records.Deployment:
    """A deployment that once succeeded did: it is `inactive` later, when the next one takes its place."""
    succeeded = [one["created_at"] for one in record["statuses"] if one["state"] == "success"]
    failed = [one["created_at"] for one in record["statuses"] if one["state"] in ("failure", "error")]
    return records.Deployment(
        external_id=str(record["id"]),
        repository=record["repository"],
        environment=record["environment"],
        is_production=bool(record.get("production_environment")),
        version=record.get("ref", ""),
        creator_ref=ref_of(record.get("creator")),
        outcome="success" if succeeded else "failure" if failed else "pending",
        requested_at=datetime.fromisoformat(record["created_at"]),
        succeeded_at=min(map(datetime.fromisoformat, succeeded), default=None),
        failed_at=min(map(datetime.fromisoformat, failed), default=None),
    )


def keys_in(*texts: str) -> list[str]:
    """Return what looks like the key of an issue, as trackers write it: SHP-12."""
    return sorted({key.upper() for text in texts for key in KEY.findall(text)})


def ref_of(account: Json | None) -> str:
    return str(account["id"]) if account else ""


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
