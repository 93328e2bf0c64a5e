"""List what arrived, of every kind at once, without sorting all of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kpis", "0011_withdrawn_weeks"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="kpis_delivery_latest"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["-recorded_at", "-id"], name="kpis_delivery_arrived"),
        ),
    ]
