"""Say which values a query no longer answers; a try may be paused."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kpis', '0010_count_more_than_items'),
    ]

    operations = [
        migrations.AddField(
            model_name='metricquery',
            name='withdrawn',
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list, editable=False),
        ),
        migrations.AlterField(
            model_name='metricquery',
            name='trial_state',
            field=models.CharField(blank=True, choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Synced'), ('partly', 'Partly synced'), ('failed', 'Failed'), ('skipped', 'Not read'), ('paused', 'Paused')], editable=False, max_length=10),
        ),
    ]
