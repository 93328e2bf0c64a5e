"""Jira Cloud: issues and what happened to them, sprints, and who works on them. See docs/connectors/jira.md."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from connectors.base import (
    Answer,
    Budget,
    Checked,
    Connector,
    Json,
    Limits,
    Mode,
    Page,
    Request,
    Slice,
    SourceFailed,
    Stream,
)
from connectors.records import Record

from . import shapes, wire
from .read import FIELDS, read_page
from .rows import rows_of
from .site import Site

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

API, AGILE = "/rest/api/3", "/rest/agile/1.0"
WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before Jira; a query without a bound is refused
PAGES = {"users": 200, "teams": 50, "labels": 1_000, "cycles": 50, "issues": 100}


class Jira:
    """The declaration, and the pure functions behind it.

    Issues are ordered by creation, which no edit changes. A window is cut to minutes, as Jira compares them, outwards;
    its bounds are milliseconds since 1970, for a date in words would be read in the zone of the token's owner. The
    index that is searched lags behind, hence a longer overlap than elsewhere.
    """

    key = "jira"
    name = "Jira"
    base_url = ""  # each company has its own
    hosts: tuple[str, ...] = ("*.atlassian.net",)
    budgets: tuple[Budget, ...] = (Budget("request", 10, timedelta(seconds=1)),)
    map_version = 1
    credential_shape: "StrOrPromise" = _("the account’s e-mail, a colon, and its API token: ana@example.com:token")
    credential_pattern = r"[^\s:@]+@[^\s:@]+:\S+"
    scopes: "Sequence[tuple[str, StrOrPromise]]" = (
        ("e-mail:token", _("the e-mail of an account, a colon, and an API token of that account, without scopes")),
        ("Browse projects", _("reads issues and their changes in the projects that this account may see")),
        ("Browse users and groups", _("tells which account is whose")),
    )
    streams: tuple[Stream, ...] = (
        Stream(
            "users", _("accounts"), _("seats, and who is who"), Mode.FULL, shapes.UserShape, page_size=PAGES["users"],
            version_path="", key_path="accountId", personal=("displayName", "emailAddress"), snapshot=("active",),
        ),
        Stream(
            "teams", _("projects"), _("whose work a number is about"), Mode.FULL, shapes.ProjectShape,
            page_size=PAGES["teams"], version_path="",
        ),
        Stream(
            "states", _("workflow states"), _("when work starts and when it is done"), Mode.FULL, shapes.StateShape,
            version_path="", needs=("teams",),
        ),
        Stream(
            "labels", _("issue types and labels"), _("what counts as a bug"), Mode.FULL, shapes.LabelShape,
            page_size=PAGES["labels"], version_path="",
        ),
        Stream(
            "cycles", _("sprints"), _("predictability"), Mode.FULL, shapes.SprintShape, page_size=PAGES["cycles"],
            version_path="", needs=("teams",),
        ),
        Stream(
            "issues", _("issues"), _("cycle time, throughput, work in progress, bugs"), Mode.WINDOW, shapes.IssueShape,
            page_size=PAGES["issues"], version_path="fields.updated", overlap=timedelta(minutes=30),
            sweep_every=WEEK, sweep_reads=True, needs=("teams",),
            personal=("fields.summary",),
        ),
    )  # fmt: skip

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the credential: e-mail and token, joined by a colon."""
        return {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"}

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*."""
        return Request(f"{API}/myself", "GET")

    def checked(self, payload: Json) -> Checked:
        """Read who we are and which site it is."""
        parts = urlsplit(str(payload.get("self", "")))
        return Checked(
            account=str(payload.get("displayName") or payload.get("emailAddress") or payload.get("accountId", "")),
            workspace=parts.hostname or "",
            workspace_url=f"{parts.scheme}://{parts.netloc}" if parts.netloc else "",
        )

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one slice."""
        if stream.name == "issues":
            return _issues(part, token)
        if stream.name == "cycles":
            return _cycles(token)
        if stream.name == "states":
            return Request(f"{API}/status", "GET", is_list=True)
        if stream.name == "labels" and token is None:
            return Request(f"{API}/issuetype", "GET", echo={"_at": None}, is_list=True)
        path = {"users": f"{API}/users/search", "teams": f"{API}/project/search", "labels": f"{API}/label"}
        return _numbered(path[stream.name], int(token or 0), stream.page_size, is_list=stream.name == "users")

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer; its `more` brings the changes that an issue came without."""
        return read_page(stream.name, payload)

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one raw record into normalised rows."""
        return rows_of(stream.name, record)

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good."""
        return wire.classify(answer, now)

    def limits(self, answer: Answer) -> Limits:
        """Read what is left of the burst limit."""
        return wire.limits(answer)


def _numbered(path: str, at: int, size: int, *, is_list: bool = False, **echo: object) -> Request:
    """Return the request for a page that begins at a number."""
    query = {"startAt": str(at), "maxResults": str(size)}
    return Request(path, "GET", query, echo={"_at": at, "_size": size, **echo}, is_list=is_list)


def _cycles(token: str | None) -> Request:
    """Boards first, then the sprints of one board after the other."""
    place = json.loads(token) if token else {"at": 0, "boards": [], "sprint": 0}
    if place["at"] is None:
        path, at = f"{AGILE}/board/{place['boards'][0][0]}/sprint", place["sprint"]
        return _numbered(path, at, PAGES["cycles"], _place=place)
    made = _numbered(f"{AGILE}/board", place["at"], PAGES["cycles"], _place=place)
    return Request(made.path, made.method, {**made.params, "type": "scrum"}, echo=made.echo)


def _issues(part: Slice, token: str | None) -> Request:
    """The site's fields, what its statuses mean, and then its issues: see `site`."""
    echo = {"_site": token or ""}
    if token is None:
        return Request(f"{API}/field", "GET", echo=echo, is_list=True)
    site = Site.read(token)
    if site.kinds is None:
        return Request(f"{API}/status", "GET", echo=echo, is_list=True)
    asked = {
        "jql": _window(part),
        "fields": [*FIELDS, *([site.sprint] if site.sprint else []), *site.points],
        "expand": "changelog",
        "maxResults": PAGES["issues"],
    }
    return Request(f"{API}/search/jql", "POST", json=asked | ({"nextPageToken": site.after} if site.after else {}),
                   echo=echo)  # fmt: skip


def _window(part: Slice) -> str:
    """Return the search for what was edited in a slice, from whole minute to whole minute."""
    start = (part.start or EARLIEST).replace(second=0, microsecond=0)
    bounds = f"updated >= {_milliseconds(start)}"
    if part.end is not None:
        bounds += f" AND updated < {_milliseconds(part.end.replace(second=0, microsecond=0) + MINUTE)}"
    return f"{bounds} ORDER BY created ASC"


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp()) * 1_000


connector: Connector = Jira()
