"""What Jira's records must look like, once `read` has made them small."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Strict


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a moment must come as text")
    return value


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_only_text)]


class Shape(BaseModel):
    """A part of a record. Strict: "3" is not a number."""

    model_config = ConfigDict(extra="allow", strict=True)


class Ref(Shape):
    id: str


class Person(Shape):
    accountId: str


class UserShape(Shape):
    accountId: str
    accountType: str
    displayName: str
    active: bool
    emailAddress: str | None = None  # each person decides at Atlassian who sees it


class ProjectShape(Shape):
    id: str
    key: str
    name: str


class Category(Shape):
    key: str


class StateShape(Shape):
    id: str
    name: str
    statusCategory: Category


class LabelShape(Shape):
    """An issue type or a label: `read` gives both an id."""

    id: str
    name: str


class SprintShape(Shape):
    id: str
    name: str
    state: str
    project: str
    startDate: Moment
    endDate: Moment
    completeDate: Moment | None = None


class Type(Shape):
    id: str
    hierarchyLevel: int = 0


class Status(Shape):
    id: str
    name: str
    statusCategory: Category


class Parent(Shape):
    id: str
    hierarchyLevel: int = 0


class Resolution(Shape):
    name: str


class InSprint(Shape):
    id: int
    state: str


class Fields(Shape):
    summary: str
    status: Status
    issuetype: Type
    project: Ref
    created: Moment
    updated: Moment
    resolutiondate: Moment | None
    duedate: str | None
    priority: Ref | None
    assignee: Person | None
    creator: Person | None
    resolution: Resolution | None
    labels: list[str]
    parent: Parent | None
    sprints: list[InSprint]
    points: float | None


class Change(Shape):
    what: str
    before: str
    after: str


class Entry(Shape):
    id: str
    created: Moment
    author: Person | None
    items: list[Change]


class IssueShape(Shape):
    id: str
    key: str
    self: str
    fields: Fields
    changelog: list[Entry]
