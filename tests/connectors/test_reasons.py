"""Why records are set aside, in words: of our own, in the reader's language, and without what is personal."""

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from connectors import registry, sync
from connectors.base import Mode, Stream
from connectors.models import RefusedRecord
from connectors.services.linear.shapes import StateShape, TeamShape, UserShape
from tests.connectors.factories import make_connection

MOMENT = "2026-11-02T08:00:00Z"
USER = {
    "id": "u1", "name": "Ana", "email": "ana@ardoise.example", "active": True, "admin": False, "guest": False,
    "app": False, "createdAt": MOMENT, "updatedAt": MOMENT, "lastSeen": None, "archivedAt": None,
}  # fmt: skip
STATE = {"id": "s1", "name": "Doing", "type": "started", "position": 1.0, "updatedAt": MOMENT, "team": {"id": "t1"}}


def stream(shape, *, personal=("name", "email")):
    return Stream(name="things", label="Things", feeds="x", mode=Mode.FULL, shape=shape, personal=personal)


def told(shape, record, **options):
    """Return the path and the sentence of the one record that is refused."""
    good, refused = sync.judge(stream(shape, **options), [record])
    assert not good
    with override("en"):
        return refused[0].path, str(refused[0].notice), refused[0].detail


@pytest.mark.parametrize(
    ("shape", "record", "path", "sentence"),
    [
        (UserShape, {k: v for k, v in USER.items() if k != "active"}, "active", "The field is missing."),
        (UserShape, USER | {"active": None}, "active", "The field is empty, and must not be."),
        (UserShape, USER | {"active": "yes"}, "active", 'The field holds "yes", which is neither true nor false.'),
        (UserShape, USER | {"createdAt": "soon"}, "createdAt", 'The field holds "soon", which is no date or time.'),
        (UserShape, USER | {"createdAt": 3}, "createdAt", "The field does not look as it must: 3."),
        (StateShape, STATE | {"position": "1"}, "position", 'The field holds "1", which is no number.'),
        (StateShape, STATE | {"type": ["a"]}, "type", "The field holds […], which is no text."),
        (StateShape, STATE | {"type": False}, "type", "The field holds false, which is no text."),
        (StateShape, STATE | {"team": "t1"}, "team", 'The field holds "t1", which is no group of fields.'),
        (StateShape, STATE | {"team": {"id": 3}}, "team.id", "The field holds 3, which is no text."),
        (StateShape, STATE | {"type": {"email": "a@b.example"}}, "type", "The field holds {…}, which is no text."),
    ],
)  # fmt: skip
def test_what_a_validator_finds_is_said_in_a_sentence_of_ours(shape, record, path, sentence):
    assert told(shape, record)[:2] == (path, sentence)


def test_what_is_personal_or_secret_is_never_part_of_the_sentence():
    assert told(UserShape, USER | {"name": 31337})[1] == "The field holds •••, which is no text."
    assert told(StateShape, STATE | {"team": {"id": 31337}}, personal=("team",))[1].count("•••") == 1
    assert told(TeamShape, {"id": "t1", "key": 31337}, personal=("key",))[1].count("31337") == 0


def test_an_e_mail_and_a_token_are_hidden_wherever_they_stand():
    for value in ("ask ana@ardoise.example", "lin_api_0123456789abcdefghij"):
        sentence = told(UserShape, USER | {"active": value})[1]
        assert "ana@" not in sentence and "lin_api_0123" not in sentence
    assert (
        "s3cr3t-canary" not in told(StateShape, STATE | {"team": {"id": "t", "token": "s3cr3t-canary"}, "type": 3})[1]
    )


def test_a_long_value_is_cut_and_an_unstorable_one_is_made_storable():
    long = told(UserShape, USER | {"active": "x" * 5000})[1]
    odd = told(UserShape, USER | {"active": "a\x00b\ud800"})[1]

    assert "x" * 59 + "…" in long and len(long) < 130
    assert odd == 'The field holds "a\ufffdb?", which is neither true nor false.'


def test_the_validator_s_own_words_are_kept_beside_the_sentence():
    assert told(UserShape, USER | {"active": "yes"})[2] == "Input should be a valid boolean"


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"name": "nobody"}, "The record has no id, or one that is too long."),
        ({"id": "x" * 201}, "The record has no id, or one that is too long."),
        ("no object at all", "The record has no id, or one that is too long."),
    ],
)
def test_a_record_without_an_id_says_so(record, sentence):
    assert told(UserShape, record)[1] == sentence


def test_a_number_that_json_does_not_have_says_so():
    assert told(UserShape, USER | {"extra": float("inf")})[1] == "The record is not written in a way that can be kept."


@pytest.fixture
def set_aside(sync, world):
    """A record of the toy world that lacks its name, and another with a wrong value."""
    sync()
    del world.people["p1"]["active"], world.people["p1"]["name"]
    world.people["p2"]["active"] = "perhaps"
    sync()
    return {one.external_id: one for one in RefusedRecord.objects.all()}


@pytest.mark.django_db
def test_both_pages_say_why_in_the_reader_s_language(set_aside, connection, sign_in, ops):
    client = sign_in(ops)
    one = set_aside["p2"]

    def pages():
        listed = client.get(reverse("connectors:stream_detail", args=[connection.pk, "people"])).content.decode()
        alone = client.get(reverse("connectors:refused_detail", args=[connection.pk, one.pk])).content.decode()
        return listed, alone

    for text in pages():
        assert "The field holds &quot;perhaps&quot;, which is neither true nor false." in text
    assert "Input should be a valid boolean" in pages()[1]
    ops.language = "fr"
    ops.save(update_fields=["language"])
    for text in pages():
        assert "Le champ contient &quot;perhaps&quot;, qui n’est ni vrai ni faux." in text


@pytest.mark.django_db
def test_what_can_not_be_mapped_or_stored_says_so(sync, world, connection, monkeypatch):
    sync()
    toy = registry.connector(connection.service)
    monkeypatch.setattr(toy, "map", lambda stream, record: int(record["name"]))
    world.people["p1"]["name"] = "Ana-Maria"

    sync()

    refused = RefusedRecord.objects.get()
    assert refused.why == "The hub can make no sense of the record as a whole."
    assert refused.reason.startswith("ValueError: invalid literal")


@pytest.mark.django_db
def test_old_reasons_get_their_sentence_and_keep_their_words():
    connection, now = make_connection(), timezone.now()
    old = {
        "a": ("Field required", "The field is missing."),
        "b": ("Can’t be mapped: KeyError: 'x'", "The hub can make no sense of the record as a whole."),
        "c": ("Can’t be stored: numeric field overflow", "The database can’t hold one of the record’s values."),
        "d": ("Input should be a valid string", "The record does not look as it must."),
        "e": ("The id is missing or too long.", "The record has no id, or one that is too long."),
    }
    for key, (reason, _text) in old.items():
        RefusedRecord.objects.create(
            connection=connection, stream="s", external_id=key, reason=reason, raw={}, first_at=now, last_at=now
        )

    import_module("connectors.migrations.0009_say_old_reasons").say(apps, None)

    held = {one.external_id: (one.reason, one.why) for one in RefusedRecord.objects.all()}
    assert held == old
