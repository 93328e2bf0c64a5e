"""The shared vocabulary: what every service is turned into before a room sees it.

Frozen, with settled units: moments are aware UTC datetimes, days are dates, e-mails are lower case.
Things refer to each other by `…_ref`, the source's own id, so that the order in which streams arrive
does not matter. Each class has a table of the same name in `connectors.models.work`, unique on
(connection, external_id); the fields below are the columns that a sync may write. They are structs of msgspec
rather than dataclasses: a first sync makes half a million of them, and sends each to the database as JSON.
"""

from datetime import date, datetime
from typing import Any, dataclass_transform

from msgspec import Struct, StructMeta, field


class Settled(StructMeta):
    """Makes every record frozen and keyword-only, so that none has to say so."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **config: Any) -> Any:
        return super().__new__(cls, name, bases, body, **{"frozen": True, "kw_only": True, **config})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Record(Struct, metaclass=Settled, frozen=True):
    """Anything a source knows by an id of its own."""

    external_id: str


class PersonAccount(Record):
    """A seat: somebody's (or a machine's) account in the tool."""

    email: str = ""  # lower case; empty where the source hides it
    name: str = ""
    kind: str = "member"  # member, admin, guest, bot
    is_active: bool = True
    joined_at: datetime | None = None
    last_seen_at: datetime | None = None


class WorkTeam(Record):
    """A team as the tool knows it; an admin (or an equal name) ties it to a team of the company."""

    key: str = ""
    name: str = ""
    time_zone: str = ""
    has_cycles: bool = False
    estimation: str = ""  # notUsed, exponential, fibonacci, linear, tShirt
    parent_ref: str = ""
    archived_at: datetime | None = None


class WorkTeamMember(Record):
    """An account in a tool's team."""

    team_ref: str
    account_ref: str


class WorkState(Record):
    """A column of the board. `type` is triage, backlog, unstarted, started, completed, canceled, duplicate or other."""

    name: str
    type: str
    team_ref: str = ""
    position: float = 0.0


class WorkLabel(Record):
    """A label, or a group of labels that others name as parent."""

    name: str
    is_group: bool = False
    parent_ref: str = ""
    team_ref: str = ""


class WorkCycle(Record):
    """A sprint. Histories hold one number a day from the first day on."""

    team_ref: str
    number: int
    name: str = ""
    starts_at: datetime
    ends_at: datetime
    completed_at: datetime | None = None
    scope_history: list[float] = field(default_factory=list)
    completed_scope_history: list[float] = field(default_factory=list)
    item_count_history: list[float] = field(default_factory=list)
    completed_item_count_history: list[float] = field(default_factory=list)
    uncompleted_refs: list[str] = field(default_factory=list)
    archived_at: datetime | None = None


class WorkProject(Record):
    """A project: several items with dates, a lead and a health."""

    name: str
    url: str = ""
    status_type: str = ""  # backlog, planned, started, paused, completed, canceled
    health: str = ""  # onTrack, atRisk, offTrack
    health_at: datetime | None = None
    lead_ref: str = ""
    team_refs: list[str] = field(default_factory=list)
    initiative_refs: list[str] = field(default_factory=list)
    start_on: date | None = None
    target_on: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    last_update_at: datetime | None = None
    progress: float = 0.0  # 0–1
    is_trashed: bool = False
    archived_at: datetime | None = None


class WorkInitiative(Record):
    """A company goal that projects serve."""

    name: str
    url: str = ""
    status: str = ""  # Planned, Active, Completed
    health: str = ""
    owner_ref: str = ""
    target_on: date | None = None
    is_trashed: bool = False
    archived_at: datetime | None = None


class InitiativeProject(Record):
    """A project that serves an initiative."""

    initiative_ref: str
    project_ref: str


class ProjectUpdate(Record):
    """A written update on a project: its date and health, never its text."""

    project_ref: str
    author_ref: str = ""
    health: str = ""
    posted_at: datetime
    is_stale: bool = False


class WorkTemplate(Record):
    """A template of the tool, and when somebody last used it."""

    name: str
    type: str = ""
    team_ref: str = ""
    last_applied_at: datetime | None = None


class WorkItem(Record):
    """An issue. Durations are not stored: they follow from the moments."""

    identifier: str
    title: str = ""
    url: str = ""
    team_ref: str = ""
    state_ref: str = ""
    state_type: str = ""
    assignee_ref: str = ""
    creator_ref: str = ""
    project_ref: str = ""
    cycle_ref: str = ""
    parent_ref: str = ""
    label_refs: list[str] = field(default_factory=list)
    priority: int = 0
    estimate: float | None = None
    due_on: date | None = None
    opened_at: datetime  # the source's createdAt
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    triage_started_at: datetime | None = None
    triaged_at: datetime | None = None
    cycle_entered_at: datetime | None = None
    archived_at: datetime | None = None
    is_trashed: bool = False


class StateSpan(Record):
    """A time an item spent in one state; open while `ended_at` is None."""

    item_ref: str
    state_ref: str
    started_at: datetime
    ended_at: datetime | None = None


class Transition(Record):
    """One change of one field. `external_id` is computed from source ids: "history:<id>:<field>"."""

    item_ref: str
    field: str  # state, cycle, estimate, priority, assignee, project, team, label, archived, trashed
    before: str = ""
    after: str = ""
    at: datetime
    actor_ref: str = ""


class ProductItem(Record):
    """A thing that is planned, or what it is planned for.

    `kind` is product, component, feature, subfeature, initiative, objective, key_result, release or release_group.
    """

    kind: str
    name: str = ""
    url: str = ""
    status: str = ""
    status_ref: str = ""
    owner_ref: str = ""
    owner_email: str = ""  # lower case; empty where the source hides it
    team_refs: list[str] = field(default_factory=list)
    parent_ref: str = ""
    is_archived: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    granularity: str = ""  # year, quarter, month, day: how precise the dates are meant
    health: str = ""  # notSet, onTrack, atRisk, offTrack
    health_at: datetime | None = None
    progress: float | None = None  # 0–1
    metric_start: float | None = None  # of a key result, in its own unit
    metric_target: float | None = None
    metric_current: float | None = None
    outside_urls: list[str] = field(default_factory=list)  # addresses in its fields: what a join across tools needs
    numbers: dict[str, float] = field(default_factory=dict)  # in its custom fields, by the field's `ref`
    opened_at: datetime
    edited_at: datetime


class ProductField(Record):
    """A custom field of a kind of item. `external_id` is "<kind>:<ref>"; `ref` is the tool's own id of the field."""

    kind: str
    ref: str
    name: str = ""


class ProductLink(Record):
    """A tie between two items. `external_id` is "<item>:<kind>:<target>"; kind is link, isBlockedBy or isBlocking."""

    item_ref: str
    target_ref: str
    kind: str


class Feedback(Record):
    """A note of feedback: never its words."""

    kind: str = ""  # textNote, conversationNote, opportunityNote
    url: str = ""
    is_processed: bool = False
    is_archived: bool = False
    owner_ref: str = ""
    creator_ref: str = ""
    customer_ref: str = ""
    source: str = ""
    tags: list[str] = field(default_factory=list)
    opened_at: datetime
    edited_at: datetime


class FeedbackLink(Record):
    """A note tied to the item it is about. `external_id` is "<feedback>:<item>"."""

    feedback_ref: str
    item_ref: str


class AccountDay(Record):
    """What an account did on a day, by the tool's own counters. `external_id` is "<account>:<day>"."""

    account_ref: str
    day: date
    is_active: bool = False
    counts: dict[str, int] = field(default_factory=dict)


class DocumentSource(Record):
    """A database of pages and its schema: one {"id", "name", "type", "options"} per property."""

    name: str = ""
    url: str = ""
    properties: list[dict[str, object]] = field(default_factory=list)
    is_trashed: bool = False
    edited_at: datetime | None = None


class Document(Record):
    """A page of a database. `values` maps property ids to {"type", "value"}: docs/connectors/notion.md settles them."""

    source_ref: str
    title: str = ""
    url: str = ""
    creator_ref: str = ""
    editor_ref: str = ""
    opened_at: datetime
    edited_at: datetime
    is_trashed: bool = False
    values: dict[str, object] = field(default_factory=dict)


class ChangeRequest(Record):
    """A change to code that asks to be let in: a pull request. Its words are its title alone.

    `item_keys` are the issues that its branch or title names ("SHP-12"): what a join with another tool needs.
    """

    repository: str  # "owner/name"
    number: int
    title: str = ""
    url: str = ""
    state: str = "open"  # open, closed, merged, other
    is_draft: bool = False
    is_by_bot: bool = False
    author_ref: str = ""
    base: str = ""  # the branch that it goes into
    item_keys: list[str] = field(default_factory=list)
    opened_at: datetime
    edited_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None


class Release(Record):
    """A version that was made public, or is being drafted."""

    repository: str
    tag: str
    name: str = ""
    url: str = ""
    is_draft: bool = False
    is_prerelease: bool = False
    author_ref: str = ""
    published_at: datetime | None = None


class Deployment(Record):
    """A version brought to an environment. `outcome` is success, failure or pending."""

    repository: str
    environment: str
    is_production: bool = False
    version: str = ""  # branch, tag or commit
    creator_ref: str = ""
    outcome: str = "pending"
    requested_at: datetime
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
