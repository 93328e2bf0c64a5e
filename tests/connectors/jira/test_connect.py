"""Connecting Jira: the address is the company's own."""

import pytest
from django.urls import reverse

from connectors.models import Connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "words"),
    [("", "https://your-company.atlassian.net"), ("https://toy.example", "may not speak to that address")],
)
def test_without_an_address_of_atlassian_nothing_is_connected(sign_in, admin, address, words):
    given = {"service": "jira", "label": "", "token": "ada@toy.example:token", "base_url": address}

    answer = sign_in(admin).post(reverse("connectors:connection_create"), given)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Connection.objects.exists()


def test_a_site_of_atlassian_is_connected(sign_in, admin):
    given = {"service": "jira", "token": "ada@toy.example:token", "base_url": "https://toy.atlassian.net"}

    sign_in(admin).post(reverse("connectors:connection_create"), given)

    made = Connection.objects.get()
    assert (made.label, made.base_url) == ("Jira", "https://toy.atlassian.net")
    assert b"token" not in bytes(made.secret)
