"""Work of the wires that is given up: what the sync pages say of it, how long, and how it is tried again."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from connectors.models import State, SyncRun
from connectors.tasks import check_connection, remap_connection
from hub.jobs.dispatch import LAST_WORDS
from hub.jobs.models import Job
from tests.connectors.factories import make_connection, make_run
from tests.jobs.works import kill_workers

pytestmark = pytest.mark.django_db
LIST = "/syncs/"


@pytest.fixture
def page(ops, sign_in):
    """Open the list as Product Ops; return its text."""
    client = sign_in(ops)

    def open_list():
        return client.get(LIST).content.decode()

    return open_list


def a_dead_sync(connection, **fields):
    run = make_run(connection, **fields)
    SyncRun.objects.filter(pk=run.pk).update(state=State.FAILED)
    Job.objects.filter(pk=run.job).update(
        state=Job.State.DEAD, error="ValueError: it broke", finished_at=timezone.now() - timedelta(hours=1)
    )
    return Job.objects.get(pk=run.job)


def test_a_failed_job_can_be_tried_again(connection, page, sign_in, ops):
    job = a_dead_sync(connection)
    SyncRun.objects.update(state=State.RUNNING)
    assert "it broke" in page()

    sign_in(ops).post(reverse("connectors:job_retry", args=[connection.pk, job.pk]))

    job.refresh_from_db()
    assert job.state == Job.State.QUEUED


@pytest.mark.parametrize(
    ("asked", "later", "state", "is_news"),
    [
        ((), (), State.DONE, False),
        ((), (), State.PARTLY, False),
        ((), (), State.FAILED, True),
        ((), ("issues",), State.DONE, True),
        (("issues",), ("people", "issues"), State.DONE, False),
        (("issues",), ("people",), State.DONE, True),
        (("issues",), (), State.DONE, False),
    ],
)
def test_a_sync_that_was_given_up_is_news_until_a_later_one_read_as_much(
    connection, page, asked, later, state, is_news
):
    a_dead_sync(connection, slot="dead", only=asked)

    make_run(connection, slot="later", only=later)
    SyncRun.objects.filter(slot="later").update(state=state)

    assert ("it broke" in page()) == is_news


@pytest.mark.parametrize(("mapped_with", "is_news"), [(1, True), (2, False), (3, False)])
def test_a_mapping_that_was_given_up_is_news_until_it_or_a_later_one_is_done(connection, page, mapped_with, is_news):
    remap_connection.enqueue(run_key=f"remap:{connection.pk}:2", connection_id=connection.pk)
    Job.objects.update(state=Job.State.DEAD, error="it broke", finished_at=timezone.now())

    type(connection).objects.update(mapped_with=mapped_with)

    assert ("it broke" in page()) == is_news


def test_the_list_costs_the_same_with_many_failed_jobs(source, sign_in, ops, django_assert_max_num_queries):
    for number in range(12):
        a_dead_sync(make_connection(label=f"Toy {number}"))
    client = sign_in(ops)

    with django_assert_max_num_queries(8):
        text = client.get(LIST).content.decode()

    assert text.count("it broke") == 12


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "The hub made a mistake while reading Toy."), ("fr", "Le hub a commis une erreur en lisant Toy.")],
)
def test_a_test_whose_workers_are_killed_ends_says_so_and_can_be_done_again(connection, sign_in, admin, language, says):
    client = sign_in(admin)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    address = reverse("connectors:connection_test", args=[connection.pk])
    client.post(address, {"from": "detail"})
    assert "every 2s" in client.get(connection.get_absolute_url()).content.decode()

    kill_workers(check_connection)

    text = client.get(connection.get_absolute_url()).content.decode()
    assert "every 2s" not in text
    assert says in text and LAST_WORDS in text
    assert text.count(f'action="{address}"') == 2 and f'id="test-{connection.pk}"' in text
    assert says in client.get(LIST).content.decode()
    client.post(address, {"from": "detail"})
    assert "every 2s" in client.get(connection.get_absolute_url()).content.decode()
