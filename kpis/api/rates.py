"""How often a token may call: counted in Redis for all web processes, in each of them alone where Redis is away."""

import time
from functools import cache

import redis
import structlog
from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from connectors.budget import client

log = structlog.get_logger()


@cache
def _shared() -> FixedWindowRateLimiter:
    pool = client().connection_pool
    return FixedWindowRateLimiter(RedisStorage("redis://unused", connection_pool=pool, key_prefix="hub:api"))


@cache
def _alone() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


def seconds_to_wait(token_id: int) -> int:
    """Count a call; return 0 when it may pass, else after how many seconds to come back."""
    item = RateLimitItemPerMinute(settings.API_CALLS_PER_MINUTE, namespace="push")
    try:
        return _counted(_shared(), item, token_id)
    except redis.RedisError as error:
        log.warning("api.rate_without_redis", error=type(error).__name__)
        return _counted(_alone(), item, token_id)


def _counted(limiter: FixedWindowRateLimiter, item: RateLimitItemPerMinute, token_id: int) -> int:
    if limiter.hit(item, str(token_id)):
        return 0
    return max(1, round(limiter.get_window_stats(item, str(token_id)).reset_time - time.time()))
