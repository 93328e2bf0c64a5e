"""The history of values is append-only."""

from django.db import migrations

CREATE = """
CREATE FUNCTION kpis_history_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of values is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER kpis_history_is_kept BEFORE UPDATE OR DELETE ON kpis_observationhistory
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION kpis_history_is_kept();
"""
DROP = "DROP TRIGGER kpis_history_is_kept ON kpis_observationhistory; DROP FUNCTION kpis_history_is_kept();"


class Migration(migrations.Migration):
    dependencies = [("kpis", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
