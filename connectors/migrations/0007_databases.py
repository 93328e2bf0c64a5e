"""Databases of the company that metrics may be read from, and whether they may."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0006_code_hosts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Warehouse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                ('kind', models.CharField(max_length=20, verbose_name='kind')),
                ('label', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('secret', models.BinaryField(default=b'', verbose_name='address')),
                ('shown_as', models.CharField(editable=False, max_length=300, verbose_name='where it leads')),
                ('timeout_seconds', models.PositiveSmallIntegerField(default=10, verbose_name='longest time of a query, seconds')),
                ('may_write', models.BooleanField(default=False, editable=False)),
                ('added_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'database',
                'verbose_name_plural': 'databases',
                'constraints': [models.CheckConstraint(condition=models.Q(('timeout_seconds__gte', 1), ('timeout_seconds__lte', 30)), name='connectors_warehouse_timeout')],
            },
        ),
        migrations.CreateModel(
            name='WarehousePermit',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('is_given', models.BooleanField(default=False)),
                ('at', models.DateTimeField(auto_now=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'permit to read databases',
                'verbose_name_plural': 'permits to read databases',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='connectors_warehousepermit_one')],
            },
        ),
    ]
