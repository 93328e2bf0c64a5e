"""The description of the push API for machines: OpenAPI 3.1, made from the shapes below and the codes of the judge."""

from typing import Annotated, Any, Literal

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from kpis.actions.activity import MOST_A_DAY
from kpis.sync.judging import REASONS

from .calls import LARGEST_BODY, LONGEST_KEY, MOST_ROWS

Week = Annotated[
    str, Field(description="The Monday of the week, or the ISO week.", examples=["2026-03-02", "2026-W10"])
]


class Observation(BaseModel):
    """One value: a metric, a week, a team or the whole company."""

    model_config = ConfigDict(extra="forbid")

    metric: str = Field(description="The key of a metric whose values are pushed.", examples=["deals-won"])
    week: Week
    team: str | None = Field(None, description="The slug of a team; left out: the company.", examples=["checkout"])
    value: float | None = Field(None, description="Left out for a ratio. A share is 0–1, not 0–100.", examples=[12])
    num: float | None = Field(None, ge=0, description="Of a ratio: the cases that count.")
    den: float | None = Field(None, gt=0, description="Of a ratio: all cases.")
    n: int | None = Field(None, ge=0, description="Cases behind the value. Needed for percentiles.")
    coverage: float | None = Field(None, ge=0, le=1, description="Share of cases that have what the formula needs.")


class Activity(BaseModel):
    """A person was seen in a tool on a day. The count is said, not added: sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    person: str = Field(description="The e-mail of a person of the hub.", examples=["ana@ardoise.example"])
    tool: str = Field(description="The slug of a tool that no connector reads.", examples=["miro"])
    day: str = Field(description="The day, in the company's time zone.", examples=["2026-03-02"])
    signal: Literal["activity", "sign_in", "edit"] = "activity"
    count: int = Field(1, ge=1, le=MOST_A_DAY)


class Observations(BaseModel):
    rows: list[Observation] = Field(min_length=1, max_length=MOST_ROWS)


class Activities(BaseModel):
    rows: list[Activity] = Field(min_length=1, max_length=MOST_ROWS)


class RowResult(BaseModel):
    """What became of a row. `restated`: it replaced another value, which is kept in the history."""

    index: int = Field(ge=0)
    status: Literal["accepted", "unchanged", "refused"]
    code: str | None = Field(None, json_schema_extra={"enum": [*sorted(REASONS), None]})
    reason: str | None = None
    restated: bool | None = None


class Result(BaseModel):
    accepted: int
    unchanged: int
    refused: int
    rows: list[RowResult]


class Problem(BaseModel):
    code: str
    message: str


class Failure(BaseModel):
    """The call as a whole was refused; nothing was stored."""

    error: Problem


FAILURES = {
    "400": "The body is no JSON (`not_json`), or the key is no key (`bad_key`).",
    "401": "No token (`token_missing`), or none that opens this door now (`token_invalid`).",
    "409": "The `Idempotency-Key` came with another body before (`key_reused`).",
    "413": f"More than {LARGEST_BODY} bytes (`body_too_large`).",
    "415": "The body is not said to be JSON (`wrong_type`).",
    "422": "No list of rows (`wrong_shape`), or too many (`too_many_rows`).",
    "429": "Too many calls in a minute (`too_many_calls`); `Retry-After` says when to come back.",
}


@require_safe
@login_not_required
def document(_request: HttpRequest) -> HttpResponse:
    """Answer the description. It tells nothing of what is stored."""
    return JsonResponse(described())


def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    shapes = (Observations, Activities, Result, Failure)
    _, schemas = models_json_schema(
        [(shape, "validation") for shape in shapes], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Product Ops Hub: push API",
            "version": "1",
            "description": "Values and activity that no connector reads, sent by the system that knows them.",
        },
        "servers": [{"url": f"{settings.BASE_URL.rstrip('/')}/api"}],
        "security": [{"token": []}],
        "paths": {
            "/v1/observations": _path("pushObservations", "Store values of metrics", "Observations"),
            "/v1/activity": _path("pushActivity", "Store the use of tools", "Activities"),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "hub_…"}},
            "schemas": schemas["$defs"],
        },
    }


def _path(name: str, summary: str, takes: str) -> dict[str, Any]:
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "description": "The same key and body in 48 hours get one answer, and are done once. Empty: none.",
                    "schema": {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"},
                }
            ],
            "requestBody": {"required": True, "content": _json(takes)},
            "responses": {
                "200": {"description": "Every row was taken, or was known already.", "content": _json("Result")},
                "207": {"description": "Some rows were refused; the others were taken.", "content": _json("Result")},
                **{status: {"description": text, "content": _json("Failure")} for status, text in FAILURES.items()},
            },
        }
    }


def _json(shape: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
