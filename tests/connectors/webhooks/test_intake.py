"""The endpoint: who is let in, what is kept, what is counted, and how little it does."""

import io
import json
import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from connectors.models import Delivery, DueStream, SyncRun, Webhook
from connectors.secrets import open_secret
from connectors.webhooks import ceiling as ceilings
from connectors.webhooks import intake
from hub.jobs.models import Job

from .conftest import SECRET, address_of, counts, from_linear, from_notion, from_productboard, hexed, post

pytestmark = pytest.mark.django_db


def test_a_signed_delivery_is_kept_once_and_marks_its_stream(endpoint):
    headers, body = from_linear(delivery="d-1", data={"id": "i7", "title": "Not ours to keep"})

    statuses = [post(endpoint, headers, body).status_code for _ in range(3)]

    kept = Delivery.objects.get()
    assert statuses == [200, 200, 200]
    assert (kept.event_id, kept.streams, kept.external_id, kept.is_gone) == ("d-1", ["issues"], "i7", False)
    assert counts(endpoint) == {"received": 1, "doubled": 2}
    assert DueStream.objects.get().stream == "issues"
    assert not SyncRun.objects.exists() and not Job.objects.exists()


def test_a_delivery_costs_two_queries(endpoint, django_assert_num_queries):
    for number in range(2):  # the first one notes that the secret is the right one
        headers, body = from_linear(data={"id": f"i{number}"})
        with django_assert_num_queries(3 - number):
            assert post(endpoint, headers, body).status_code == 200

    assert Delivery.objects.count() == 2
    assert counts(endpoint) == {"received": 2}


def test_two_hundred_times_the_same_is_one_row(endpoint):
    headers, body = from_linear(delivery="d-1")

    client = Client()
    for _ in range(200):
        intake.take(endpoint, headers, body)
    assert post(endpoint, headers, body, client).status_code == 200

    assert Delivery.objects.count() == 1
    assert counts(endpoint) == {"received": 1, "doubled": 200}


def test_a_delivery_of_what_is_not_read_marks_nothing(endpoint):
    assert post(endpoint, *from_linear(type="Comment")).status_code == 200

    assert not DueStream.objects.exists()
    assert counts(endpoint) == {"received": 1}


def old():
    return from_linear(now=datetime.now(UTC) - timedelta(minutes=2))


def spoiled():
    headers, body = from_linear()
    return headers, body.replace(b"update", b"create")


def nonsense():
    return {"linear-signature": hexed(SECRET, b"[]"), "linear-delivery": "d"}, b"[]"


@pytest.mark.parametrize(
    ("sent", "status", "what"),
    [
        (old, 400, "stale"),
        (spoiled, 401, "forged"),
        (lambda: ({}, b"{}"), 401, "forged"),
        (lambda: from_linear("another secret"), 401, "forged"),
        (nonsense, 400, "unreadable"),
        (lambda: ({}, b"x" * (intake.LARGEST + 1)), 413, "too_large"),
    ],
)
def test_what_is_refused_is_counted_and_not_kept(endpoint, sent, status, what):
    headers, body = sent()

    assert post(endpoint, headers, body).status_code == status

    assert counts(endpoint) == {what: 1}
    assert not Delivery.objects.exists() and not DueStream.objects.exists()
    endpoint.refresh_from_db()
    assert endpoint.last_delivery_at is None and endpoint.confirmed_at is None


def test_a_body_of_a_megabyte_is_still_read(endpoint):
    filler = "x" * (intake.LARGEST - 400)

    assert post(endpoint, *from_linear(filler=filler)).status_code == 200


class Unread(io.BytesIO):
    """A body that tells how much of it was taken."""

    def read(self, *args):
        self.taken = getattr(self, "taken", 0) + len(got := super().read(*args))
        return got


def test_five_megabytes_are_refused_without_being_read(endpoint):
    body = Unread(b"x" * 5_000_000)
    answer = Client().generic("POST", address_of(endpoint), b"", **{"wsgi.input": body, "CONTENT_LENGTH": "5000000"})

    assert answer.status_code == 413
    assert getattr(body, "taken", 0) == 0


@pytest.mark.parametrize("length", ["", "nonsense", "-5"])
def test_a_length_that_is_none_reads_nothing_long(endpoint, length):
    answer = Client().generic(
        "POST", address_of(endpoint), b"", **{"wsgi.input": io.BytesIO(b"x" * 100), "CONTENT_LENGTH": length}
    )

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path", ["/hooks/linear/%00/", "/hooks/%00/a/", "/hooks/linear/%ED%A0%80/", f"/hooks/x/{'9' * 5000}/"]
)
def test_an_odd_address_is_refused(path, db):
    assert Client().post(path, b"{}", content_type="application/json").status_code in (400, 404)
    assert Client().get(f"{path}?validationToken=x").status_code in (400, 404)


def test_an_address_that_is_not_there_looks_like_one_that_is_off(endpoint, turned_on):
    closed = turned_on("notion")
    Webhook.objects.filter(pk=closed.pk).update(is_on=False)
    headers, body = from_linear()
    client = Client()
    addresses = [
        reverse("webhooks:receive", args=["linear", "0" * 32]),
        reverse("webhooks:receive", args=["notion", endpoint.address]),
        reverse("webhooks:receive", args=["nobody", "x" * 3000]),
        address_of(closed),
    ]

    answers = [client.post(one, body, content_type="application/json", headers=headers) for one in addresses]

    assert {(one.status_code, one.content) for one in answers} == {(404, b"Not found.\n")}
    assert len({tuple(sorted(one.headers)) for one in answers}) == 1
    assert counts(None) == {"unknown": 3}
    assert counts(closed) == {"turned_off": 1}


def test_the_address_is_a_hundred_and_twenty_eight_random_bits(turned_on):
    one, other = turned_on("linear"), turned_on("notion")

    assert len(bytes.fromhex(one.address)) == len(bytes.fromhex(other.address)) == 16
    assert one.address != other.address


def test_the_secret_of_one_endpoint_opens_no_other(turned_on):
    from tests.connectors.factories import make_connection

    turned_on(secret="the secret of the first one")
    second = turned_on(connection=make_connection("linear", label="Second"), secret="the secret of the second")

    assert post(second, *from_linear("the secret of the first one")).status_code == 401


def test_nothing_secret_or_personal_is_logged(endpoint, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    headers, body = from_linear("wrong", data={"id": "i1", "email": "ana@ardoise.example"})
    post(endpoint, headers, body)
    post(endpoint, *from_linear(data={"id": "i1", "email": "ana@ardoise.example"}))
    Client().post(address_of(endpoint), b"x" * 10, content_type="text/plain")

    from hub.core.logs import masked

    said = str(masked(caplog.text)) + capsys.readouterr().out
    assert "webhook.refused" in said
    for hidden in (endpoint.address, SECRET, headers["linear-signature"], "ana@ardoise.example"):
        assert hidden not in said


# --- each service's own manners


def test_notions_handshake_is_kept_sealed_until_the_first_delivery(turned_on):
    webhook = turned_on("notion")
    body = json.dumps({"verification_token": "secret_token_of_notion"}).encode()

    assert post(webhook, *from_notion("secret_token_of_notion")).status_code == 401
    assert post(webhook, {}, body).status_code == 200

    webhook.refresh_from_db()
    assert open_secret(webhook) == "secret_token_of_notion"
    assert b"token_of_notion" not in bytes(webhook.secret)
    assert post(webhook, *from_notion("secret_token_of_notion")).status_code == 200
    webhook.refresh_from_db()
    assert webhook.confirmed_at is not None
    assert counts(webhook) == {"unready": 1, "received": 1}


def test_nobody_can_put_in_another_token(turned_on):
    webhook = turned_on("notion")
    tokens = ["secret_token_of_notion", "secret_token_of_a_thief"]
    statuses = []
    for token in tokens:
        body = json.dumps({"verification_token": token}).encode()
        statuses.append(post(webhook, {"x-notion-signature": f"sha256={hexed(token, body)}"}, body).status_code)

    webhook.refresh_from_db()
    assert statuses == [200, 401]
    assert open_secret(webhook) == tokens[0]


def test_productboards_probe_is_answered_in_plain_text(turned_on):
    webhook = turned_on("productboard")
    nasty = "<script>alert(1)</script>"

    answer = Client().get(address_of(webhook), {"validationToken": nasty})

    assert (answer.status_code, answer.content.decode()) == (200, nasty)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", [{"validationToken": ""}, {"validationToken": "x" * 501}, {"other": "1"}])
def test_a_probe_of_another_kind_finds_nothing(turned_on, query):
    assert Client().get(address_of(turned_on("productboard")), query).status_code == 404
    assert Client().get(address_of(turned_on("linear")), query or {"validationToken": "x"}).status_code == 404


def test_productboard_sends_back_the_value_it_was_given(turned_on):
    webhook = turned_on("productboard")
    value = open_secret(webhook)

    statuses = [post(webhook, *from_productboard(sent)).status_code for sent in (value, value, value[:-1], "")]

    assert statuses == [200, 200, 401, 401]
    assert len(value) >= 40
    assert counts(webhook)["forged"] == 2


@pytest.mark.parametrize("event_id", ["é" * 50, "x" * 5000, "a\x01b"])
def test_an_odd_event_id_is_stored_as_its_hash(endpoint, event_id):
    from connectors.base import Announced

    for _ in range(2):
        intake.keep(endpoint, Announced(event_id, ("issues",), "i\x001"), datetime.now(UTC))

    kept = Delivery.objects.get()
    assert kept.event_id.isascii() and len(kept.event_id) <= 100
    assert "\x00" not in kept.external_id


# --- how little it does


def test_a_delivery_takes_few_statements(endpoint, django_assert_max_num_queries):
    post(endpoint, *from_linear())
    with django_assert_max_num_queries(10):  # savepoints included
        post(endpoint, *from_linear())
    with django_assert_max_num_queries(8):
        post(endpoint, *from_linear("wrong"))


def test_a_burst_of_a_thousand_is_absorbed(endpoint):
    sent = [from_linear(data={"id": f"i{number % 50}"}, delivery=f"d-{number % 900}") for number in range(1000)]
    random.Random(7).shuffle(sent)
    took = []

    for headers, body in sent:
        begun = time.monotonic()
        assert intake.take(endpoint, headers, body).status == 200
        took.append(time.monotonic() - begun)

    assert sorted(took)[990] < 0.5
    assert Delivery.objects.count() == 900
    assert counts(endpoint) == {"received": 900, "doubled": 100}
    assert [mark.stream for mark in DueStream.objects.all()] == ["issues"]
    assert not Job.objects.exists()


def test_above_the_ceiling_nothing_is_asked_of_the_database(endpoint, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("connectors.webhooks.views.PER_MINUTE", 3)
    for _ in range(3):
        post(endpoint, *from_linear())

    with django_assert_num_queries(0):
        answers = [post(endpoint, *from_linear()) for _ in range(5)]

    assert {one.status_code for one in answers} == {429}
    assert answers[0]["Retry-After"] == "60"
    monkeypatch.setattr(ceilings, "SECONDS", 0.0)
    post(endpoint, *from_linear())
    assert counts(endpoint) == {"received": 4, "too_many": 5}


def test_a_flood_to_nowhere_is_counted_without_a_write_for_each(monkeypatch):
    monkeypatch.setattr("connectors.webhooks.views.COUNTED_PER_MINUTE", 2)
    client = Client()
    for number in range(10):
        assert client.post(reverse("webhooks:receive", args=["linear", f"{number:032x}"])).status_code == 404

    assert counts(None) == {"unknown": 2}
    monkeypatch.setattr(ceilings, "SECONDS", 0.0)
    client.post(reverse("webhooks:receive", args=["linear", "f" * 32]))
    assert counts(None) == {"unknown": 11}


@pytest.mark.django_db(transaction=True)
def test_deliveries_at_once_are_kept_once(endpoint):
    sent = [from_linear(delivery=f"d-{number % 10}") for number in range(60)]
    statuses = []

    def deliver(some):
        client = Client()
        for headers, body in some:
            statuses.append(post(endpoint, headers, body, client).status_code)
        database.close()

    threads = [threading.Thread(target=deliver, args=(sent[place::4],)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 60
    assert Delivery.objects.count() == 10
    assert counts(endpoint) == {"received": 10, "doubled": 50}
