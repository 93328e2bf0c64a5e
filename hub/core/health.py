"""Is the hub alive, can it serve, and what a reader gets while the database is away."""

import sys

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils import translation
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

RETRY_AFTER_SECONDS = 5
REDIS_TIMEOUT_SECONDS = 1

# SQLSTATE classes of a server that is leaving, coming, full or out of connections: not the fault of the request.
AWAY = ("08", "53", "57P")


@require_safe
@never_cache
@login_not_required
def livez(_request: HttpRequest) -> HttpResponse:
    """Say that this process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether pages can be served: 503 without the database; Redis only delays work and is told, not required."""
    has_database = _has_database()
    found = {"database": _word(is_up=has_database), "redis": _word(is_up=_has_redis())}
    answer = JsonResponse(found, status=200 if has_database else 503)
    if not has_database:
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed: 503 when the database is away for a moment, else 500."""
    is_away = is_database_away(sys.exc_info()[1])
    with translation.override(translation.get_language_from_request(request)):  # asks the browser, not the database
        answer = (
            HttpResponse(loader.render_to_string("503.html"), status=503) if is_away else defaults.server_error(request)
        )
    if not is_away:
        return answer
    answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer


def is_database_away(error: BaseException | None) -> bool:
    """Say whether `error` tells of a database that can't be reached or takes no work just now."""
    if isinstance(error, InterfaceError):  # the connection broke under us
        return True
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(AWAY)


def _has_database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (InterfaceError, OperationalError):
        connection.close()
        return False
    return True


def _has_redis() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
    )
    try:
        with client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _word(*, is_up: bool) -> str:
    return "up" if is_up else "down"
