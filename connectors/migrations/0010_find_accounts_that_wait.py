"""Count the accounts that wait for a person in their index alone: every page of Product Ops says how many."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connectors", "0009_say_old_reasons")]

    operations = [
        migrations.RemoveIndex("personaccount", "connectors_account_unmatched"),
        migrations.AddIndex(
            "personaccount",
            models.Index(
                fields=["connection", "name", "id"],
                condition=models.Q(match="unmatched", is_active=True, deleted_at=None),
                name="connectors_account_waiting",
            ),
        ),
    ]
