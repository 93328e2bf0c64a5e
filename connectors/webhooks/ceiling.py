"""A ceiling for each address: what is above it is turned away before it costs anything. Counted in this process."""

from threading import Lock
from time import monotonic

SECONDS = 60.0
PER_MINUTE = 3_000  # far above what a tool sends in earnest
COUNTED_PER_MINUTE = 300  # deliveries to addresses that don't exist, all together; the others wait in memory


class Ceiling:
    """Counts by key, in windows of a minute. Only addresses that exist are keys, so there are few."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, tuple[float, int]] = {}  # key → start of its window, how many came in it

    def is_above(self, key: str, most: int) -> bool:
        """Tell whether a key has had its share of this minute already, and if so count one more."""
        with self._lock:
            begun, count = self._held.get(key, (0.0, 0))
            if count < most or monotonic() - begun >= SECONDS:
                return False
            self._held[key] = (begun, count + 1)
            return True

    def take(self, key: str, most: int) -> int:
        """Count one, and return how many were turned away in the key's last window, if this begins a new one."""
        now = monotonic()
        with self._lock:
            begun, count = self._held.get(key, (now, 0))
            if now - begun < SECONDS:
                self._held[key] = (begun, count + 1)
                return 0
            self._held[key] = (now, 1)
            return max(0, count - most)


ceiling = Ceiling()
