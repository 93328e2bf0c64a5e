"""A broker without leftovers."""

import pytest
import redis
from django.conf import settings

from hub.jobs import dispatch, work
from hub.jobs.broker import redis_address


@pytest.fixture(autouse=True)
def broker():
    held = redis.Redis.from_url(redis_address(settings.REDIS_URL))
    held.flushdb()
    yield held
    held.flushdb()
    held.close()


@pytest.fixture(autouse=True)
def no_clock(request, monkeypatch):
    """Keep the house's own periodic work out of the counts."""
    if "clock" not in request.node.name:
        monkeypatch.setattr(dispatch, "periodic_works", list)
    return work
