"""A metric may be read by a query, which is tried first and then read each night."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0007_databases'),
        ('kpis', '0007_tokens_of_the_push_api'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MetricQuery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                ('version', models.PositiveIntegerField(default=1, editable=False, verbose_name='version')),
                ('text', models.TextField(max_length=20000, verbose_name='query')),
                ('is_active', models.BooleanField(default=False, verbose_name='read each night')),
                ('trial_state', models.CharField(blank=True, choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Synced'), ('partly', 'Partly synced'), ('failed', 'Failed'), ('skipped', 'Not read')], editable=False, max_length=10)),
                ('trial_version', models.PositiveIntegerField(default=0, editable=False)),
                ('trial_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('trial', models.JSONField(default=dict, editable=False)),
                ('tried_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('read_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('failure', models.CharField(blank=True, editable=False, max_length=30)),
                ('detail', models.CharField(blank=True, editable=False, max_length=500)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('metric', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='query', to='kpis.metric')),
                ('warehouse', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='queries', to='connectors.warehouse', verbose_name='database')),
                ('written_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'query',
                'verbose_name_plural': 'queries',
            },
        ),
    ]
