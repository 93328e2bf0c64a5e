"""Tokens let other systems write values; an answer is kept for the call that comes twice."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kpis', '0006_values_from_outside'),
        ('tooling', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('hint', models.CharField(editable=False, max_length=12, verbose_name='first characters')),
                ('expires_at', models.DateTimeField(verbose_name='valid until')),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last used')),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='revoked')),
                ('made_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('metrics', models.ManyToManyField(blank=True, related_name='+', to='kpis.metric', verbose_name='metrics it may write')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('tools', models.ManyToManyField(blank=True, related_name='+', to='tooling.tool', verbose_name='tools whose use it may report')),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
            },
        ),
        migrations.CreateModel(
            name='ApiCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('digest', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('answer', models.JSONField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='kpis.apitoken')),
            ],
        ),
        migrations.AddIndex(
            model_name='apitoken',
            index=models.Index(fields=['-created_at', '-id'], name='kpis_token_latest'),
        ),
        migrations.AddIndex(
            model_name='apicall',
            index=models.Index(fields=['at'], name='kpis_apicall_at'),
        ),
        migrations.AddConstraint(
            model_name='apicall',
            constraint=models.UniqueConstraint(fields=('token', 'key'), name='kpis_apicall_once'),
        ),
        migrations.AddConstraint(
            model_name='apicall',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='kpis_apicall_has_key'),
        ),
    ]
