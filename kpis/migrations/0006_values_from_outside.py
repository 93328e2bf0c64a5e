"""Values come from outside, too: a metric says from where, a delivery who brought what."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kpis', '0005_link_projects'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='metric',
            name='source_kind',
            field=models.CharField(choices=[('computed', 'Computed from the tools'), ('pushed', 'Pushed by another system'), ('sql', 'Read from a database'), ('uploaded', 'Uploaded as a file')], default='computed', max_length=10, verbose_name='where values come from'),
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('computed', 'Computed from the tools'), ('pushed', 'Pushed by another system'), ('sql', 'Read from a database'), ('uploaded', 'Uploaded as a file')], max_length=10, verbose_name='source')),
                ('through', models.CharField(blank=True, max_length=200, verbose_name='through')),
                ('recorded_at', models.DateTimeField(verbose_name='received at')),
                ('metrics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                ('accepted', models.PositiveIntegerField(default=0, verbose_name='accepted')),
                ('unchanged', models.PositiveIntegerField(default=0, verbose_name='unchanged')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='refused')),
                ('refusals', models.JSONField(default=list)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(fields=['source', '-recorded_at', '-id'], name='kpis_delivery_latest')],
            },
        ),
    ]
