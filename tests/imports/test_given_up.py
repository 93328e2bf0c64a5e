"""Files and addresses whose workers die or are overtaken: what a person sees then, and what is written."""

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from hub.imports import feeds, tasks
from hub.imports.actions import apply_plan
from hub.imports.models import Feed, ImportPlan
from hub.jobs import worker
from hub.jobs.dispatch import LAST_WORDS
from tests.imports.test_feeds import canary, feed_of, inside, meanwhile  # noqa: F401 fixtures
from tests.imports.ways import planned
from tests.jobs.works import kill_workers, overtake
from tooling.models import Tool

pytestmark = pytest.mark.django_db
TABLE = "name,summary\nMiro,Boards.\n"


def test_a_file_whose_readers_are_killed_says_so_and_can_be_read_again(ops, sign_in):
    plan = planned("tools", TABLE, ops)
    ImportPlan.objects.update(state="waiting")
    tasks.judge_import.enqueue(plan_id=plan.pk)
    client = sign_in(ops)
    assert "every 2s" in client.get(plan.get_absolute_url()).content.decode()

    kill_workers(tasks.judge_import)

    text = client.get(plan.get_absolute_url()).content.decode()
    assert "every 2s" not in text
    assert "The hub failed to read this file" in text and LAST_WORDS in text
    assert 'name="again"' in text and reverse("imports:plan_discard", args=[plan.pk]) in text
    client.post(reverse("imports:plan_read", args=[plan.pk]), {"again": "1"})
    plan.refresh_from_db()
    assert (plan.state, plan.notes) == ("ready", [])


def test_a_plan_whose_writers_are_killed_says_that_nothing_was_written_and_can_be_applied(ops, sign_in):
    plan = planned("tools", TABLE, ops)
    ImportPlan.objects.update(state="applying")
    tasks.apply_import.enqueue(plan_id=plan.pk, by_id=ops.pk)

    kill_workers(tasks.apply_import)

    text = sign_in(ops).get(plan.get_absolute_url()).content.decode()
    assert "every 2s" not in text
    assert "The hub failed to apply this file" in text and LAST_WORDS in text
    assert 'name="apply"' in text
    assert not Tool.objects.exists()
    assert apply_plan(plan_id=plan.pk, by_id=ops.pk).state == "applied"


def test_what_was_applied_before_its_job_was_given_up_stays_applied(ops):
    plan = planned("tools", TABLE, ops)
    apply_plan(plan_id=plan.pk, by_id=ops.pk)
    tasks.apply_import.enqueue(plan_id=plan.pk, by_id=ops.pk)

    kill_workers(tasks.apply_import)

    plan.refresh_from_db()
    assert (plan.state, plan.notes) == ("applied", [])


@pytest.mark.parametrize(("language", "says"), [("en", "The hub made a mistake"), ("fr", "Le hub a commis une erreur")])
def test_an_address_whose_readers_are_killed_says_so_and_can_be_read_again(ops, sign_in, language, says):
    feed = feeds.save_feed(
        feed=Feed(kind="tools"), label="Nightly", url="https://files.example/t.csv", is_whole=False, is_active=True,
        secret=None, by=ops,
    )  # fmt: skip
    client = sign_in(ops)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    client.post(reverse("imports:feed_read", args=[feed.pk]))

    kill_workers(tasks.read_feed)

    text = client.get(feed.get_absolute_url()).content.decode()
    assert says in text and LAST_WORDS in text
    assert reverse("imports:feed_read", args=[feed.pk]) in text


def broken(canary):  # noqa: F811
    canary.answer = (503, {}, b"")


def good(canary):  # noqa: F811
    return canary


@pytest.mark.parametrize("answers", [good, broken])
def test_a_reader_that_was_overtaken_writes_nothing(inside, ops, monkeypatch, answers):  # noqa: F811
    feed = feed_of(inside, ops)
    before = Feed.objects.values().get()
    answers(inside)
    job = tasks.read_feed.enqueue(feed_id=feed.pk)
    fetch = feeds.fetch_file

    def fetched(*args, **options):
        overtake(tasks.read_feed)
        return fetch(*args, **options)

    monkeypatch.setattr(feeds, "fetch_file", fetched)

    worker.run(job.pk)

    assert Feed.objects.values().get() == before
    assert not ImportPlan.objects.exists() and not Tool.objects.exists()


def test_a_failure_that_comes_after_a_later_reading_is_no_news(inside, ops, monkeypatch):  # noqa: F811
    feed = feed_of(inside, ops)
    meanwhile(monkeypatch, lambda: Feed.objects.update(last_read_at=timezone.now(), digest="x"))
    Feed.objects.update(columns={"name": "no such column"})

    feeds.read_feed(feed_id=feed.pk)

    assert Feed.objects.get().failure == ""


def test_a_failure_of_the_old_address_says_nothing_of_the_new_one(inside, ops, monkeypatch):  # noqa: F811
    feed = feed_of(inside, ops)
    Feed.objects.update(columns={"name": "no such column"})
    meanwhile(monkeypatch, lambda: feed_changed(Feed.objects.get(), ops))

    feeds.read_feed(feed_id=feed.pk)

    assert Feed.objects.get().failure == ""


def feed_changed(feed, by):
    feeds.save_feed(
        feed=feed, label="Other", url="https://files.example/t.csv", is_whole=False, is_active=True, secret=None, by=by
    )
