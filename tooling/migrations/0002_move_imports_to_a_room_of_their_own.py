from django.db import migrations

PLAN = (
    "id, created_at, updated_at, filename, content, encoding, delimiter, is_repaired, header, mapping, notes, state, "
    "row_count, missing_count, batch, applied_at, applied_count, by_id"
)
ROW = "id, line, title, verdict, is_ticked, values, changes, problems"


class Migration(migrations.Migration):
    """Plans and their rows live in hub.imports now; what was uploaded keeps its place and can still be taken back."""

    dependencies = [
        ('imports', '0001_initial'),
        ('tooling', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(
            f"INSERT INTO imports_importplan ({PLAN}, kind, is_whole)"
            f" SELECT {PLAN}, 'tools', false FROM tooling_importplan",
            f"INSERT INTO tooling_importplan ({PLAN}) SELECT {PLAN} FROM imports_importplan WHERE kind = 'tools'",
        ),
        migrations.RunSQL(
            f"INSERT INTO imports_importrow ({ROW}, plan_id, target_id, target_version)"
            f" SELECT {ROW}, plan_id, tool_id, tool_version FROM tooling_importrow",
            f"INSERT INTO tooling_importrow ({ROW}, plan_id, tool_id, tool_version)"
            f" SELECT {', '.join('r.' + name for name in ROW.split(', '))}, plan_id, t.id, target_version"
            " FROM imports_importrow r JOIN imports_importplan p ON p.id = r.plan_id AND p.kind = 'tools'"
            " LEFT JOIN tooling_tool t ON t.id = target_id",
        ),
        migrations.RunSQL(
            [
                "SELECT setval(pg_get_serial_sequence('imports_importplan', 'id'), max(id)) FROM imports_importplan",
                "SELECT setval(pg_get_serial_sequence('imports_importrow', 'id'), max(id)) FROM imports_importrow",
            ],
            migrations.RunSQL.noop,
        ),
    ]
