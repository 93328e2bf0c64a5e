"""Telling workers what is due. Its failure only delays: the rows stay, and any other dispatcher goes on."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from kombu import Connection as Broker
from kombu import Queue
from kombu.exceptions import OperationalError as BrokerDown
from redis.exceptions import RedisError

from .broker import celery_address
from .models import Job
from .work import give_up, periodic_works

log = structlog.get_logger()

LOCK = 0x4A0B5  # any number, the same in every dispatcher
REDISPATCH_AFTER = timedelta(seconds=45)  # claims are idempotent, so telling twice costs a glance
OUTSTANDING = 50  # messages waiting in one queue; more would only be told again
KEEP_DONE = timedelta(days=14)
KEEP_DEAD = timedelta(days=90)
KEEP_CLOCK = timedelta(days=2)  # longer than any period: a row that is gone would be written, and done, again
QUEUES = ("default", "sync", "webhook")
LAST_WORDS = "The worker stopped without a word (killed, or out of memory)."


@dataclass(frozen=True)
class Round:
    """What one round did."""

    sent: int = 0
    requeued: int = 0
    is_leader: bool = True


class Dispatcher:
    """Publishes the ids of due jobs. Any number may run; in each round one of them works, the others pass."""

    def __init__(self) -> None:
        self.broker: Broker | None = None

    def round(self, now: datetime | None = None) -> Round:
        """Put the clock's work down, take back expired leases, publish what is due.

        Raises nothing: a database or broker that is away is logged and met again in the next round.
        """
        now = now or timezone.now()
        try:
            with transaction.atomic():
                if not self.wins_lock():
                    return Round(is_leader=False)
                enqueue_periodic(now)
                requeued = requeue_expired(now)
            sent = self.publish(now)
        except DatabaseError as error:
            log.warning("dispatch.database_away", error=str(error).strip()[:200])
            connection.close()
            return Round(is_leader=False)
        except (BrokerDown, RedisError, OSError) as error:
            log.warning("dispatch.broker_away", error=str(error)[:200])
            self.forget_broker()
            return Round()
        return Round(sent, requeued)

    def wins_lock(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            return bool(cursor.fetchone()[0])

    def publish(self, now: datetime) -> int:
        """Mark due rows in one short transaction, then tell the broker.

        Marked but not told (a kill in between, a broker that loses everything) means told again a little later.
        """
        with self.connect().channel() as channel:
            room = {name: max(0, OUTSTANDING - waiting(name, channel)) for name in QUEUES}
            chosen: dict[str, list[UUID]] = {}
            with transaction.atomic():
                if not self.wins_lock():
                    return 0
                for name in QUEUES:
                    chosen[name] = take_due(name, room[name], now)
            return sum(send(name, ids, channel) for name, ids in chosen.items())

    def connect(self) -> Broker:
        """Return the connection to the broker, with short timeouts: a dispatcher must never hang."""
        if self.broker is None:
            options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 2, "socket_connect_timeout": 2}
            self.broker = Broker(celery_address(settings.CELERY_BROKER_URL), transport_options=options)
        return self.broker

    def forget_broker(self) -> None:
        if self.broker is not None:
            with suppress(Exception):  # it is gone already: nothing of it can be closed in good order
                self.broker.release()
            self.broker = None


def send(queue: str, ids: list[UUID], channel: Any) -> int:
    """Tell the broker the ids; return how many there were."""
    from .tasks import run_job

    producer = run_job.app.amqp.Producer(channel)
    for job_id in ids:
        run_job.apply_async(args=(str(job_id),), queue=queue, producer=producer, retry=False)
    return len(ids)


def waiting(name: str, channel: Any) -> int:
    """Return how many messages wait in a queue of the broker."""
    declared: Any = Queue(name, channel=channel).queue_declare()
    return int(declared.message_count)


def take_due(queue: str, room: int, now: datetime) -> list[UUID]:
    """Mark up to `room` due jobs of a queue as told, highest priority first, and return their ids."""
    if not room:
        return []
    due = (
        Job.objects.select_for_update(skip_locked=True)
        .filter(state=Job.State.QUEUED, queue=queue, run_after__lte=now)
        .filter(Q(dispatched_at=None) | Q(dispatched_at__lt=now - REDISPATCH_AFTER))
        .order_by("-priority", "run_after", "pk")
        .values_list("pk", flat=True)[:room]
    )
    ids = list(due)
    Job.objects.filter(pk__in=ids).update(dispatched_at=now)
    return ids


def requeue_expired(now: datetime) -> int:
    """Take back the jobs of workers that went silent; give up on those that die again and again."""
    expired = Job.objects.select_for_update(skip_locked=True).filter(state=Job.State.RUNNING, lease_until__lt=now)
    tired = []
    for job in expired:
        if job.attempts >= job.max_attempts:
            give_up(job, LAST_WORDS)
        else:
            tired.append(job.pk)
    return Job.objects.filter(pk__in=tired).update(
        state=Job.State.QUEUED, run_after=now, dispatched_at=None, lease_until=None, error=LAST_WORDS
    )


def enqueue_periodic(now: datetime) -> None:
    """Write down the clock's work: one row per work and period, whoever is asked and however often."""
    rows = []
    for made in periodic_works():
        assert made.every is not None
        slot = int(now.timestamp() // made.every.total_seconds())
        rows.append(
            Job(kind=made.kind, queue=made.queue, run_key=f"every:{made.kind}:{slot}", max_attempts=made.max_attempts)
        )
    Job.objects.bulk_create(rows, ignore_conflicts=True)


def prune(now: datetime) -> int:
    """Forget jobs that were done two weeks ago, and failed ones after three months."""
    done = Job.objects.filter(state=Job.State.DONE, finished_at__lt=now - KEEP_DONE)
    dead = Job.objects.filter(state=Job.State.DEAD, finished_at__lt=now - KEEP_DEAD)
    clock = Job.objects.filter(state=Job.State.DONE, run_key__startswith="every:", finished_at__lt=now - KEEP_CLOCK)
    return sum(rows.delete()[0] for rows in (done, dead, clock))
