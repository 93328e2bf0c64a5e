"""Every address × every role × anonymous: who may, who may not, and what is refused."""

import uuid

import pytest
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.urls import reverse

from hub.people.models import Role, User
from tests.access import EVERYONE_INSIDE, ROLES
from tests.access.walk import (
    PEOPLE,
    addresses,
    again,
    ask,
    body_of,
    client_of,
    is_sent_to_sign_in,
    rule_for,
    stranger_args,
    surprises,
    table,
)
from tests.people.factories import UserFactory

RULES = table()
ADDRESSES = dict(addresses())
NAMED = sorted(name for name in ADDRESSES if not name.startswith("admin:"))
WITH_RULE = [name for name in NAMED if rule_for(name, RULES)]
RESTRICTED = [name for name in WITH_RULE if RULES[name].who < EVERYONE_INSIDE]
GUARDED_TWICE = {"account_change_password"}  # allauth asks for sign-in by itself, too
INSIDE = [name for name in WITH_RULE if "anonymous" not in RULES[name].who and name not in GUARDED_TWICE]
READ = [name for name in WITH_RULE if "GET" in RULES[name].methods]
POSTED = [name for name in WITH_RULE if "POST" in RULES[name].methods and not RULES[name].for_programs]

# Tables that a GET may write: who was here, who is signed in, how often somebody guessed.
NOT_CONTENT = {"django_session", "hub_cache", "people_user"}


@pytest.fixture(autouse=True)
def database(db):
    """Every address may read."""


@pytest.mark.parametrize("name", NAMED)
def test_every_address_has_a_rule(name):
    assert rule_for(name, RULES), f"{name}: write who may go there, in tests/access/"


def test_every_rule_has_an_address():
    spare = [name for name in RULES if name not in ADDRESSES and not name.endswith(":")]

    assert not spare


@pytest.mark.parametrize("name", WITH_RULE)
def test_only_those_who_may(name):
    assert surprises(name, RULES[name]) == []


@pytest.mark.parametrize("name", WITH_RULE)
def test_what_does_not_exist_is_not_found(name):
    rule = RULES[name]
    args = stranger_args(rule.make())
    if not args:
        return

    for role in sorted(rule.who - {"anonymous"}):
        for method in rule.methods:
            answer = ask(client_of(role), name, rule, method, args=args)

            assert answer.status_code == rule.missing, f"{method} {name} as {role}"


@pytest.mark.parametrize("name", POSTED)
def test_a_form_without_its_token_is_refused(name):
    rule = RULES[name]
    url = reverse(name, kwargs=rule.make())
    client = client_of(sorted(rule.who - {"anonymous"})[0], enforce_csrf_checks=True)

    assert client.post(url, body_of(rule)).status_code == 403


@pytest.mark.parametrize("name", POSTED)
def test_a_form_from_a_foreign_page_is_refused(name):
    rule = RULES[name]
    url = reverse(name, kwargs=rule.make())
    client = client_of(sorted(rule.who - {"anonymous"})[0], enforce_csrf_checks=True)
    client.cookies["csrftoken"] = token = "t" * 32
    data = {**body_of(rule), "csrfmiddlewaretoken": token}

    assert client.post(url, data, headers={"Origin": "https://elsewhere.example"}).status_code == 403


def fingerprint():
    """Return one number for each table's rows, whatever their order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted(name for (name,) in cursor.fetchall() if name not in NOT_CONTENT)
        prints = {}
        for table_name in tables:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM \"{table_name}\" t"
            )
            prints[table_name] = cursor.fetchone()[0]
    return prints


@pytest.mark.parametrize("name", READ)
def test_reading_changes_nothing(name):
    client = Client(raise_request_exception=False)
    everyone = UserFactory(email="all@walk.example", role=Role.OPS, is_staff=True, is_superuser=True)
    client.force_login(everyone, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse(name, kwargs=RULES[name].make())
    before = fingerprint()

    answer = client.get(url)

    assert answer.status_code < 500
    assert fingerprint() == before


# --- Django's admin: one rule by its prefix ------------------------------------------------------------------------

ADMIN = sorted(name for name in ADDRESSES if name.startswith("admin:"))
ADMIN_ARGS = {"object_id": "1", "app_label": "people", "url": "nowhere"}
MAY_REFUSE = (":autocomplete", ":jsi18n", "_add", "_delete", "_change", "_changelist")  # read-only tables, GET only


def admin_url(name):
    pattern = ADDRESSES[name].pattern
    names = list(getattr(pattern, "converters", {})) or list(pattern.regex.groupindex)
    if "<" in name:  # the catch-all, which has no name
        return "/admin/nowhere"
    args = {**ADMIN_ARGS, "content_type_id": ContentType.objects.get_for_model(User).pk}
    return reverse(name, kwargs={key: args[key] for key in names if key in args})


@pytest.mark.parametrize("name", ADMIN)
def test_the_admin_is_for_technical_admins_alone(name):
    url = admin_url(name)

    for role in ROLES:
        client = client_of(role)
        for method in ("get", "post"):
            answer = getattr(again(client), method)(url)

            if role == "anonymous":
                assert is_sent_to_sign_in(answer), f"{method} {url}"
            elif role == "admin":
                is_right = answer.status_code in (200, 302, 404) or name.endswith(MAY_REFUSE)
                assert is_right and not is_sent_to_sign_in(answer), f"{method} {url}: {answer.status_code}"
            else:
                assert answer.status_code == 403, f"{method} {url} as {role}"


# --- The walk itself is tried: with a guard taken away, it must notice ---------------------------------------------


@pytest.mark.parametrize("name", RESTRICTED)
def test_a_view_that_forgets_its_right_is_noticed(name, monkeypatch):
    monkeypatch.setattr(User, "has_perm", lambda *args, **kwargs: True)

    shut_out = sorted(EVERYONE_INSIDE - RULES[name].who)
    assert surprises(name, RULES[name], shut_out), f"{name} is open to all, and nobody noticed"


@pytest.mark.parametrize("name", INSIDE)
def test_a_view_that_forgets_sign_in_is_noticed(name, monkeypatch):
    monkeypatch.setattr(LoginRequiredMiddleware, "process_view", lambda *args, **kwargs: None)

    assert surprises(name, RULES[name], ["anonymous"])


def test_enough_views_were_tried():
    assert len(RESTRICTED) + len(INSIDE) >= 20


def test_every_role_is_walked():
    assert set(ROLES) == {"anonymous", *PEOPLE}


def test_the_undo_of_another_batch_finds_nothing():
    answer = client_of("ops").post(reverse("accounts:account_undo", args=[uuid.uuid4()]), follow=True)

    assert answer.status_code == 200
