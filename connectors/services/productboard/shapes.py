"""What Productboard's records must look like, once tidied: empty fields left out, ties in one list."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a moment must come as text")
    return value


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_only_text)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d")]


class Shape(BaseModel):
    """Strict: "3" is not a number. Fields that we don't name are let through."""

    model_config = ConfigDict(extra="allow", strict=True)


class Named(Shape):
    id: str = ""
    name: str


class Person(Shape):
    id: str
    email: str = ""


class Target(Shape):
    id: str
    type: str


class Tie(Shape):
    type: str
    target: Target


class Timeframe(Shape):
    startDate: Day | None = None
    endDate: Day | None = None
    granularity: str | None = None


class Health(Shape):
    status: str
    lastUpdatedAt: Moment | None = None


class WorkProgress(Shape):
    value: float


class Progress(Shape):
    """Of a key result."""

    startValue: float | None = None
    targetValue: float | None = None
    currentValue: float | None = None


class EntityFields(Shape):
    """The standard fields; every other key is a custom field, by its id."""

    name: str = ""
    status: Named | None = None
    owner: Person | None = None
    teams: list[Named] = []
    archived: bool = False
    timeframe: Timeframe | None = None
    health: Health | None = None
    workProgress: WorkProgress | None = None
    progress: Progress | None = None


class EntityShape(Shape):
    id: str
    type: str
    fields: EntityFields
    relationships: list[Tie]
    createdAt: Moment
    updatedAt: Moment


class Source(Shape):
    origin: str | None = None


class NoteFields(Shape):
    processed: bool = False
    archived: bool = False
    owner: Person | None = None
    creator: Person | None = None
    tags: list[Named] = []
    source: Source | None = None


class NoteShape(Shape):
    id: str
    type: str
    fields: NoteFields
    relationships: list[Tie]
    createdAt: Moment
    updatedAt: Moment


class MemberFields(Shape):
    name: str = ""
    username: str = ""
    email: str = ""
    role: str
    disabled: bool = False
    invitationPending: bool = False
    teams: list[Shape] = []


class MemberShape(Shape):
    id: str
    fields: MemberFields


class TeamFields(Shape):
    name: str
    handle: str = ""


class TeamShape(Shape):
    id: str
    fields: TeamFields


class ActivityShape(Shape):
    """A member's day. `id` is ours: "<member>:<day>"."""

    id: str
    date: Day
    memberId: str
    activeFlag: bool


class FieldShape(Shape):
    id: str
    name: str


class ConfigurationShape(Shape):
    """The catalogue of the fields of one type."""

    type: str
    fields: dict[str, FieldShape]
