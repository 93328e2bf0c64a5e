"""Metrics stand under a theme, and say whether the week under way has a value; more things are counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kpis", "0002_keep_history")]

    operations = [
        migrations.AddField(
            model_name="metric",
            name="is_of_now",
            field=models.BooleanField(default=False, verbose_name="of a moment"),
        ),
        migrations.AddField(
            model_name="metric",
            name="theme",
            field=models.CharField(
                choices=[
                    ("delivery", "Delivery"),
                    ("discovery", "Discovery"),
                    ("strategy", "Strategy"),
                    ("documents", "Documents"),
                    ("adoption", "Adoption"),
                ],
                default="delivery",
                max_length=12,
                verbose_name="theme",
            ),
        ),
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
                ],
                max_length=12,
                verbose_name="unit",
            ),
        ),
    ]
