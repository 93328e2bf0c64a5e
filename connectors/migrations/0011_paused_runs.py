"""A run, or a stream of it, that a person paused ends as paused."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0010_find_accounts_that_wait'),
    ]

    operations = [
        migrations.AlterField(
            model_name='check',
            name='state',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Synced'), ('partly', 'Partly synced'), ('failed', 'Failed'), ('skipped', 'Not read'), ('paused', 'Paused')], default='queued', max_length=10),
        ),
        migrations.AlterField(
            model_name='streamrun',
            name='state',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Synced'), ('partly', 'Partly synced'), ('failed', 'Failed'), ('skipped', 'Not read'), ('paused', 'Paused')], default='queued', max_length=10),
        ),
        migrations.AlterField(
            model_name='syncrun',
            name='state',
            field=models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Synced'), ('partly', 'Partly synced'), ('failed', 'Failed'), ('skipped', 'Not read'), ('paused', 'Paused')], default='queued', max_length=10),
        ),
    ]
