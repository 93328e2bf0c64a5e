"""The metrics that are there already: seats are about adoption, and what is held at a moment says so."""

from typing import Any

from django.db import migrations

OF_NOW = ("wip", "wip-age-p85", "ageing-share", "seats-active", "seats-dormant")


def say(apps: Any, editor: Any) -> None:
    metrics = apps.get_model("kpis", "Metric").objects
    metrics.filter(key__in=OF_NOW).update(is_of_now=True)
    metrics.filter(key__startswith="seats-").update(theme="adoption")


def unsay(apps: Any, editor: Any) -> None:
    """The columns go with the migration before this one."""


class Migration(migrations.Migration):
    dependencies = [("kpis", "0003_group_by_theme")]
    operations = [migrations.RunPython(say, unsay)]
