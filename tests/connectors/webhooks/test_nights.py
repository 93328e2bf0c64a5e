"""What nobody announced is found by the night, and counted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import Delivery, SourceRecord, State, SyncRun, Webhook
from connectors.tasks import forget_old_deliveries, start_due_syncs
from connectors.webhooks import nights, queries

from .conftest import counts

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def begun():
    """Webhooks were turned on a day before this moment."""
    return timezone.now() - timedelta(days=1)


@pytest.fixture
def open_since(endpoint, begun):
    Webhook.objects.filter(pk=endpoint.pk).update(turned_on_at=begun)
    endpoint.refresh_from_db()
    return endpoint


def a_record(webhook, key, at, *, stream="issues", version=None, **fields):
    return SourceRecord.objects.create(
        connection=webhook.connection, stream=stream, external_id=key, raw={}, content_hash="", first_seen_at=at,
        changed_at=at, source_version=version or at, **fields,
    )  # fmt: skip


def a_delivery(webhook, key, at, stream="issues"):
    return Delivery.objects.create(
        webhook=webhook, event_id=f"{key}:{at}", streams=[stream], external_id=key, received_at=at
    )


def a_night(webhook, at, slot="night:1"):
    return SyncRun.objects.create(
        connection=webhook.connection,
        reason="night",
        slot=slot,
        state=State.DONE,
        started_at=at - HOUR / 2,
        ended_at=at,
    )


def test_a_night_counts_what_changed_and_what_of_it_came_unannounced(open_since, begun):
    night = begun + 10 * HOUR
    for number in range(10):
        a_record(open_since, f"i{number}", begun + number * HOUR / 2)
    for number in range(7):
        a_delivery(open_since, f"i{number}", begun + number * HOUR / 2 - timedelta(minutes=1))
    a_record(open_since, "gone", begun, deleted_at=night - HOUR, deletion_reason="swept")
    a_record(open_since, "told gone", begun, deleted_at=night - HOUR, deletion_reason="swept")
    a_delivery(open_since, "told gone", night - 2 * HOUR)
    a_night(open_since, night)

    assert nights.count_missed() == 1

    # i0 changed at the very moment of turning on: it belongs to the time before
    assert counts(open_since) == {"changed": 11, "missed": 4}
    told = queries.panel(open_since.connection)
    assert told.last_night == queries.Missed(11, 4)
    assert told.nights.share == pytest.approx(4 / 11)


def test_what_the_hub_only_stored_again_is_no_news(open_since, begun):
    night = begun + 10 * HOUR
    a_record(open_since, "back-filled", night - HOUR, version=begun - timedelta(days=300))
    a_record(open_since, "not chosen any more", begun, deleted_at=night - HOUR, deletion_reason="unmapped")
    a_record(open_since, "of a stream that changes by itself", night - HOUR, stream="cycles")
    a_record(open_since, "before", begun - HOUR)
    a_record(open_since, "after", night + HOUR)
    a_night(open_since, night)

    nights.count_missed()

    assert counts(open_since) == {"changed": 0, "missed": 0}
    assert queries.panel(open_since.connection).nights.share is None


def test_each_night_is_counted_once_and_begins_where_the_last_one_ended(open_since, begun):
    first, second = begun + 2 * HOUR, begun + 20 * HOUR
    a_record(open_since, "a", begun + HOUR)
    a_night(open_since, first)
    assert [nights.count_missed(), nights.count_missed()] == [1, 0]
    # Announced just before the first night ended, read after it
    a_delivery(open_since, "b", first - timedelta(minutes=1))
    a_record(open_since, "b", first + HOUR)
    a_record(open_since, "c", second - HOUR)
    a_night(open_since, second, "night:2")
    assert [nights.count_missed(), nights.count_missed()] == [1, 0]

    total = queries.panel(open_since.connection).nights
    assert (total.changed, total.missed) == (3, 2)


def test_a_night_before_webhooks_were_turned_on_counts_nothing(open_since, begun):
    a_record(open_since, "a", begun - 3 * HOUR)
    a_night(open_since, begun - HOUR)

    nights.count_missed()

    assert counts(open_since) == {}


def test_the_clock_counts(open_since, begun):
    a_night(open_since, begun + HOUR)

    start_due_syncs()

    assert counts(open_since) == {"changed": 0, "missed": 0}


def test_what_is_old_is_thrown_away_although_webhooks_are_off(open_since):
    Webhook.objects.update(is_on=False)
    a_delivery(open_since, "old", timezone.now() - timedelta(days=31))
    a_delivery(open_since, "young", timezone.now() - timedelta(days=29))
    for days in (29, 31):
        at = timezone.now() - timedelta(days=days)
        SyncRun.objects.create(
            connection=open_since.connection, reason="webhook", slot=f"{days} days ago", state=State.DONE, ended_at=at
        )

    forget_old_deliveries()

    assert list(Delivery.objects.values_list("external_id", flat=True)) == ["young"]
    assert SyncRun.objects.get(reason="webhook").slot == "29 days ago"


def test_asking_whether_a_night_is_to_be_counted_is_one_query(open_since, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert nights.count_missed() == 0


@pytest.mark.parametrize(
    ("quiet", "changes", "is_silent"),
    [(timedelta(days=4), 12, True), (timedelta(days=4), 3, False), (timedelta(days=2), 12, False)],
)
def test_three_silent_days_of_a_busy_source_are_told(open_since, quiet, changes, is_silent):
    now = timezone.now()
    Webhook.objects.filter(pk=open_since.pk).update(
        turned_on_at=now - timedelta(days=9), last_delivery_at=now - quiet, counted_until=now - timedelta(days=1)
    )
    for number in range(changes):
        a_record(open_since, f"i{number}", now - 2 * HOUR)
    a_night(open_since, now - HOUR)
    nights.count_missed()

    assert queries.panel(open_since.connection).is_silent is is_silent
