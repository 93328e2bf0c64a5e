"""When a night's sync is due, in the company's time zone. Pure.

A local hour that does not exist runs once, moved by the gap; an hour that comes twice runs once, the first time.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def slot_on(day: date, hour: int, zone: ZoneInfo, minute: int = 0) -> datetime:
    """Return the moment (UTC) at which the slot of a local day starts."""
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def latest_slot(now: datetime, hour: int, zone: ZoneInfo, minute: int = 0) -> tuple[date, datetime]:
    """Return the day and moment of the last slot that has come: the only one that is ever caught up."""
    day = now.astimezone(zone).date()
    moment = slot_on(day, hour, zone, minute)
    if moment > now:
        day -= timedelta(days=1)
        moment = slot_on(day, hour, zone, minute)
    return day, moment


def next_slot(now: datetime, hour: int, zone: ZoneInfo, minute: int = 0) -> datetime:
    """Return the first slot after `now`."""
    day = now.astimezone(zone).date()
    moment = slot_on(day, hour, zone, minute)
    return moment if moment > now else slot_on(day + timedelta(days=1), hour, zone, minute)


def retry_after_failures(failures: int) -> timedelta:
    """Return how long after its `failures`th failure in a row a run is tried again: 15 min, 30, 1 h … up to 6 h."""
    doublings = min(max(0, failures - 1), 10)
    return min(timedelta(minutes=15 * (1 << doublings)), timedelta(hours=6))
