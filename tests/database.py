"""Emptying the database after a test that committed: in milliseconds, where Django's flush takes up to a second."""

from functools import cache

from django.db import connection, transaction
from django.test import TransactionTestCase

# Django's flush empties these, too, only to fill them anew from the models; no test writes them
KEPT = {"django_content_type", "auth_permission", "django_migrations"}


@cache
def emptiers() -> dict[str, str]:
    """Return the statement that empties each table.

    A table whose trigger forbids to delete its rows is truncated; to truncate one costs new files for it and its
    indexes, which is what makes a flush of them all slow.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        guarded = {name for (name,) in cursor.fetchall()}
        tables = set(connection.introspection.table_names(cursor)) - KEPT
    quoted = {name: connection.ops.quote_name(name) for name in sorted(tables)}
    return {
        name: f"TRUNCATE {table} CASCADE" if name in guarded else f"DELETE FROM {table}"
        for name, table in quoted.items()
    }


def empty() -> None:
    """Leave no row behind but those of Django's own registers of models and rights."""
    asked = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(name)})" for name in emptiers()
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(asked)
        for (name,) in cursor.fetchall():
            cursor.execute(emptiers()[name])


def empty_instead_of_flush() -> None:
    """Have every transactional test end with `empty`."""
    TransactionTestCase._fixture_teardown = lambda case: empty()
