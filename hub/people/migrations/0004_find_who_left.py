"""Find the few who left without reading everybody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_find_names_by_likeness")]

    operations = [
        migrations.AddIndex(
            "user", models.Index(fields=["id"], condition=models.Q(is_active=False), name="people_user_left")
        )
    ]
