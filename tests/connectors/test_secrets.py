"""Secrets: bound to their row, turned to new keys even when interrupted, and nowhere to be seen."""

import subprocess
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection as database

from connectors.models import Connection
from connectors.secrets import SecretUnreadable, is_newest, open_secret
from tests.connectors.factories import SECRET, make_connection, make_run
from tests.connectors.stand_in import status

pytestmark = pytest.mark.django_db


def test_a_secret_opens_on_its_own_row_only():
    one, other = make_connection(label="A"), make_connection(label="B", secret="something_else_1234")
    Connection.objects.filter(pk=other.pk).update(secret=one.secret)

    assert open_secret(Connection.objects.get(pk=one.pk)) == SECRET
    with pytest.raises(SecretUnreadable):
        open_secret(Connection.objects.get(pk=other.pk))


def test_the_same_token_has_the_same_print_and_the_print_tells_nothing():
    one, other = make_connection(label="A"), make_connection(label="B")

    assert one.secret_print == other.secret_print
    assert bytes(one.secret) != bytes(other.secret)
    assert SECRET not in one.secret_print


def test_turning_the_keys_can_be_stopped_half_way_and_gone_on_with(settings, monkeypatch):
    secrets = [f"secret_number_{n}_abc" for n in range(6)]
    for secret in secrets:
        make_connection(secret=secret)
    settings.SECRET_KEYS = [Fernet.generate_key().decode(), *settings.SECRET_KEYS]
    saved = Connection.save
    calls = []

    def dies_on_the_third(self, *args, **kwargs):
        calls.append(self.pk)
        if len(calls) == 3:
            raise KeyboardInterrupt
        saved(self, *args, **kwargs)

    monkeypatch.setattr(Connection, "save", dies_on_the_third)
    with pytest.raises(KeyboardInterrupt):
        call_command("rotate_secrets", stdout=StringIO())
    monkeypatch.setattr(Connection, "save", saved)
    assert sum(is_newest(bytes(one.secret)) for one in Connection.objects.all()) == 2
    assert [open_secret(one) for one in Connection.objects.order_by("pk")] == [
        f"secret_number_{n}_abc" for n in range(6)
    ]

    call_command("rotate_secrets", stdout=StringIO())
    settings.SECRET_KEYS = settings.SECRET_KEYS[:1]

    assert [open_secret(one) for one in Connection.objects.order_by("pk")] == [
        f"secret_number_{n}_abc" for n in range(6)
    ]


def test_a_lost_key_names_the_connection_and_stops_nothing_else(settings, sync, connection):
    settings.SECRET_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="Toy"):
        call_command("rotate_secrets", stdout=StringIO())
    run = sync()

    connection.refresh_from_db()
    assert (run.state, run.failure, connection.auth) == ("failed", "auth_invalid", "needs_reauth")


def test_the_token_is_in_no_page_no_log_no_error_and_no_table(sync, world, connection, sign_in, admin, capsys, caplog):
    caplog.set_level("DEBUG")
    world.fault = status(403, f'{{"echo": "{SECRET}"}}'.encode())
    sync()
    world.fault = None
    Connection.objects.update(auth=Connection.Auth.OK)
    sync()
    client = sign_in(admin)
    pages = "".join(
        client.get(url).content.decode()
        for url in ("/syncs/", connection.get_absolute_url(), f"{connection.get_absolute_url()}edit/", "/syncs/new/")
    )
    with database.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        dump = ""
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            dump += "".join(row for (row,) in cursor.fetchall())
    printed = capsys.readouterr()

    for text in (pages, dump, caplog.text, printed.out, printed.err, repr(connection)):
        assert SECRET not in text
        assert SECRET[-10:] not in text
    assert SECRET[-4:] in pages


def test_a_dump_of_the_database_holds_no_token(transactional_db, source):
    make_run(make_connection())
    held = database.settings_dict
    address = f"postgres://{held['USER']}:{held['PASSWORD']}@{held['HOST']}:{held['PORT']}/{held['NAME']}"
    try:
        done = subprocess.run(["pg_dump", "--inserts", address], capture_output=True, check=True, timeout=60)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no pg_dump that fits this server")

    assert SECRET.encode() not in done.stdout
    assert SECRET.encode().hex().encode() not in done.stdout
    assert django_settings.SECRET_KEYS[0].encode() not in done.stdout
