"""What every call of the push API goes through: token, rate, size, shape, and the same answer for the same call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from connectors.sync import cleaned
from kpis.actions.tokens import known
from kpis.models import ApiCall, ApiToken

from .rates import seconds_to_wait

LARGEST_BODY = 1024 * 1024
MOST_ROWS = 1000
LONGEST_KEY = 200

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: dict[str, Any]


class Refused(Exception):
    """The call as a whole is refused. `code` never changes; the message is for the person who reads the log."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Batch(BaseModel):
    """What a body holds at the least: a list of objects. Each of them is judged by itself later."""

    rows: Rows = Field(min_length=1, max_length=MOST_ROWS)


def call(act: Callable[[ApiToken, Rows], Answer]) -> Callable[[HttpRequest], HttpResponse]:
    """Make an address of `act`, which stores the rows of a call in the transaction that keeps its answer.

    The token in the header is all that counts: no cookie opens this door, so no foreign page can use one.
    """

    @csrf_exempt
    @login_not_required
    @never_cache
    @wraps(act)
    def address(request: HttpRequest) -> HttpResponse:
        with translation.override("en"):
            try:
                if request.method != "POST":
                    raise Refused(405, "method_not_allowed", "Send a POST.", {"Allow": "POST"})
                token = token_of(request)
                body = body_of(request)
                return once(token, request, body, lambda: act(token, rows_of(body)))
            except Refused as refused:
                content = {"error": {"code": refused.code, "message": refused.message}}
                return JsonResponse(content, status=refused.status, headers=dict(refused.headers))

    return address


def token_of(request: HttpRequest) -> ApiToken:
    """Return the token that the call shows, if it may call now."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    ask = {"WWW-Authenticate": 'Bearer realm="hub"'}
    if kind.lower() != "bearer" or not secret.strip():
        raise Refused(401, "token_missing", "Send the header “Authorization: Bearer hub_…”.", ask)
    token = known(secret.strip())
    if token is None:
        raise Refused(401, "token_invalid", "This token is unknown, expired or revoked, or its owner has left.", ask)
    wait = seconds_to_wait(token.pk)
    if wait:
        raise Refused(429, "too_many_calls", f"Come back in {wait} seconds.", {"Retry-After": str(wait)})
    return token


def body_of(request: HttpRequest) -> bytes:
    """Return the body, which is JSON and no longer than it may be; a longer one is not read to its end."""
    if request.content_type != "application/json":
        raise Refused(415, "wrong_type", "Send JSON, with the header “Content-Type: application/json”.")
    body: bytes = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Refused(413, "body_too_large", "A call holds 1 MB at most: send several.", {"Connection": "close"})
    return body


def rows_of(body: bytes) -> Rows:
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, "not_json", f"The body is not JSON: {error}"[:300]) from error
    if isinstance(found, dict) and isinstance(found.get("rows"), list) and len(found["rows"]) > MOST_ROWS:
        raise Refused(422, "too_many_rows", f"A call holds {MOST_ROWS} rows at most: send several.")
    try:
        rows = Batch.model_validate(found).rows
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused(
            422, "wrong_shape", f"{where}: {first['msg']}. A body is an object with a list “rows”."
        ) from error
    return cleaned(rows) if b"\\u0000" in body else rows  # PostgreSQL takes no NUL, not even to look for it


def once(token: ApiToken, request: HttpRequest, body: bytes, act: Callable[[], Answer]) -> HttpResponse:
    """Do the call, or answer as it was answered when it came before under the same `Idempotency-Key`."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Refused(400, "bad_key", f"An Idempotency-Key is printable ASCII, {LONGEST_KEY} characters at most.")
    if not key:
        return said(act())
    digest = sha256(request.path.encode() + b"\n" + body).hexdigest()
    with transaction.atomic():
        with connection.cursor() as cursor:  # the same call twice at once: the second waits for the first
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"api:{token.pk}:{key}"])
        before = ApiCall.objects.filter(token=token, key=key).first()
        if before is None:
            answer = act()
            ApiCall.objects.create(token=token, key=key, digest=digest, status=answer.status, answer=answer.body)
            return said(answer)
        if before.digest != digest:
            raise Refused(409, "key_reused", "This Idempotency-Key came with another body before: take a new one.")
    again = said(Answer(before.status, before.answer))
    again["Idempotent-Replay"] = "true"
    return again


def said(answer: Answer) -> HttpResponse:
    return HttpResponse(json.dumps(answer.body), status=answer.status, content_type="application/json")
