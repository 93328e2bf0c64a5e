"""The sandbox's clock: it follows real time until somebody sets it, and then moves only when told to."""

from datetime import UTC, datetime, timedelta


class Clock:
    """A clock. `Clock()` follows real time, `Clock(at)` stands still at `at`."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at

    @property
    def follows_real_time(self) -> bool:
        return self._at is None

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        return self._at or datetime.now(UTC)

    def set(self, at: datetime | None) -> None:
        """Stand still at `at`; None follows real time again."""
        self._at = at

    def advance(self, by: timedelta) -> datetime:
        """Move on, and stand still there."""
        self._at = self.now() + by
        return self._at


def text(at: datetime) -> str:
    """Write a moment as Linear does: UTC, milliseconds, Z. Such texts sort as the moments do."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def moment(value: str) -> datetime:
    """Read what `text` wrote, or any ISO moment with a zone. Raises ValueError."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"{value}: no time zone")
    return at.astimezone(UTC)
