"""The record is only ever added to: the database itself refuses to change or delete an event.

One change is let through: forgetting who acted, when a person is erased.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("activity", "0002_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE OR REPLACE FUNCTION activity_event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND NEW.by_id IS NULL AND to_jsonb(NEW) - 'by_id' = to_jsonb(OLD) - 'by_id' THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'The record of activity is only added to, never changed or deleted.'
                    USING ERRCODE = 'restrict_violation';
            END;
            $$;
            CREATE TRIGGER activity_event_is_final BEFORE UPDATE OR DELETE ON activity_event
                FOR EACH ROW EXECUTE FUNCTION activity_event_is_final();
            """,
            """
            DROP TRIGGER IF EXISTS activity_event_is_final ON activity_event;
            DROP FUNCTION IF EXISTS activity_event_is_final();
            """,
        )
    ]
