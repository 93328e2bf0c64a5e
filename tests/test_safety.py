"""What must hold on every address: nothing changes on GET or without a token, no secret shows, nobody is called."""

import hashlib
import logging
import re
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.pages import page_cases, rules

CANARY = "lin_api_canary_3f9b2c71d0"
# Rows that a visit may write: who was here when, and sessions
NOTES_OF_A_VISIT = {"django_session", "hub_cache"}  # the cache counts attempts to sign in
VISIT_COLUMNS = ("last_visit_at", "previous_visit_at", "updated_at")


def dump():
    """Return a print of each table's rows, notes of a visit left out."""
    prints = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - NOTES_OF_A_VISIT:
            row = "to_jsonb(t)" + "".join(f" - '{column}'" for column in VISIT_COLUMNS)
            cursor.execute(
                f"SELECT coalesce(string_agg(({row})::text, chr(10) ORDER BY ({row})::text), '') FROM \"{table}\" t"
            )
            prints[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return prints


def changed(before):
    after = dump()
    return sorted(table for table in before if before[table] != after[table])


def signed_in(person, **options):
    client = Client(**options)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


POSTS = sorted(name for name, rule in rules().items() if "POST" in rule.methods and not rule.for_programs)


@pytest.mark.parametrize("name", POSTS)
def test_form_without_token_or_from_elsewhere_changes_nothing(name, request, member, leader, ops, admin):
    from django.urls import reverse

    rule = rules()[name]
    role = next((role for role in ("ops", "admin", "leader", "member") if role in rule.who), "member")
    address = reverse(name, kwargs=rule.make())
    client = signed_in(request.getfixturevalue(role), enforce_csrf_checks=True)
    before = dump()

    without = client.post(address, rule.data)
    client.cookies[settings.CSRF_COOKIE_NAME] = token = "a" * 32
    foreign = client.post(
        address, {**rule.data, "csrfmiddlewaretoken": token}, headers={"origin": "https://evil.example"}
    )

    assert (without.status_code, foreign.status_code) == (403, 403)
    assert changed(before) == []


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_reading_a_page_changes_nothing(case, request, member, leader, ops, admin):
    address = case.address()
    client = Client() if case.role == "anonymous" else signed_in(request.getfixturevalue(case.role))
    before = dump()

    client.get(address)
    client.head(address)

    assert changed(before) == []


LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|use)\b[^>]*?\b(?:src|href)=["'](?P<a>[^"']+)"""
    r"""|<link\b[^>]*?\bhref=["'](?P<b>[^"']+)|<form\b[^>]*?\baction=["'](?P<c>[^"']+)"""
    r"""|\bhx-(?:get|post|put|delete)=["'](?P<d>[^"']+)"""
)


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_page_loads_nothing_from_elsewhere(case, request, member, leader, ops, admin):
    client = Client() if case.role == "anonymous" else signed_in(request.getfixturevalue(case.role))

    html = client.get(case.address()).content.decode()

    asked = [next(filter(None, match.groups())) for match in LOADS.finditer(html)]
    assert [address for address in asked if re.match(r"[a-z]+:|//", address) and not address.startswith("data:")] == []


@pytest.fixture
def canary_connection(admin):
    from connectors import actions

    return actions.connect(service="linear", label="Canary", secret=CANARY, by=admin)


def test_secret_of_a_connection_is_in_no_table(canary_connection):
    said = StringIO()
    call_command("dumpdata", stdout=said)
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE %s OR t::text LIKE %s",
                           [f"%{CANARY}%", f"%{CANARY.encode().hex()}%"])  # fmt: skip
            found += [table] if cursor.fetchone()[0] else []

    assert found == []
    assert CANARY not in said.getvalue()


@pytest.mark.parametrize("role", ["ops", "admin"])
def test_secret_of_a_connection_is_on_no_page(role, request, canary_connection, ops, admin, caplog):
    from django.urls import reverse

    caplog.set_level(logging.DEBUG)
    client = signed_in(request.getfixturevalue(role))
    shown = client.get(reverse("connectors:sync_list")).content
    shown += client.get(reverse("connectors:connection_detail", args=[canary_connection.pk])).content

    assert CANARY.encode() not in shown
    assert CANARY not in caplog.text
    assert CANARY not in repr(canary_connection.__dict__)
