"""The table of the cache: what limits guessing is counted here."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE IF NOT EXISTS hub_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamp with time zone NOT NULL
            );
            CREATE INDEX IF NOT EXISTS hub_cache_expires ON hub_cache (expires);
            """,
            "DROP TABLE IF EXISTS hub_cache",
        )
    ]
