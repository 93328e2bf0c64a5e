"""GitHub: pull requests, releases and deployments of the repositories that an admin named.

See docs/connectors/github.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from connectors.base import (
    Answer,
    Budget,
    Checked,
    Choice,
    Connector,
    Json,
    Limits,
    Mode,
    Notice,
    Page,
    Request,
    Slice,
    SourceFailed,
    Stream,
)
from connectors.records import Record

from . import shapes, wire
from .read import Place, read_page, rows_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WEEK = timedelta(days=7)
EVER = timedelta(days=36_500)
PAGE = 100  # the largest page that GitHub gives
ANY_NUMBER = 20_000  # of pages: a list that is read latest first gains nothing by a shorter window
QUERIES: Mapping[str, Mapping[str, str]] = {
    "pulls": {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(PAGE)},
    "releases": {"per_page": str(PAGE)},
    "deployments": {"per_page": str(PAGE)},
}


class GitHub:
    """The declaration, and the pure functions behind it.

    GitHub's lists take no dates and are cut into numbered pages. Pull requests are therefore read latest change first,
    down to the window's start: what changes meanwhile jumps to the front and pushes others down, so that rows come
    twice, and none is missed; what jumped has a time after the window, and comes with the next one.
    """

    key = "github"
    name = "GitHub"
    base_url = "https://api.github.com"
    hosts: tuple[str, ...] = ("api.github.com",)
    budgets: tuple[Budget, ...] = (Budget("request", 5_000, timedelta(hours=1)),)
    map_version = 1
    choice = Choice(
        label=_("Repositories"),
        help_text=_("One a line, as owner/name. Nothing else of GitHub is read."),
        pattern=r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}",
        example="company/shop",
        kept_as="repository",
    )
    scopes: "Sequence[tuple[str, StrOrPromise]]" = (
        ("Pull requests: read", _("when changes are proposed and merged")),
        ("Contents: read", _("which releases there are; no code is read")),
        ("Deployments: read", _("what was brought to which environment, and whether that worked")),
    )
    streams: tuple[Stream, ...] = (
        Stream(
            "pulls", _("pull requests"), _("figures to come: how long changes take from proposal to merge"),
            Mode.WINDOW, shapes.PullShape, page_size=PAGE, version_path="updated_at", window=EVER,
            spare_pages=ANY_NUMBER, sweep_every=WEEK, sweep_reads=True, is_chosen=True,
            personal=("title", "user.login"),
        ),
        Stream(
            "releases", _("releases"), _("figures to come: what was made public, and when"), Mode.FULL,
            shapes.ReleaseShape, page_size=PAGE, version_path="", is_chosen=True, personal=("author.login",),
        ),
        # A status that comes later than the overlap is not seen: their list is ordered by creation alone
        Stream(
            "deployments", _("deployments"), _("figures to come: how often and how safely changes reach people"),
            Mode.WINDOW, shapes.DeploymentShape, page_size=PAGE, version_path="created_at",
            overlap=timedelta(days=3), window=EVER, spare_pages=ANY_NUMBER, sweep_every=WEEK, is_chosen=True,
            personal=("creator.login",),
        ),
    )  # fmt: skip

    def __init__(self) -> None:
        self.repositories: tuple[str, ...] = ()
        self.unread: Mapping[str, Sequence[str]] = {}

    def bound(self, chosen: Mapping[str, Sequence[str]]) -> Connector:
        """Return a copy that reads these repositories: of those that a stream has not read yet, the whole history."""
        made = copy(self)
        made.repositories, made.unread = tuple(chosen["chosen"]), dict(chosen)
        return made

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the credential, the version, and the media type that GitHub recommends."""
        return {
            "Authorization": f"Bearer {secret}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": wire.VERSION,
        }

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*."""
        return Request("/user", "GET")

    def choice_request(self, name: str) -> Request:
        """Return the request that tells whether the token opens a repository."""
        return Request(f"/repos/{name}", "GET")

    def checked(self, payload: Json) -> Checked:
        """Read who we are."""
        return Checked(
            str(payload.get("login", "")), str(payload.get("company") or ""), str(payload.get("html_url", ""))
        )

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one repository's list."""
        if not self.repositories:
            return Request("/user", "GET", echo={"_place": ""})
        place = Place.read(token) if token else Place(self.repositories[0])
        if place.repository not in self.repositories:
            place = Place(self.repositories[0])
        query = dict(parse_qsl(place.query)) or QUERIES[stream.name]
        # A repository that is gone must not keep the others from being read. What lists everything, though, can't
        # tell its rows from deleted ones, and stops.
        judged = () if part.sweep or stream.mode == Mode.FULL else wire.GONE
        path = f"/repos/{place.repository}/{stream.name}"
        return Request(path, "GET", query, echo={"_place": str(place)}, judged=judged, is_list=True)

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer; its `more` brings the statuses of deployments."""
        if not payload["_place"]:
            return Page((), notices=(Notice(gettext_noop("No repository is named yet: nothing is read.")),))
        return read_page(stream.name, part, payload, self.repositories, self.unread.get(stream.name, ()))

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one kept record into normalised rows."""
        return rows_of(stream.name, record)

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good."""
        return wire.classify(answer, now)

    def limits(self, answer: Answer) -> Limits:
        """Read what is left of the hour's budget."""
        return wire.limits(answer)


connector: Connector = GitHub()
