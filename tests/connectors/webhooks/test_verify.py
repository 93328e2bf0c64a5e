"""What each service's own rule takes and refuses; no database, no network, no clock."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Announced, Handshake, NotTaken
from connectors.services.linear.webhook import webhook as linear
from connectors.services.notion.webhook import webhook as notion
from connectors.services.productboard.webhook import webhook as productboard

from .conftest import SECRET, from_linear, from_notion, from_productboard, hexed

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
TOKEN = "secret_abcdefghijklmnop"
VALUE = "pb-value-0123456789"


def refusal(told):
    assert isinstance(told, NotTaken), told
    return told.why.value


@pytest.mark.parametrize(
    ("kind", "action", "streams", "is_gone"),
    [
        ("Issue", "create", ("issues",), False),
        ("Issue", "remove", ("issues",), True),
        ("Cycle", "update", ("cycles",), False),
        ("Project", "update", ("projects",), False),
        ("ProjectUpdate", "create", ("project_updates",), False),
        ("Initiative", "update", ("initiatives",), False),
        ("IssueLabel", "update", ("labels",), False),
        ("User", "update", ("users",), False),
        ("Comment", "create", (), False),
    ],
)
def test_linear_announces_the_stream_of_what_changed(kind, action, streams, is_gone):
    headers, body = from_linear(now=NOW, type=kind, action=action, delivery="d-1")

    assert linear(headers, body, SECRET, NOW) == Announced("d-1", streams, "i1", is_gone)


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [(0, True), (59.9, True), (60, True), (60.1, False), (-60, True), (-61, False), (3600, False)],
)
def test_linears_stamp_is_good_for_a_minute(seconds, is_taken):
    headers, body = from_linear(now=NOW)

    told = linear(headers, body, SECRET, NOW + timedelta(seconds=seconds))

    assert isinstance(told, Announced) is is_taken
    assert is_taken or refusal(told) == "stale"


def test_linears_stamp_may_stand_in_a_header_instead():
    body = json.dumps({"action": "update", "type": "Issue", "data": {"id": "i1"}}).encode()
    headers = {"linear-signature": hexed(SECRET, body), "linear-delivery": "d"}
    stamp = {"linear-timestamp": str(round(NOW.timestamp() * 1000))}

    assert isinstance(linear({**headers, **stamp}, body, SECRET, NOW), Announced)
    assert refusal(linear({**headers, **stamp}, body, SECRET, NOW + timedelta(minutes=2))) == "stale"
    assert refusal(linear(headers, body, SECRET, NOW)) == "stale"


SIGNED_NONSENSE = [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"a":' * 30_000]


@pytest.mark.parametrize("body", SIGNED_NONSENSE, ids=lambda body: repr(body[:8]))
def test_what_is_signed_and_no_object_is_unreadable(body):
    signed = hexed(SECRET, body)

    assert refusal(linear({"linear-signature": signed, "linear-delivery": "d"}, body, SECRET, NOW)) == "unreadable"
    assert refusal(notion({"x-notion-signature": f"sha256={signed}"}, body, SECRET, NOW)) == "unreadable"
    assert refusal(productboard({"authorization": VALUE}, body, VALUE, NOW)) == "unreadable"


@pytest.mark.parametrize("stamp", [None, "soon", "nan", "inf", [], {}, True, "9" * 400])
def test_a_stamp_that_is_none_is_old(stamp):
    headers, body = from_linear(now=NOW, webhookTimestamp=stamp)

    assert refusal(linear(headers, body, SECRET, NOW)) == "stale"


def test_nothing_is_taken_before_there_is_a_secret():
    headers, body = from_linear("", now=NOW)
    assert refusal(linear(headers, body, "", NOW)) == "unready"

    headers, body = from_notion("", now=NOW)
    assert refusal(notion(headers, body, "", NOW)) == "unready"

    headers, body = from_productboard("")
    assert refusal(productboard(headers, body, "", NOW)) == "unready"


CASES = [
    pytest.param(linear, from_linear(now=NOW), SECRET, "linear-signature", id="linear"),
    pytest.param(notion, from_notion(TOKEN, now=NOW), TOKEN, "x-notion-signature", id="notion"),
]


@pytest.mark.parametrize(("judge", "sent", "secret", "name"), CASES)
def test_a_true_delivery_is_taken_and_another_secret_refuses_it(judge, sent, secret, name):
    headers, body = sent

    assert isinstance(judge(headers, body, secret, NOW), Announced)
    assert refusal(judge(headers, body, f"{secret}x", NOW)) == "forged"
    assert refusal(judge({}, body, secret, NOW)) == "forged"
    assert refusal(judge({**headers, name: headers[name].upper()}, body, secret, NOW)) == "forged"
    assert refusal(judge({**headers, name: headers[name][:-1]}, body, secret, NOW)) == "forged"
    assert refusal(judge({**headers, name: ""}, body, secret, NOW)) == "forged"
    assert refusal(judge({**headers, name: "é" * 64}, body, secret, NOW)) == "forged"


@pytest.mark.parametrize(("judge", "sent", "secret", "name"), CASES)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_anywhere_refuses(judge, sent, secret, name, place, bit, data):
    headers, body = sent
    target = data.draw(st.sampled_from(["body", "signature", "secret"]))
    spoiled = {"body": body, "signature": headers[name].encode(), "secret": secret.encode()}[target]
    spoiled = bytearray(spoiled)
    spoiled[place % len(spoiled)] ^= 1 << bit
    if target == "body":
        told = judge(headers, bytes(spoiled), secret, NOW)
    elif target == "signature":
        told = judge({**headers, name: spoiled.decode("latin-1")}, body, secret, NOW)
    else:
        told = judge(headers, body, spoiled.decode("latin-1"), NOW)

    assert refusal(told) == "forged"


@given(bit=st.integers(0, 7), place=st.integers(0, len(VALUE) - 1))
def test_productboards_value_must_come_back_as_it_was(bit, place):
    spoiled = bytearray(VALUE.encode())
    spoiled[place] ^= 1 << bit
    _headers, body = from_productboard(VALUE)

    assert refusal(productboard({"authorization": spoiled.decode("latin-1")}, body, VALUE, NOW)) == "forged"
    assert isinstance(productboard({"authorization": VALUE}, body, VALUE, NOW), Announced)


@given(headers=st.dictionaries(st.sampled_from(
    ["linear-signature", "linear-delivery", "linear-timestamp", "x-notion-signature", "authorization"]), st.text()),
    body=st.binary(max_size=200), secret=st.text(min_size=1))  # fmt: skip
def test_whatever_comes_is_judged_and_never_an_error(headers, body, secret):
    headers = {**headers, "authorization": secret}

    for judge in (linear, notion, productboard):
        assert isinstance(judge(headers, body, secret, NOW), NotTaken | Announced | Handshake)


@pytest.mark.parametrize(
    ("kind", "streams", "is_gone"),
    [
        ("feature.created", ("features", "subfeatures"), False),
        ("feature.deleted", ("features", "subfeatures"), True),
        ("component.updated", ("components",), False),
        ("product.updated", ("products",), False),
        ("release.deleted", ("releases",), True),
        ("note.created", ("notes",), False),
        ("objective.updated", ("objectives",), False),
        ("key-result.updated", ("key_results",), False),
        ("initiative.deleted", ("initiatives",), True),
        ("insight.deleted", ("features", "notes"), False),
        ("feature-release-assignment.updated", ("features", "releases"), False),
        ("hierarchy-entity.custom-field-value.updated", ("components", "features", "products", "subfeatures"), False),
        ("something.new", (), False),
    ],
)
def test_productboard_announces_the_streams_of_what_changed(kind, streams, is_gone):
    headers, body = from_productboard(VALUE, kind)

    told = productboard(headers, body, VALUE, NOW)

    assert (told.streams, told.external_id, told.is_gone) == (streams, "f1", is_gone)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"id": "a"}, "a"),
        ({"links": {"target": "https://api.productboard.com/features/b"}}, "b"),
        ({"links": {"feature": "https://api.productboard.com/features/c/", "note": "https://x/notes/d"}}, "c"),
        ({"links": {"target": 7}}, ""),
        ({"links": ["odd"]}, ""),
        ({"links": {"target": "https://[broken"}}, ""),
        ({"links": {"target": "no address"}}, ""),
        ({}, ""),
    ],
)
def test_productboards_subject_is_said_or_linked_to(data, found):
    body = json.dumps({"data": {"eventType": "feature.updated", **data}}).encode()

    assert productboard({"authorization": VALUE}, body, VALUE, NOW).external_id == found


def test_productboards_event_is_its_body_and_minute():
    headers, body = from_productboard(VALUE)
    _, other = from_productboard(VALUE, id="f2")
    ids = [
        productboard(headers, sent, VALUE, NOW + timedelta(seconds=after)).event_id
        for sent, after in ((body, 0), (body, 20), (body, 40), (other, 0))
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_notions_handshake_brings_a_token_only_while_there_is_none():
    body = json.dumps({"verification_token": TOKEN}).encode()
    signed = {"x-notion-signature": f"sha256={hexed(TOKEN, body)}"}

    assert notion(signed, body, "", NOW) == Handshake(TOKEN)
    assert notion({}, body, "", NOW) == Handshake(TOKEN)
    assert notion(signed, body, TOKEN, NOW) == Handshake(TOKEN)
    assert refusal(notion(signed, body, "another_token_of_ours", NOW)) == "forged"
    assert refusal(notion({"x-notion-signature": "sha256=0"}, body, "", NOW)) == "forged"


@pytest.mark.parametrize("token", [None, 7, "", "short", "x" * 201, ["secret_abcdefgh"]])
def test_a_token_of_no_use_is_not_taken(token):
    body = json.dumps({"verification_token": token}).encode()

    assert refusal(notion({}, body, "", NOW)) == "unreadable"


@pytest.mark.parametrize(
    ("kind", "streams"),
    [
        ("page.created", ("pages",)),
        ("page.deleted", ("pages",)),
        ("page.properties_updated", ("pages",)),
        ("data_source.schema_updated", ("data_sources",)),
        ("database.moved", ("data_sources",)),
        ("comment.created", ()),
    ],
)
def test_notion_announces_the_stream_of_what_changed(kind, streams):
    headers, body = from_notion(TOKEN, now=NOW, type=kind, id="e-1")

    assert notion(headers, body, TOKEN, NOW) == Announced("e-1", streams, "p1")


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [(timedelta(), True), (timedelta(hours=47), True), (timedelta(hours=49), False), (timedelta(minutes=-6), False)],
)
def test_notions_events_are_good_for_two_days(age, is_taken):
    headers, body = from_notion(TOKEN, now=NOW - age)

    told = notion(headers, body, TOKEN, NOW)

    assert isinstance(told, Announced) is is_taken
    assert is_taken or refusal(told) == "stale"
