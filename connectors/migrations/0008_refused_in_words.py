"""A record set aside says why in sentences of ours; what the check itself said stays beside them."""

from django.db import migrations, models

import connectors.reasons


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0007_databases'),
    ]

    operations = [
        migrations.AddField(
            model_name='refusedrecord',
            name='notice',
            field=models.JSONField(
                db_default=models.Value(
                    {'text': 'The record does not look as it must.', 'values': {}}, models.JSONField()
                ),
                default=connectors.reasons.unsaid,
            ),
        ),
        migrations.AlterField(
            model_name='refusedrecord',
            name='reason',
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
