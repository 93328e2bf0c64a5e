"""Tokens of the push API: made, shown once, known again by their digest, revoked."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from hub.activity.actions import record
from hub.people.models import User
from kpis.models import ApiCall, ApiToken, Metric
from tooling.models import Tool

PREFIX = "hub_"  # a leaked token is found by those who look for it, and logs leave it out
SECRET_LENGTH, CHECK_LENGTH = 43, 8
ANSWERS_KEPT = timedelta(hours=48)
NOTE_USE_EVERY = timedelta(minutes=1)


def new_secret() -> str:
    """Return a token: the prefix, 32 random bytes and a checksum, so that a cut-off one is known without a look-up."""
    inside = secrets.token_urlsafe(32)
    return f"{PREFIX}{inside}{_check(inside)}"


def digest_of(secret: str) -> str | None:
    """Return what is stored of a token; None for what can't be one."""
    inside, check = secret.removeprefix(PREFIX)[:SECRET_LENGTH], secret[-CHECK_LENGTH:]
    is_whole = len(secret) == len(PREFIX) + SECRET_LENGTH + CHECK_LENGTH and secret.startswith(PREFIX)
    return sha256(secret.encode()).hexdigest() if is_whole and check == _check(inside) else None


def _check(inside: str) -> str:
    return f"{crc32(inside.encode()):08x}"


@transaction.atomic
def make_token(
    *, name: str, owner: User, metrics: Collection[Metric], tools: Collection[Tool], expires_at: datetime, by: User
) -> tuple[ApiToken, str]:
    """Make a token; return it with its secret, which is known here and now and never again."""
    secret = new_secret()
    token = ApiToken.objects.create(
        name=name,
        owner=owner,
        digest=sha256(secret.encode()).hexdigest(),
        hint=secret[: len(PREFIX) + 4],
        expires_at=expires_at,
        made_by=by,
    )
    token.metrics.set(metrics)
    token.tools.set(tools)
    scopes = ", ".join([*(metric.key for metric in metrics), *(tool.slug for tool in tools)])
    record(by=by, verb="made_token", on=token, changes={"owner": (None, str(owner)), "scopes": (None, scopes[:500])})
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> bool:
    """Close the door at once. False when it was closed already."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if changed:
        record(by=by, verb="revoked_token", on=token)
    return bool(changed)


def known(secret: str) -> ApiToken | None:
    """Return the usable token with this secret. Notes its use, at most once a minute."""
    digest = digest_of(secret)
    if digest is None:
        return None
    token = ApiToken.objects.usable().select_related("owner").filter(digest=digest).first()
    now = timezone.now()
    if token and (token.last_used_at is None or now - token.last_used_at >= NOTE_USE_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def forget_answers(*, now: datetime) -> int:
    """Delete the answers kept for repeated calls that are older than two days."""
    return ApiCall.objects.filter(at__lt=now - ANSWERS_KEPT).delete()[0]
