"""No broker, or one that never answers: every page opens all the same, and what people ask for waits as a row."""

import socket
import time

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from connectors.models import State, SyncRun
from hub.jobs.dispatch import Dispatcher
from hub.jobs.models import Job
from tests.connectors.factories import make_connection
from tests.pages import page_cases

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
PATIENCE_SECONDS = 20  # promised are 2 s; what hangs on a silent Redis never ends


class Silent:
    """Listens where Redis should be; `was_asked` tells whether anybody connected."""

    def __init__(self, *, is_there):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listening.setblocking(False)
        self.port = self.listening.getsockname()[1]
        self.is_there = is_there
        if not is_there:
            self.listening.close()

    def was_asked(self):
        if not self.is_there:
            return False
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture(params=["stopped", "silent"])
def redis(request, settings):
    """Point the hub at a Redis that is gone, or at one that takes connections and never says a word."""
    made = Silent(is_there=request.param == "silent")
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{made.port}/0"
    yield made
    made.listening.close()


def signed_in(person):
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_page_opens_and_none_asks_redis(redis, request, member, leader, ops, admin):
    cases = page_cases()
    wrong = {}

    for case in cases:
        with transaction.atomic():  # each page makes the rows it needs
            address = case.address()
            client = Client() if case.role == "anonymous" else signed_in(request.getfixturevalue(case.role))
            status = client.get(address).status_code
            transaction.set_rollback(True)
        if status >= 400 or redis.was_asked():
            wrong[str(case)] = status

    assert len(cases) > 30
    assert wrong == {}


def test_a_sync_that_is_asked_for_waits_and_the_page_says_so(redis, ops):
    connection = make_connection("linear", label="Linear")
    client = signed_in(ops)

    answer = client.post(reverse("connectors:connection_run", args=[connection.pk]), follow=True)

    assert answer.status_code == 200
    assert str(State.QUEUED.label) in answer.content.decode()
    assert SyncRun.objects.get().state == State.QUEUED
    assert Job.objects.get(kind="connectors.tasks.sync_connection").state == Job.State.QUEUED
    assert not redis.was_asked()


def test_the_dispatcher_gives_up_soon_and_leaves_the_job_to_the_next_round(redis):
    job = Job.objects.create(kind="tests.jobs.works.mark", payload={"name": "waits"})
    begun = time.monotonic()

    assert Dispatcher().round().sent == 0

    assert time.monotonic() - begun < PATIENCE_SECONDS
    assert Job.objects.get(pk=job.pk).dispatched_at is None


def test_readiness_tells_of_it_in_time(redis, client):
    begun = time.monotonic()

    answer = client.get("/readyz/")

    assert (answer.status_code, answer.json()) == (200, {"database": "up", "redis": "down"})
    assert time.monotonic() - begun < PATIENCE_SECONDS
