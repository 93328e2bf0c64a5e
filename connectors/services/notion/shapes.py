"""What Notion's records must look like once `read` has kept what we use of them."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a moment must come as text")
    return value


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_only_text)]
Id = Annotated[str, Field(min_length=32, max_length=36)]


class Shape(BaseModel):
    """A record of Notion. Strict: "3" is not a number."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: Id


class UserShape(Shape):
    type: Literal["person", "bot"]
    name: str | None
    email: str | None


class Kept(Shape):
    created_time: Moment
    last_edited_time: Moment
    in_trash: bool


class DataSourceShape(Kept):
    """`properties`: the property's id → [type, name, options]."""

    title: str
    url: str | None
    properties: dict[str, Annotated[list[Any], Field(min_length=3, max_length=3)]]


class PageShape(Kept):
    """`properties`: the property's id → [type, what stands there]."""

    source: Id
    title: str
    url: str
    created_by: Id
    last_edited_by: Id
    properties: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]
