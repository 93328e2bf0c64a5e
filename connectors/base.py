"""What a connector is: one declaration and a few pure functions. The engine does everything else.

A connector never touches the database, never sleeps, never logs; only the engine does. `request`, `read`
and `map` are pure, so they are tested from files.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from django.utils.translation import gettext
from pydantic import BaseModel

from .records import Record

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Json = dict[str, Any]


class Mode(StrEnum):
    """How a stream is read."""

    WINDOW = "window"  # by date filter, in windows [from, to)
    FULL = "full"  # all of it, marked and swept
    DAILY = "daily"  # one row a day


class FailureClass(StrEnum):
    """Why a stream stopped. Closed: each has one sentence and one action in `connectors.failures`."""

    AUTH_INVALID = "auth_invalid"
    SCOPE_MISSING = "scope_missing"
    RATE_LIMITED = "rate_limited"
    SOURCE_DOWN = "source_down"
    SOURCE_SLOW = "source_slow"
    BAD_PAYLOAD = "bad_payload"
    SCHEMA_DRIFT = "schema_drift"
    QUERY_REJECTED = "query_rejected"
    STREAM_UNAVAILABLE = "stream_unavailable"
    SWEEP_IMPLAUSIBLE = "sweep_implausible"
    SOURCE_MISBEHAVES = "source_misbehaves"
    BUDGET_EXHAUSTED = "budget_exhausted"
    BUG = "bug"


@dataclass(frozen=True)
class Budget:
    """What the source lets us ask: `amount` of `unit` (request or point) in each `window`, per credential.

    The engine spends at most 60 % of it: people and other tools draw on the same quota.
    """

    unit: str
    amount: int
    window: timedelta


@dataclass(frozen=True)
class Limits:
    """What an answer's headers say is left; None where they are silent."""

    remaining_share: float | None = None  # 0–1, the scarcest of the budgets
    resets_at: datetime | None = None  # of that budget
    points: int | None = None  # the true cost of this answer


@dataclass(frozen=True)
class Request:
    """One HTTP request, as data. `path` is relative to the connection's base URL. `points` is our cost estimate."""

    path: str
    method: str = "POST"
    params: Mapping[str, str] = field(default_factory=dict)
    json: Json | None = None
    points: int = 1
    echo: Json = field(default_factory=dict)  # what `read` must know of the question: put beside the answer
    judged: tuple[int, ...] = ()  # statuses of refusals that are for `read` to judge
    is_list: bool = False  # answered by a bare list: `read` gets {"items": […], "next": the Link header's address}


@dataclass(frozen=True)
class Slice:
    """One bounded piece of a stream: a window [start, end), or the whole where both are None."""

    start: datetime | None = None
    end: datetime | None = None
    sweep: bool = False  # list ids only, to find what was deleted


@dataclass(frozen=True)
class More:
    """A follow-up that completes one record of a page (a nested list longer than its first page).

    `merge` puts the answer's rows into the held record and returns the next follow-up, or None when complete.
    """

    request: Request
    merge: Callable[[Json], "More | None"]


@dataclass(frozen=True)
class Notice:
    """What is worth knowing about an answer, as a sentence with gaps: kept as it is, said in its reader's language.

    `text` is a message of the catalogue, marked with `gettext_noop` where it is written.
    """

    text: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return gettext(self.text) % self.values


@dataclass(frozen=True)
class Page:
    """What one answer holds. `next_token` None: this was the last page."""

    records: Sequence[Json]
    next_token: str | None = None
    more: Sequence[More] = ()
    notices: Sequence[Notice] = ()
    ends_list: bool = False  # one list of several is over, and the next begins: such a page may well be empty
    next_link: str = ""  # or the next page's whole address, of which path and query become the token


@dataclass(frozen=True)
class Stream:
    """One kind of thing that a service lists."""

    name: str
    label: "StrOrPromise"  # plural
    feeds: "StrOrPromise"  # what the hub does with it
    mode: Mode
    shape: type[BaseModel]  # what a record must look like; extra fields are allowed and noted
    page_size: int = 50
    version_path: str = "updatedAt"  # dotted path of the record's version; empty if it has none
    key_path: str = "id"
    overlap: timedelta = timedelta(minutes=10)
    window: timedelta = timedelta(days=30)  # longest window asked at once when catching up
    spare_pages: int = 0  # how many more pages than usual a window may have before it is halved
    sweep_every: timedelta | None = None  # for WINDOW streams: how often ids are listed to find deletions
    is_chosen: bool = False  # what it reads is what an admin chose: without a choice, nothing
    sweep_reads: bool = False  # the sweep's pages hold whole records: they're stored, too
    on_change: Callable[[Json, Json], Iterable[Notice]] | None = None  # what to say of a changed record: before, after
    needs: tuple[str, ...] = ()  # streams that come first
    personal: tuple[str, ...] = ()  # paths masked wherever raw JSON is shown
    snapshot: tuple[str, ...] = ()  # paths kept per day, because their history can't be fetched later
    period: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Checked:
    """What *Test the connection* found: who we are, and which streams are out of reach and why."""

    account: str
    workspace: str
    workspace_url: str = ""
    unavailable: Mapping[str, str] = field(default_factory=dict)  # stream name → reason


class SourceFailed(Exception):
    """The source could not or would not answer. `kind` says which of the closed list it is."""

    def __init__(
        self, kind: FailureClass, detail: str = "", *, retry_at: datetime | None = None, is_final: bool = True
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail  # technical, for the drill-down; never holds a secret
        self.retry_at = retry_at
        self.is_final = is_final  # False: asking again may help


class Answer(Protocol):
    """An HTTP answer as `classify`, `limits` and `read` see it."""

    status: int
    headers: Mapping[str, str]  # names in lower case

    def json(self) -> Json: ...
    @property
    def body(self) -> bytes: ...


class Connector(Protocol):
    """A service. Its folder in `connectors/services/` makes one object of this shape, named `connector`."""

    key: str  # "linear"
    name: str  # "Linear"
    base_url: str
    hosts: tuple[str, ...]  # the only hosts it may speak to; settings may override the base URL for the sandbox
    budgets: tuple[Budget, ...]
    streams: tuple[Stream, ...]
    map_version: int  # raise it, and stored raw records are mapped again without a request
    scopes: "Sequence[tuple[str, StrOrPromise]]"  # (scope, why), lazy, shown where one connects

    def headers(self, secret: str) -> Mapping[str, str]:
        """Return the headers that carry the credential."""

    def check_request(self) -> Request:
        """Return the request behind *Test the connection*."""

    def checked(self, payload: Json) -> Checked:
        """Read that request's answer."""

    def request(self, stream: Stream, part: Slice, token: str | None) -> Request:
        """Return the request for one page of one slice. Pure."""

    def read(self, stream: Stream, part: Slice, payload: Json) -> Page:
        """Read one page's answer. Pure. Raises SourceFailed for errors that come with status 200."""

    def map(self, stream: Stream, record: Json) -> Iterable[Record]:
        """Turn one raw record into normalised rows, all of them on every call. Pure."""

    def classify(self, answer: Answer, now: datetime) -> SourceFailed | None:
        """Say what went wrong with an answer, None if it is good. Pure; matches on the body's code."""

    def limits(self, answer: Answer) -> Limits:
        """Read what is left of the budgets. Pure."""


@runtime_checkable
class Selective(Protocol):
    """A connector that reads only what an admin chose."""

    def bound(self, chosen: Mapping[str, Sequence[str]]) -> Connector:
        """Return a copy that reads what is chosen, by kind of thing. Pure."""


@dataclass(frozen=True)
class Choice:
    """What an admin names on the connection's own form, one a line."""

    label: "StrOrPromise"
    help_text: "StrOrPromise"
    pattern: str  # of one name
    example: str
    kept_as: str  # the field of a kept record that says of which of them it is


@runtime_checkable
class Choosing(Selective, Protocol):
    """A selective connector whose things have names that an admin knows: no search, no mapping, a list on a form.

    `bound` is given them under "chosen", and under each stream's name those whose history that stream still lacks.
    """

    choice: Choice

    def choice_request(self, name: str) -> Request:
        """Return the request that *Test the connection* makes for each: it must answer for itself."""


@runtime_checkable
class Shaped(Connector, Protocol):
    """A connector whose token is put together by whoever connects it: what they type can be told to be no token."""

    credential_shape: "StrOrPromise"  # what to enter, in words
    credential_pattern: str


class SecretFrom(StrEnum):
    """Where the secret comes from that a service's deliveries are verified with."""

    PASTED = "pasted"  # the service makes it, an admin pastes it here
    HANDSHAKE = "handshake"  # the service posts it here, an admin pastes it back there
    GENERATED = "generated"  # the hub makes it, an admin pastes it there


class RefusedFor(StrEnum):
    """Why a delivery is refused. Closed: each has its words in `connectors.models.webhooks`."""

    FORGED = "forged"  # not signed with our secret
    STALE = "stale"  # signed, but too long ago
    UNREADABLE = "unreadable"
    UNREADY = "unready"  # nothing to verify it with yet


@dataclass(frozen=True)
class Announced:
    """One verified delivery: that something changed, never what it changed to."""

    event_id: str  # the same for the same event, however often it is delivered
    streams: tuple[str, ...] = ()  # empty: of something that the hub does not read
    external_id: str = ""
    is_gone: bool = False  # deleted for good, which no window shows


@dataclass(frozen=True)
class Handshake:
    """The service tells the secret that it will sign with."""

    secret: str


@dataclass(frozen=True)
class NotTaken:
    """A delivery that is refused, and why."""

    why: RefusedFor


@dataclass(frozen=True)
class Hook:
    """How a service announces changes, and how a person has it do so."""

    secret_from: SecretFrom
    steps: "Sequence[StrOrPromise]"  # what to do in the tool, one sentence each
    counted: tuple[str, ...]  # streams of which every change should be announced: the nights count those that weren't
    probe: str = ""  # name of the parameter that a GET asks to have sent back


@runtime_checkable
class Announcing(Protocol):
    """A connector whose service can announce changes. The re-read is the truth; a delivery only says that it is due."""

    name: str
    hook: Hook

    def webhook(
        self, headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime
    ) -> Announced | Handshake | NotTaken:
        """Verify one delivery, on the body as it came. Header names are in lower case. Pure, in constant time."""


def json_object(raw: bytes) -> Json | None:
    """Return the JSON object that bytes spell; None where they spell anything else."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def field_at(record: Json, path: str) -> Any:
    """Return what stands at a dotted path, None where any step of it is missing."""
    value: Any = record
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value
