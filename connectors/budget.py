"""The request budget that all workers share: one per credential, counted in Redis.

The engine spends at most 60 % of what a source allows: people and other tools draw on the same quota.
Without Redis it goes on, one request a second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import redis
import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from hub.jobs.broker import redis_address

from .base import Budget, Limits

log = structlog.get_logger()

SHARE = 0.6
LONGEST_WAIT = timedelta(minutes=2)  # more ends the task; the connection's `pause_until` says when to go on
FAILURES_TO_OPEN = 10
CIRCUIT_OPEN = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=2)
COUNTED_ONE_BY_ONE = 5000  # a moving window keeps one entry per unit; larger budgets use two counters


class MustWait(Exception):
    """The next request may not leave before `until`, and that is too long to sit and wait for."""

    def __init__(self, until: datetime, kind: str) -> None:
        super().__init__(f"{kind} until {until:%H:%M:%S}")
        self.until = until
        self.kind = kind


def client() -> "redis.Redis":
    """Return a client with short timeouts: no Redis is a slow day, not a stuck worker."""
    return redis.Redis.from_url(redis_address(settings.REDIS_URL), socket_timeout=2, socket_connect_timeout=2)


@dataclass
class Pace:
    """Lets requests of one credential through at the right pace. `waited` is what that cost, in seconds."""

    credential: str
    budgets: tuple[Budget, ...]
    sleep: Callable[[float], None] = time.sleep
    waited: float = 0.0
    is_slowed: bool = False
    _redis: "redis.Redis | None" = None
    _limiters: list[tuple[str, RateLimiter, RateLimitItemPerSecond]] = field(default_factory=list)
    _last: float = 0.0

    def __post_init__(self) -> None:
        try:
            self._redis = client()
            self._redis.ping()
            self._limiters = [self._limiter(self._redis, budget) for budget in self.budgets]
        except redis.RedisError as error:
            self._lose_redis(error)

    def _limiter(self, held: "redis.Redis", budget: Budget) -> tuple[str, RateLimiter, RateLimitItemPerSecond]:
        storage = RedisStorage("redis://unused", connection_pool=held.connection_pool, key_prefix="hub:budget")
        amount = max(1, int(budget.amount * SHARE))
        kind = MovingWindowRateLimiter if amount <= COUNTED_ONE_BY_ONE else SlidingWindowCounterRateLimiter
        item = RateLimitItemPerSecond(amount, int(budget.window.total_seconds()), namespace=budget.unit)
        return budget.unit, kind(storage), item

    def wait(self, points: int = 1) -> None:
        """Sleep until a request that costs `points` may leave. Raises MustWait when that is over two minutes off."""
        if self._redis is None:
            self._serial()
            return
        try:
            self._wait_for_pause()
            for unit, limiter, item in self._limiters:
                cost = points if unit == "point" else (2 if self.is_slowed else 1)
                self._wait_for(limiter, item, min(cost, item.amount))
        except redis.RedisError as error:
            self._lose_redis(error)
            self._serial()

    def _wait_for_pause(self) -> None:
        assert self._redis is not None
        stamp = self._redis.get(self._key("pause"))
        if stamp is not None:
            self.hold(datetime.fromtimestamp(float(stamp), UTC), "rate_limited")

    def _wait_for(self, limiter: RateLimiter, item: RateLimitItemPerSecond, cost: int) -> None:
        until = time.monotonic() + LONGEST_WAIT.total_seconds()
        while not limiter.hit(item, self.credential, cost=cost):
            stats = limiter.get_window_stats(item, self.credential)
            step = min(max(0.05, stats.reset_time - time.time()), item.get_expiry() / item.amount * cost)
            if time.monotonic() + step > until or stats.reset_time - time.time() > 30 * LONGEST_WAIT.total_seconds():
                raise MustWait(datetime.now(UTC) + timedelta(seconds=step), "budget_exhausted")
            self._rest(step)

    def hold(self, until: datetime, kind: str) -> None:
        """Wait until a moment, or raise MustWait when it is far."""
        left = until - datetime.now(UTC)
        if left > LONGEST_WAIT:
            raise MustWait(min(until, datetime.now(UTC) + LONGEST_PAUSE), kind)
        if left > timedelta():
            self._rest(left.total_seconds())

    def learn(self, limits: Limits) -> None:
        """Go slower when an answer says that little is left; pause when it says that next to nothing is."""
        share = limits.remaining_share
        self.is_slowed = share is not None and share < 0.2
        if share is not None and share < 0.05 and limits.resets_at is not None:
            self.pause(limits.resets_at)

    def pause(self, until: datetime) -> None:
        """Have every worker of this credential wait until then."""
        until = min(until, datetime.now(UTC) + LONGEST_PAUSE)
        seconds = (until - datetime.now(UTC)).total_seconds()
        if seconds <= 0 or self._redis is None:
            return
        try:
            self._redis.set(self._key("pause"), until.timestamp(), ex=int(seconds) + 1)
        except redis.RedisError as error:
            self._lose_redis(error)

    def forget_pause(self) -> None:
        """Let requests through again at once, whatever was waited for."""
        if self._redis is not None:
            self._redis.delete(self._key("pause"), self._key("failures"))

    def succeeded(self) -> None:
        if self._redis is not None:
            try:
                self._redis.delete(self._key("failures"))
            except redis.RedisError as error:
                self._lose_redis(error)

    def failed(self) -> None:
        """Count a failed request. Raises MustWait when ten in a row open the circuit."""
        if self._redis is None:
            return
        try:
            failures = int(self._redis.incr(self._key("failures")))
            self._redis.expire(self._key("failures"), 3600)
        except redis.RedisError as error:
            self._lose_redis(error)
            return
        if failures >= FAILURES_TO_OPEN:
            self.succeeded()  # counts anew once the circuit is closed
            until = datetime.now(UTC) + CIRCUIT_OPEN
            self.pause(until)
            raise MustWait(until, "source_down")

    def _serial(self) -> None:
        self._rest(max(0.0, self._last + 1.0 - time.monotonic()))
        self._last = time.monotonic()

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self.waited += seconds
            self.sleep(seconds)

    def _lose_redis(self, error: Exception) -> None:
        log.warning("budget.without_redis", error=type(error).__name__)
        self._redis = None

    def _key(self, what: str) -> str:
        return f"hub:{what}:{self.credential}"
