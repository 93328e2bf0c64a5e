from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from psycopg.postgres import types
from psycopg.pq import Format

from hub.core.database import MomentLoader

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def one(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [value])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.replace(microsecond=120_000),  # written as .12
        NOON.replace(microsecond=1),
        NOON.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        datetime(1850, 1, 1, tzinfo=UTC),
        None,
    ],
)
def test_a_moment_comes_back_as_it_was_written(moment):
    read = one(moment)

    assert read == moment
    assert read is None or read.tzinfo is UTC


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_a_session_in_another_zone_reads_the_same_moment(zone):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])

    read = one(NOON)

    assert (read, read.tzinfo) == (NOON, UTC)


@pytest.mark.django_db
def test_moments_are_read_by_the_fast_loader():
    connection.ensure_connection()

    used = connection.connection.adapters.get_loader(types["timestamptz"].oid, Format.TEXT)

    assert used is MomentLoader
