"""What nobody announced: counted after each night's run, which reads everything and so finds it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from connectors import registry
from connectors.models import Delivery, SourceRecord, SyncRun, Webhook, WebhookCount

from . import intake

# Deliveries, of which none comes again so late, and the runs that they set off: some hundred a day of a busy source
KEPT = timedelta(days=30)
COUNTS_KEPT = timedelta(days=400)
LATE = timedelta(hours=1)  # a delivery may come before the run that counts, and its record be read after it
CLOCKS_DIFFER = timedelta(minutes=10)
What = WebhookCount.What


def count_missed(now: datetime | None = None) -> int:
    """Count, at each endpoint whose night has ended since the last count; return how many were counted."""
    now = now or timezone.now()
    nights = SyncRun.objects.filter(connection=OuterRef("connection"), reason=SyncRun.Reason.NIGHT)
    last = nights.exclude(ended_at=None).order_by("-id").values("id")[:1]
    waiting = Webhook.objects.on().annotate(night=Subquery(last)).filter(night__gt=F("counted_run"))
    counted = 0
    for pk, night in waiting.values_list("pk", "night"):
        counted += count_night(pk, SyncRun.objects.get(pk=night))
    return counted


def forget_old(now: datetime) -> None:
    """Forget deliveries, the runs that they set off and counts that no page shows, also where webhooks are off."""
    Delivery.objects.filter(received_at__lt=now - KEPT).delete()
    SyncRun.objects.filter(reason=SyncRun.Reason.WEBHOOK, ended_at__lt=now - KEPT).delete()
    WebhookCount.objects.filter(day__lt=now - COUNTS_KEPT).delete()


@transaction.atomic
def count_night(pk: int, night: SyncRun) -> bool:
    """Count what changed since the last count, and what of it no delivery announced. False: somebody else did."""
    webhook = Webhook.objects.select_for_update(of=("self",)).select_related("connection").get(pk=pk)
    service = registry.announcing(webhook.connection.service)
    if night.pk <= webhook.counted_run or night.ended_at is None or service is None:
        return False
    since = max(webhook.counted_until or webhook.turned_on_at, webhook.turned_on_at)
    if since < night.ended_at:
        rows = changed(webhook, service.hook.counted, since, night.ended_at)
        heard = Delivery.objects.filter(
            webhook=webhook, external_id=OuterRef("external_id"), received_at__gt=since - LATE
        )
        total, missed = rows.count(), rows.exclude(Exists(heard)).count()
        intake.count(What.CHANGED, webhook, now=night.ended_at, times=total)
        intake.count(What.MISSED, webhook, now=night.ended_at, times=missed)
        webhook.counted_until = night.ended_at
    webhook.counted_run = night.pk
    webhook.save(update_fields=["counted_until", "counted_run", "updated_at"])
    return True


def changed(webhook: Webhook, streams: tuple[str, ...], since: datetime, until: datetime) -> QuerySet[SourceRecord]:
    """Return the records that changed or went in the tool meanwhile.

    Not those which the hub only stored again: a back-fill, a first read or a new mapping is no news.
    """
    is_news = Q(source_version=None) | Q(source_version__gt=since - CLOCKS_DIFFER)
    edited = Q(deleted_at=None, changed_at__gt=since, changed_at__lte=until) & is_news
    gone = Q(deleted_at__gt=since, deleted_at__lte=until, deletion_reason=SourceRecord.Reason.SWEPT)
    mine = SourceRecord.objects.filter(connection=webhook.connection_id, stream__in=streams)
    return mine.filter(edited | gone)
