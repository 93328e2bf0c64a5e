"""Productboard: what is planned, what it is for, and what customers said. See docs/connectors/productboard.md."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from connectors.base import (
    Announced,
    Answer,
    Budget,
    Checked,
    Connector,
    Hook,
    Json,
    Limits,
    Mode,
    NotTaken,
    Page,
    Request,
    Slice,
    SourceFailed,
    Stream,
)
from connectors.records import Record

from . import read, rows, shapes, wire
from .webhook import HOOK
from .webhook import webhook as announce

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DAY, WEEK = timedelta(hours=20), timedelta(days=7)  # a night is never quite a day after the last one
FIRST_DAYS = timedelta(days=730)  # how far back activity is asked for at first
ENTITIES, SEARCH = "/v2/entities", "/v2/entities/search"
CATALOGUES = ("/v2/entities/configurations", "/v2/notes/configurations")
# Stream → entity type. Two types are not read: companies and users, who are our customers' people.
TYPES: Mapping[str, str] = {
    "products": "product",
    "components": "component",
    "features": "feature",
    "subfeatures": "subfeature",
    "initiatives": "initiative",
    "objectives": "objective",
    "key_results": "keyResult",
    "releases": "release",
    "release_groups": "releaseGroup",
}
LISTS: Mapping[str, str] = {
    "configurations": CATALOGUES[0],
    "members": "/v2/members",
    "teams": "/v2/teams",
    "notes": "/v2/notes",
    "member_activities": "/v2/analytics/member-activities",
}
SCOPES: Mapping[str, str] = {"notes": "notes:read", "member_activities": "analytics:read"}
IN_EVERY_PLAN = frozenset({"configurations", "members", "teams", "products", "components", "features", "notes"})
OWNER = ("fields.owner.email",)
CHANGES = (
    "fields.status.name", "fields.timeframe.startDate", "fields.timeframe.endDate", "fields.health.status",
    "fields.workProgress.value", "fields.progress.currentValue",
)  # fmt: skip


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _entities(name: str, label: "StrOrPromise", feeds: "StrOrPromise") -> Stream:
    """Declare the stream of one entity type.

    Its window finds what was edited; its nightly sweep reads everything, for an edit of a tie or of a custom field
    may not move `updatedAt`, a deletion leaves no trace, and status, dates and health are kept per day.
    """
    return Stream(
        name, label, feeds, Mode.WINDOW, shapes.EntityShape, page_size=100, window=timedelta(days=365),
        sweep_every=DAY, sweep_reads=True, personal=OWNER, snapshot=CHANGES,
    )  # fmt: skip


class Productboard:
    """The declaration, and the pure functions behind it."""

    key = "productboard"
    name = "Productboard"
    base_url = "https://api.productboard.com"
    hosts: tuple[str, ...] = ("api.productboard.com",)
    budgets: tuple[Budget, ...] = (Budget("request", 50, timedelta(seconds=1)),)
    map_version = 2
    hook: Hook = HOOK
    scopes: "Sequence[tuple[str, StrOrPromise]]" = (
        ("entities:read", _("reads products, features, objectives and releases; changes nothing")),
        ("notes:read", _("reads when feedback came in and whether it was processed, never its words")),
        ("analytics:read", _("reads who was active on which day; without it, adoption can’t be measured")),
        ("members:pii:read", _("ties accounts to people by e-mail; without it, each is matched by hand")),
    )
    streams: tuple[Stream, ...] = (
        Stream(
            "configurations", _("field catalogues"), _("noticing that a field was renamed or removed"), Mode.FULL,
            shapes.ConfigurationShape, version_path="", key_path="type", on_change=read.drift,
        ),
        Stream(
            "members", _("accounts"), _("seats, and who is who"), Mode.FULL, shapes.MemberShape, page_size=100,
            version_path="", personal=("name", "username", "email"),
        ),
        Stream(
            "teams", _("teams"), _("whose work a number is about"), Mode.FULL, shapes.TeamShape, page_size=100,
        ),
        _entities("products", _("products"), _("what features are part of")),
        _entities("components", _("components"), _("what features are part of")),
        _entities("features", _("features"), _("status, owner, dates and evidence of what is planned")),
        _entities("subfeatures", _("subfeatures"), _("status, owner, dates and evidence of what is planned")),
        _entities("initiatives", _("initiatives"), _("which goal work serves")),
        _entities("objectives", _("objectives"), _("which goal work serves")),
        _entities("key_results", _("key results"), _("how far objectives have come")),
        _entities("releases", _("releases"), _("whether releases come when they were meant to")),
        _entities("release_groups", _("release groups"), _("whether releases come when they were meant to")),
        Stream(
            "notes", _("notes"), _("how much feedback comes in, and how soon it is processed"), Mode.WINDOW,
            shapes.NoteShape, page_size=100, sweep_every=WEEK, sweep_reads=True,
            personal=("fields.owner.email", "fields.creator.email"), snapshot=("fields.processed", "fields.archived"),
        ),
        Stream(
            "member_activities", _("activity by day"), _("who uses the tool, week by week"), Mode.DAILY,
            shapes.ActivityShape, page_size=100, version_path="", overlap=timedelta(days=3),
            window=timedelta(days=365), needs=("members",),
        ),
    )  # fmt: skip

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the credential: API tokens and OAuth tokens go behind the same word."""
        return {"Authorization": f"Bearer {secret}"}

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*: nothing tells who we are, so it asks who there is."""
        return Request(LISTS["members"], "GET", judged=wire.JUDGED)

    def checked(self, payload: Json) -> Checked:
        """Read which workspace it is, by the address of its pages, and whether names are hidden."""
        found = read.rows_in(payload, is_in_every_plan=True, scope="members:pii:read")
        addresses = (row.get("links", {}).get("html") for row in found if isinstance(row.get("links"), dict))
        host = next((host for address in addresses if (host := urlsplit(str(address or "")).hostname)), "")
        _members, notices = read.members(found)
        hidden = {_("names and e-mails"): _("the token lacks the right members:pii:read")} if notices else {}
        return Checked(
            account="",
            workspace=host.partition(".")[0] if host.endswith(".productboard.com") else "",
            workspace_url=f"https://{host}" if host else "",
            unavailable={str(what): str(why) for what, why in hidden.items()},
        )

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one slice: a token is the path of a page, as its link gave it."""
        if stream.name in TYPES:
            return self._entities(TYPES[stream.name], part, token)
        params: dict[str, str] = {}
        if part.start is not None and part.end is not None:
            if stream.name == "member_activities":
                start = max(part.start, part.end - FIRST_DAYS)
                params = {"dateFrom": str(start.astimezone(UTC).date()), "dateTo": str(part.end.astimezone(UTC).date())}
            elif stream.name == "notes":
                params = {"updatedFrom": _moment(part.start), "updatedTo": _moment(part.end)}
        path = token or LISTS[stream.name]
        echo = {"of": path.partition("?")[0]} if stream.name == "configurations" else {}
        return Request(path, "GET", {} if token else params, echo=echo, judged=wire.JUDGED)

    def _entities(self, kind: str, part: Slice, token: str | None) -> Request:
        """A window is searched, one type a request; the whole is listed."""
        if part.start is None or part.end is None:
            return Request(token or ENTITIES, "GET", {} if token else {"type[]": kind}, judged=wire.JUDGED)
        window = {"from": _moment(part.start), "to": _moment(part.end)}
        body = {"data": {"filter": {"type": [kind], "updatedAt": window}}}
        return Request(token or SEARCH, "POST", json=body, judged=wire.JUDGED)

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer, without what people wrote."""
        found = read.rows_in(
            payload,
            is_in_every_plan=stream.name in IN_EVERY_PLAN,
            scope=SCOPES.get(stream.name, "entities:read"),
        )
        if stream.name in TYPES:
            return read.page(payload, *read.entities(found, TYPES[stream.name]))
        if stream.name == "notes":
            return read.page(payload, *read.notes(found))
        if stream.name == "members":
            kept, notices = read.members(found)
            return read.page(payload, kept, (), notices)
        if stream.name == "member_activities":
            return read.page(payload, read.activities(found))
        if stream.name == "configurations":
            return read.catalogue(found, payload, then="" if payload["of"] == CATALOGUES[1] else CATALOGUES[1])
        for row in found:
            row.pop("links", None)
        return read.page(payload, found)

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one raw record into normalised rows."""
        return rows.entity(record) if stream.name in TYPES else rows.MAPS[stream.name](record)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime) -> Announced | NotTaken:
        """Verify one delivery, and tell what it announces."""
        return announce(headers, raw_body, secret, now)

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good."""
        return wire.classify(answer, now)

    def limits(self, answer: Answer) -> Limits:
        """Read what is left of this second."""
        return wire.limits(answer)


connector: Connector = Productboard()
