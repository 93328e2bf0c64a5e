"""What Linear's records must look like: a field more is noted, a field less or of another type is refused."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Strict


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a moment or a day must come as text")
    return value


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_only_text)]


class Shape(BaseModel):
    """A record of Linear. Strict: "3" is not a number."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: str


class Ref(Shape):
    """Another thing, by its id."""


class PageInfo(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    hasNextPage: bool
    endCursor: str | None = None


class Refs(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    nodes: list[Ref]


class UserShape(Shape):
    name: str
    email: str
    active: bool
    admin: bool
    guest: bool
    app: bool
    createdAt: Moment
    updatedAt: Moment
    lastSeen: Moment | None
    archivedAt: Moment | None


class TeamShape(Shape):
    key: str
    name: str
    timezone: str
    cyclesEnabled: bool
    issueEstimationType: str
    updatedAt: Moment
    archivedAt: Moment | None
    retiredAt: Moment | None
    parent: Ref | None


class StateShape(Shape):
    name: str
    type: str
    position: float
    updatedAt: Moment
    team: Ref


class LabelShape(Shape):
    name: str
    isGroup: bool
    updatedAt: Moment
    team: Ref | None
    parent: Ref | None


class MembershipShape(Shape):
    updatedAt: Moment
    team: Ref
    user: Ref


class TemplateShape(Shape):
    name: str
    type: str
    updatedAt: Moment
    lastAppliedAt: Moment | None
    team: Ref | None


class InitiativeShape(Shape):
    name: str
    url: str
    status: str
    health: str | None
    targetDate: str | None
    updatedAt: Moment
    archivedAt: Moment | None
    trashed: bool | None
    owner: Ref | None


class StatusShape(Ref):
    type: str


class ProjectShape(Shape):
    name: str
    url: str
    progress: float
    health: str | None
    healthUpdatedAt: Moment | None
    startDate: str | None
    targetDate: str | None
    trashed: bool | None
    updatedAt: Moment
    archivedAt: Moment | None
    startedAt: Moment | None
    completedAt: Moment | None
    canceledAt: Moment | None
    status: StatusShape
    lead: Ref | None
    teams: Refs
    initiatives: Refs


class InitiativeProjectShape(Shape):
    updatedAt: Moment
    initiative: Ref
    project: Ref


class CycleShape(Shape):
    number: float
    name: str | None
    startsAt: Moment
    endsAt: Moment
    completedAt: Moment | None
    updatedAt: Moment
    archivedAt: Moment | None
    scopeHistory: list[float]
    completedScopeHistory: list[float]
    issueCountHistory: list[float]
    completedIssueCountHistory: list[float]
    team: Ref
    uncompletedIssuesUponClose: Refs


class ProjectUpdateShape(Shape):
    health: str
    createdAt: Moment
    updatedAt: Moment
    isStale: bool
    user: Ref
    project: Ref


class SpanShape(Shape):
    stateId: str
    startedAt: Moment
    endedAt: Moment | None


class Spans(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    nodes: list[SpanShape]


class ChangeShape(Shape):
    createdAt: Moment
    actorId: str | None
    fromStateId: str | None
    toStateId: str | None
    fromEstimate: float | None
    toEstimate: float | None
    fromPriority: float | None
    toPriority: float | None
    addedLabelIds: list[str] | None
    removedLabelIds: list[str] | None
    archived: bool | None
    trashed: bool | None


class Changes(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    nodes: list[ChangeShape]


class IssueStateShape(Ref):
    type: str


class IssueShape(Shape):
    identifier: str
    title: str
    url: str
    priority: float
    estimate: float | None
    dueDate: str | None
    labelIds: list[str]
    trashed: bool | None
    createdAt: Moment
    updatedAt: Moment
    archivedAt: Moment | None
    startedTriageAt: Moment | None
    triagedAt: Moment | None
    startedAt: Moment | None
    completedAt: Moment | None
    canceledAt: Moment | None
    addedToCycleAt: Moment | None
    team: Ref
    state: IssueStateShape
    assignee: Ref | None
    creator: Ref | None
    cycle: Ref | None
    project: Ref | None
    parent: Ref | None
    stateHistory: Spans
    history: Changes
