"""Reasons of records that were set aside before get the sentence that says the same; their old words stay.

A reason that names a value keeps the general sentence: the value is met again, and said, when the record is.
"""

from typing import Any

from django.db import migrations

BATCH = 5_000
SENTENCES = (
    ("Field required", "The field is missing."),
    ("The id is missing or too long.", "The record has no id, or one that is too long."),
    ("Not JSON that can be stored:", "The record is not written in a way that can be kept."),
    ("Can’t be mapped:", "The hub can make no sense of the record as a whole."),
    ("Can’t be stored:", "The database can’t hold one of the record’s values."),
)


def say(apps: Any, _editor: Any) -> None:
    """Give each old reason its sentence, some thousand rows at a time."""
    rows = apps.get_model("connectors", "RefusedRecord").objects
    for beginning, text in SENTENCES:
        notice = {"text": text, "values": {}}
        left = rows.filter(reason__startswith=beginning).exclude(notice=notice).order_by("pk")
        while found := list(left.values_list("pk", flat=True)[:BATCH]):
            rows.filter(pk__in=found).update(notice=notice)


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0008_refused_in_words'),
    ]

    operations = [
        migrations.RunPython(say, migrations.RunPython.noop),
    ]
