"""Keep the numbers in custom fields of planned things, and what these fields are called."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0011_paused_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='productitem',
            name='numbers',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.CreateModel(
            name='ProductField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=200)),
                ('deleted_at', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(max_length=20)),
                ('ref', models.CharField(blank=True, default='', max_length=200)),
                ('name', models.CharField(blank=True, default='', max_length=100)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='connectors.connection')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('connection', 'external_id'), name='connectors_productfield_once')],
            },
        ),
    ]
