"""Keep the forms under which a name is looked up by likeness, so that nobody reads all people for it."""

from django.db import migrations, models

from hub.people import names

# In plpgsql and with its cost said: inlined, it looks so cheap to the planner that it would try it on everybody.
CREATE = """
CREATE FUNCTION people_plain(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
BEGIN
  RETURN translate(lower(name), 'àáâäãåçèéêëìíîïñòóôöõùúûüýÿ-', 'aaaaaaceeeeiiiinooooouuuuyy ');
END $$;
"""
DROP = "DROP FUNCTION people_plain(text)"


class Migration(migrations.Migration):
    dependencies = [("people", "0002_cache_table")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.AddIndex("user", models.Index(names.PlainName("name"), name="people_user_plain_name")),
        migrations.AddIndex("user", models.Index(names.InitialAndLast("name"), name="people_user_initial_and_last")),
        migrations.AddIndex("user", models.Index(names.MailName("email"), name="people_user_mail_name")),
        # An index on an expression is a guess to the planner until its values were counted.
        migrations.RunSQL("ANALYZE people_user", migrations.RunSQL.noop),
    ]
