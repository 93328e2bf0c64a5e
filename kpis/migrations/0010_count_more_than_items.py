"""Count in features, decisions, times and money, too."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("kpis", "0009_name_earlier_values"),
    ]

    operations = [
        migrations.AlterField(
            model_name="metric",
            name="unit",
            field=models.CharField(
                choices=[
                    ("days", "days"),
                    ("items", "items"),
                    ("percent", "%"),
                    ("seats", "seats"),
                    ("notes", "notes"),
                    ("interviews", "interviews"),
                    ("pages", "pages"),
                    ("objectives", "objectives"),
                    ("key_results", "key results"),
                    ("features", "features"),
                    ("decisions", "decisions"),
                    ("times", "times"),
                    ("money", "money"),
                ],
                max_length=12,
                verbose_name="unit",
            ),
        ),
    ]
