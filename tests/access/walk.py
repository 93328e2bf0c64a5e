"""Walking every address with every role, and saying what is not as its rule says."""

import importlib
import pkgutil
import uuid
from copy import deepcopy
from itertools import count

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

import tests.access
from hub.people.models import Role
from tests.access import ROLES
from tests.people.factories import UserFactory

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PEOPLE = {
    "member": {"role": Role.MEMBER},
    "leader": {"role": Role.LEADER},
    "ops": {"role": Role.OPS},
    "admin": {"role": Role.MEMBER, "is_staff": True},
}
_numbers = count()


def table():
    """Return the rules of all rooms."""
    rules = {}
    for module in pkgutil.iter_modules(tests.access.__path__):
        held = getattr(importlib.import_module(f"tests.access.{module.name}"), "ACCESS", {})
        twice = rules.keys() & held.keys()
        assert not twice, f"{sorted(twice)} have more than one rule"
        rules |= held
    return rules


def addresses(resolver=None, namespaces=()):
    """Yield the full name and the pattern of every address of the hub; one without a name goes by its route."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            inner = (*namespaces, entry.namespace) if entry.namespace else namespaces
            yield from addresses(entry, inner)
        elif isinstance(entry, URLPattern):
            yield ":".join((*namespaces, entry.name or f"<{entry.pattern}>")), entry


def rule_for(name, rules):
    """Return the rule of an address, its own or its namespace's, None if nobody wrote one."""
    return rules.get(name) or rules.get(f"{name.split(':')[0]}:")


def client_of(role, **options):
    """Return a browser of a fresh person of that role."""
    client = Client(raise_request_exception=False, **options)
    if role != "anonymous":
        number = next(_numbers)
        person = UserFactory(name=f"{role} {number}", email=f"{role}-{number}@walk.example", **PEOPLE[role])
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        client.person = person
    return client


def again(client):
    """Return a browser of the same person with the same cookies, for whom nothing has happened since."""
    same = Client(raise_request_exception=False)
    same.cookies = deepcopy(client.cookies)
    return same


def body_of(rule):
    """Return what a well-formed POST carries."""
    return {key: value() if callable(value) else value for key, value in rule.data.items()}


def ask(client, name, rule, method, *, args=None, headers=None):
    """Send one request to an address, on rows of its own that are gone afterwards."""
    with transaction.atomic():
        url = reverse(name, kwargs=rule.make() if args is None else args)
        if method == "POST":
            answer = client.post(url, body_of(rule), headers=headers)
        else:
            answer = client.generic(method, url, headers=headers)
        transaction.set_rollback(True)
    return answer


def is_sent_to_sign_in(answer):
    """True for the redirect of a stranger, plain or as htmx follows it."""
    target = answer.headers.get("HX-Redirect") or answer.headers.get("Location") or ""
    return target.startswith(reverse(settings.LOGIN_URL)) and "next=" in target


def surprises(name, rule, roles=ROLES):
    """Return what the address answers these roles otherwise than its rule says, one sentence each."""
    found = []
    denied = 404 if rule.hidden else 403
    for role in roles:
        client = client_of(role)  # each request of theirs is undone, so one person does for all
        for method in rule.methods:
            answer = ask(again(client), name, rule, method)
            if role in rule.who:
                is_right = answer.status_code in rule.ok and not (answer.status_code == 302 and role != "anonymous"
                    and is_sent_to_sign_in(answer))  # fmt: skip
            elif role == "anonymous":
                is_right = is_sent_to_sign_in(answer)
            else:
                is_right = answer.status_code == denied
            if not is_right:
                found.append(f"{method} {name} as {role}: {answer.status_code}")
            if role not in rule.who:  # a piece of a page is guarded like the page
                piece = ask(again(client), name, rule, method, headers={"HX-Request": "true", "HX-Target": "any-piece"})
                is_closed = is_sent_to_sign_in(piece) if role == "anonymous" else piece.status_code == denied
                if not is_closed:
                    found.append(f"{method} {name} as {role}, by htmx: {piece.status_code}")
        if role in rule.who:
            for method in set(METHODS) - set(rule.methods):
                answer = ask(again(client), name, rule, method)
                if answer.status_code != 405:
                    found.append(f"{method} {name} as {role}: {answer.status_code}, not 405")
    return found


def stranger_args(args):
    """Return arguments of the same kinds that name nothing."""
    strange = {int: 2_000_000_000, str: "no-such-thing", uuid.UUID: uuid.UUID(int=7)}
    return {key: strange[type(value)] for key, value in args.items()}
