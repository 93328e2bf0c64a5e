"""Queries whose workers die, are overtaken, or whose question changes while it is asked: what a person sees then."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from connectors.models import State
from hub.jobs import worker
from hub.jobs.dispatch import LAST_WORDS
from hub.jobs.models import Job
from kpis import tasks
from kpis.actions import databases
from kpis.models import MetricQuery, Observation
from tests.jobs.works import kill_workers, overtake

from .test_databases import DOWN, GOOD, a_query, answered, client_of, shop  # noqa: F401 a fixture

pytestmark = pytest.mark.django_db
CHANGED = "SELECT week, value FROM figures"


@pytest.fixture
def query(shop):  # noqa: F811
    return a_query(shop)


@pytest.fixture
def while_asked(monkeypatch):
    """Have an act happen while the database is asked; it answers well, or fails."""

    def plan(act, answer=GOOD):
        left = [act]

        def ask(*_args, **_options):
            if left:
                left.pop()()
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(databases, "ask", ask)

    return plan


def change(query):
    metric, warehouse = query.metric, query.warehouse
    databases.save_query(metric=metric, warehouse=warehouse, text=CHANGED, by=query.written_by)


@pytest.mark.parametrize(("language", "says"), [("en", "The hub made a mistake."), ("fr", "Le hub a fait une erreur.")])
def test_a_trial_whose_worker_is_killed_ends_says_so_and_can_be_done_again(query, language, says):
    client = client_of(query.written_by)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page, again = (reverse(f"kpis:query_{name}", args=["orders"]) for name in ("edit", "try"))
    client.post(again)
    assert "every 2s" in client.get(page).content.decode()

    kill_workers(tasks.try_query)

    text = client.get(page).content.decode()
    assert "every 2s" not in text
    assert says in text and LAST_WORDS in text
    assert f'action="{again}"' in text
    client.post(again)
    assert "every 2s" in client.get(page).content.decode()


def test_a_night_whose_workers_are_killed_says_so_and_keeps_the_values(query, monkeypatch):
    MetricQuery.objects.update(is_active=True)
    answered(monkeypatch, GOOD)
    databases.read(query)
    tasks.read_query.enqueue(query_id=query.pk)

    kill_workers(tasks.read_query)

    query.refresh_from_db()
    assert (query.failure, query.failures, query.detail) == ("bug", 1, LAST_WORDS)
    assert Observation.objects.count() == 1
    text = client_of(query.written_by).get(reverse("kpis:query_edit", args=["orders"])).content.decode()
    assert "The hub made a mistake." in text


@pytest.mark.parametrize("answer", [GOOD, DOWN])
def test_the_values_of_a_query_that_was_changed_meanwhile_are_not_stored(query, while_asked, answer):
    while_asked(lambda: change(query), answer)

    databases.read(query)

    held = MetricQuery.objects.get()
    assert not Observation.objects.exists()
    assert (held.text, held.read_at, held.tried_at, held.failure) == (CHANGED, None, None, "")


def test_a_reading_that_ends_after_a_later_one_says_nothing(query, while_asked, time_machine):
    def later():
        time_machine.move_to(timezone.now() + timedelta(seconds=9))
        MetricQuery.objects.update(tried_at=timezone.now() - timedelta(seconds=1))

    while_asked(later, DOWN)

    databases.read(query)

    assert MetricQuery.objects.get().failure == ""


def test_a_reading_counts_although_the_clock_was_put_back(query, while_asked):
    MetricQuery.objects.update(tried_at=timezone.now() + timedelta(hours=1))
    while_asked(lambda: None)

    databases.read(query)

    assert Observation.objects.count() == 1


def test_a_trial_of_what_was_changed_meanwhile_is_not_shown(query, while_asked):
    databases.try_soon(query=query)
    while_asked(lambda: change(query))

    worker.run(Job.objects.get().pk)

    held = MetricQuery.objects.get()
    assert (held.trial_state, held.trial) == ("", {})


def test_a_trial_that_is_asked_for_again_shows_the_later_answer(query, while_asked):
    databases.try_soon(query=query)
    while_asked(lambda: databases.try_soon(query=query))

    worker.run(Job.objects.get().pk)
    assert MetricQuery.objects.get().trial_state == State.QUEUED

    worker.run(Job.objects.get().pk)
    assert MetricQuery.objects.get().is_tried


@pytest.mark.parametrize("answer", [GOOD, DOWN])
@pytest.mark.parametrize("made", [tasks.try_query, tasks.read_query])
def test_whoever_was_overtaken_writes_nothing(query, while_asked, made, answer):
    MetricQuery.objects.update(is_active=True)
    before = MetricQuery.objects.values().get()
    job = made.enqueue(query_id=query.pk)
    while_asked(lambda: overtake(made), answer)

    worker.run(job.pk)

    held = MetricQuery.objects.values().get()
    assert {key: value for key, value in held.items() if before[key] != value} == {}
    assert not Observation.objects.exists()
