"""Linear: issues, cycles, projects and the people who work on them. See docs/connectors/linear.md."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

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

from . import shapes, wire
from .operations import CHECK, LISTS, SWEEPS
from .read import read as read_page
from .read import rows_of
from .webhook import HOOK
from .webhook import webhook as announce

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
SWEEP_PAGE = 250  # the largest page that Linear is known to give
# Bounds for a slice that has none: before Linear was founded, after any of us
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def _moment(at: datetime) -> str:
    """Write a moment as Linear does, cut to milliseconds: the end of a window and the start of the next stay one."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Linear:
    """The declaration, and the pure functions behind it.

    Lists come latest first, so a row that is edited while its window is read moves to the front and is not met
    again. That loses nothing: a window's upper bound is fixed before its first page, so a row edited later lies
    outside it and belongs to the next window; the overlap catches a clock that runs differently.
    """

    key = "linear"
    name = "Linear"
    base_url = "https://api.linear.app"
    hosts: tuple[str, ...] = ("api.linear.app",)
    # What a personal key has in an hour; the headers of each answer tell the truth
    budgets: tuple[Budget, ...] = (Budget("request", 2_500, HOUR), Budget("point", 3_000_000, HOUR))
    map_version = 1
    hook: Hook = HOOK
    scopes: "Sequence[tuple[str, StrOrPromise]]" = (
        ("read", _("reads issues, projects, cycles and accounts; changes nothing")),
    )
    streams: tuple[Stream, ...] = (
        Stream(
            "users", _("accounts"), _("seats, and who is who"), Mode.FULL, shapes.UserShape, page_size=100,
            personal=("name", "displayName", "email"), snapshot=("active", "lastSeen"),
        ),
        Stream("teams", _("teams"), _("whose work a number is about"), Mode.FULL, shapes.TeamShape, page_size=100),
        Stream(
            "states", _("workflow states"), _("when work starts and when it is done"), Mode.FULL, shapes.StateShape,
            page_size=100, needs=("teams",),
        ),
        Stream("labels", _("labels"), _("what counts as a bug"), Mode.FULL, shapes.LabelShape, page_size=100),
        Stream(
            "memberships", _("team memberships"), _("adoption by team"), Mode.FULL, shapes.MembershipShape,
            page_size=100, needs=("users", "teams"),
        ),
        Stream("templates", _("templates"), _("which templates are in use"), Mode.FULL, shapes.TemplateShape),
        Stream(
            "initiatives", _("initiatives"), _("how much work serves a goal"), Mode.WINDOW, shapes.InitiativeShape,
            page_size=100, sweep_every=WEEK, window=timedelta(days=365), snapshot=("status", "health", "targetDate"),
        ),
        Stream(
            "projects", _("projects"), _("progress, health and slipped dates"), Mode.WINDOW, shapes.ProjectShape,
            sweep_every=WEEK, window=timedelta(days=365), needs=("users", "teams"),
            snapshot=("targetDate", "health", "status.type", "progress"),
        ),
        Stream(
            "initiative_projects", _("projects of initiatives"), _("how much work serves a goal"), Mode.FULL,
            shapes.InitiativeProjectShape, page_size=100, needs=("initiatives", "projects"),
        ),
        Stream(
            "cycles", _("cycles"), _("predictability and scope change"), Mode.WINDOW, shapes.CycleShape,
            sweep_every=WEEK, window=timedelta(days=365), needs=("teams",),
        ),
        Stream(
            "project_updates", _("project updates"), _("how fresh a project’s news is"), Mode.WINDOW,
            shapes.ProjectUpdateShape, page_size=100, sweep_every=WEEK, window=timedelta(days=365), needs=("projects",),
        ),
        Stream(
            "issues", _("issues"), _("cycle time, throughput, work in progress, bugs"), Mode.WINDOW, shapes.IssueShape,
            page_size=100, sweep_every=WEEK, needs=("users", "teams", "states", "labels", "cycles", "projects"),
            personal=("title",),
        ),
    )  # fmt: skip

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the credential: a personal key goes bare, an OAuth token behind the word Bearer."""
        return {"Authorization": secret if secret.startswith("lin_api_") else f"Bearer {secret}"}

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*."""
        return CHECK.request()

    def checked(self, payload: Json) -> Checked:
        """Read who we are and which workspace it is."""
        if payload.get("errors"):
            raise wire.from_errors(payload)
        viewer, organization = payload["data"]["viewer"], payload["data"]["organization"]
        return Checked(
            account=viewer.get("name") or viewer.get("email") or viewer["id"],
            workspace=organization["name"],
            workspace_url=f"https://linear.app/{organization['urlKey']}",
        )

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one slice."""
        if part.sweep and stream.name in SWEEPS:
            return SWEEPS[stream.name].request(first=SWEEP_PAGE, after=token)
        operation = LISTS[stream.name]
        if stream.mode is Mode.WINDOW:
            start, end = _moment(part.start or EARLIEST), _moment(part.end or LATEST)
            return operation.request(**{"first": stream.page_size, "after": token, "from": start, "to": end})
        if stream.name == "templates":
            return operation.request()
        return operation.request(first=stream.page_size, after=token)

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer; its `more` completes nested lists that were cut."""
        return read_page(stream.name, _effective(stream, part), payload)

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one raw record into normalised rows."""
        return rows_of(stream.name, record)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime) -> Announced | NotTaken:
        """Verify one delivery, and tell what it announces."""
        return announce(headers, raw_body, secret, now)

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good."""
        return wire.classify(answer, now)

    def limits(self, answer: Answer) -> Limits:
        """Read what is left of both hourly budgets."""
        return wire.limits(answer)


def _effective(stream: Stream, part: Slice) -> Slice:
    """A stream that is always listed whole is swept by its ordinary pages."""
    return part if stream.name in SWEEPS else Slice(part.start, part.end)


connector: Connector = Linear()
