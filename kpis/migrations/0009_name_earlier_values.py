"""Name what the record of earlier values holds."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("kpis", "0008_queries_of_metrics"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="observationhistory",
            options={"verbose_name": "earlier value", "verbose_name_plural": "earlier values"},
        ),
    ]
