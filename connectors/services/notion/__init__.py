"""Notion: who works in it, which databases there are, and the pages of those that an admin mapped.

See docs/connectors/notion.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from connectors.base import (
    Announced,
    Answer,
    Budget,
    Checked,
    Connector,
    Handshake,
    Hook,
    Json,
    Limits,
    Mode,
    Notice,
    NotTaken,
    Page,
    Request,
    Slice,
    SourceFailed,
    Stream,
)
from connectors.records import Record

from . import shapes, wire
from .places import Look, Misplaced, Place
from .read import read_pages, read_sources, read_users, rows_of, schema_changes
from .webhook import HOOK
from .webhook import webhook as announce

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WEEK = timedelta(days=7)
PAGE = 100  # the largest page that Notion gives
NOTHING = "nothing"  # the token's place of the pages while no data source is mapped
ANY_NUMBER = 20_000  # pages of a history that is read for the first time


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Notion:
    """The declaration, and the pure functions behind it.

    Times are rounded to the minute and a window's end is fixed before its first page. A row edited in the last minutes
    of a window may thus be missed by it; the overlap of a quarter of an hour has the next one read it again.
    """

    key = "notion"
    name = "Notion"
    base_url = "https://api.notion.com"
    hosts: tuple[str, ...] = ("api.notion.com",)
    # Three requests a second on average, says the older document; the newer one names no number. A second budget, of
    # the workspace, is shared with every other connection: an answer of 429 tells when it is used up.
    budgets: tuple[Budget, ...] = (Budget("request", 200, timedelta(minutes=1)),)
    map_version = 1
    hook: Hook = HOOK
    scopes: "Sequence[tuple[str, StrOrPromise]]" = (
        (
            "Read content",
            _("reads the databases that are shared with the connection, and their pages’ properties; changes nothing"),
        ),
        (
            "Read user information including email addresses",
            _("ties Notion accounts to people; without e-mails they are tied by hand"),
        ),
    )
    streams: tuple[Stream, ...] = (
        Stream(
            "users", _("accounts"), _("seats, and who is who"), Mode.FULL, shapes.UserShape, page_size=PAGE,
            version_path="", personal=("name", "email"),
        ),
        Stream(
            "data_sources", _("databases"), _("what the mapping offers, and whether it still fits"), Mode.FULL,
            shapes.DataSourceShape, page_size=PAGE, version_path="last_edited_time", snapshot=("properties",),
            on_change=schema_changes,
        ),
        Stream(
            "pages", _("pages of mapped databases"),
            _("interviews, decisions, experiments, and how fresh documents are"), Mode.WINDOW, shapes.PageShape,
            page_size=PAGE, version_path="last_edited_time", overlap=timedelta(minutes=15), window=timedelta(days=365),
            sweep_every=WEEK, sweep_reads=True, is_chosen=True,
            personal=("title",),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self.mapped: tuple[str, ...] = ()
        self.unread: frozenset[str] = frozenset()

    def bound(self, chosen: Mapping[str, Sequence[str]]) -> Connector:
        """Return a copy that reads these data sources: the whole history of the unread ones, of others the window.

        Each data source takes a request for itself and one for its trash, changed or not.
        """
        made = copy(self)
        made.mapped, made.unread = tuple(chosen["data_sources"]), frozenset(chosen["unread"])
        spare = ANY_NUMBER if made.unread else 2 * len(made.mapped)
        made.streams = tuple(
            replace(stream, spare_pages=spare) if stream.name == "pages" else stream for stream in self.streams
        )
        return made

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the credential and the version; without the version Notion refuses."""
        return {"Authorization": f"Bearer {secret}", "Notion-Version": wire.VERSION}

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*."""
        return Request("/v1/users/me", "GET")

    def checked(self, payload: Json) -> Checked:
        """Read who we are: a connection is a bot; a personal token is a person, and may not list accounts."""
        bot = payload.get("bot")
        workspace = bot.get("workspace_name") if isinstance(bot, dict) else None
        unavailable = {}
        if payload.get("type") == "person":
            unavailable["users"] = "a personal access token can’t list accounts; use an internal connection"
        return Checked(str(payload.get("name") or payload.get("id", "")), str(workspace or ""), "", unavailable)

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one list."""
        if stream.name == "users":
            params = {"page_size": str(PAGE), **({"start_cursor": token} if token else {})}
            return Request("/v1/users", "GET", params, judged=(403,))
        if stream.name == "data_sources":
            return self._request_sources(token)
        return self._request_pages(part, token)

    def _request_sources(self, token: str | None) -> Request:
        """The search first; what is mapped and was not found is then asked for by its id."""
        look = Look.read(token) if token else Look(self.mapped)
        echo = {"_look": str(look)}
        if look.is_searched:
            return Request(f"/v1/data_sources/{look.missing[0]}", "GET", echo=echo, judged=(404,))
        asked: Json = {"filter": {"property": "object", "value": "data_source"}, "page_size": PAGE}
        return Request("/v1/search", json={**asked, "start_cursor": look.cursor} if look.cursor else asked, echo=echo)

    def _request_pages(self, part: Slice, token: str | None) -> Request:
        if not self.mapped:
            return Request("/v1/users/me", "GET", echo={"_place": NOTHING})
        try:
            place = Place.read(token) if token else Place(self.mapped[0])
        except Misplaced:
            place = Place(self.mapped[0])
        by = "created_time" if part.sweep else "last_edited_time"
        bounds: list[dict[str, str]] = []
        if place.since:
            bounds.append({"on_or_after": place.since})
        elif part.start is not None and place.source not in self.unread:
            bounds.append({"on_or_after": _moment(part.start)})
        if part.end is not None:
            bounds.append({"before": _moment(part.end)})
        filters: list[Json] = [{"timestamp": by, by: bound} for bound in bounds]
        asked: dict[str, Any] = {"sorts": [{"timestamp": by, "direction": "ascending"}], "page_size": PAGE}
        if filters:
            asked["filter"] = filters[0] if len(filters) == 1 else {"and": filters}
        if place.in_trash:
            asked["in_trash"] = True
        if place.cursor:
            asked["start_cursor"] = place.cursor
        # A database that is not shared any more must not keep the others from being read. A sweep, though, can't tell
        # its pages from deleted ones, and stops.
        judged = () if part.sweep else (404,)
        return Request(f"/v1/data_sources/{place.source}/query", json=asked, echo={"_place": str(place)}, judged=judged)

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer; its `more` completes relations that were cut."""
        if stream.name == "users":
            return read_users(payload)
        if stream.name == "data_sources":
            return read_sources(payload)
        if payload.get("_place") == NOTHING:
            return Page((), notices=(Notice(gettext_noop("No database is mapped yet: no page is read.")),))
        return read_pages(payload, self.mapped, by="created_time" if part.sweep else "last_edited_time")

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one kept record into normalised rows."""
        return rows_of(stream.name, record)

    def webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime
    ) -> Announced | Handshake | NotTaken:
        """Verify one delivery, and tell what it announces."""
        return announce(headers, raw_body, secret, now)

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good."""
        return wire.classify(answer, now)

    def limits(self, answer: Answer) -> Limits:
        """Notion's headers do not tell what is left."""
        return Limits()


connector: Connector = Notion()
