"""The record: read in words, kept for good."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from hub.activity.actions import record
from hub.activity.models import Event
from hub.activity.queries import changes_of
from tests.people.factories import TeamFactory, UserFactory


@pytest.fixture
def ana(db):
    return UserFactory(name="Ana Ruiz")


def test_changes_read_in_words(ana, ops):
    changes = {
        "role": ("member", "leader"),
        "is_active": (True, False),
        "left_on": (None, "2026-03-14"),
        "unheard_of": (["a", "b"], 3),
        "_for_undo": (1, 2),
    }
    record(by=ops, verb="changed", on=ana, changes=changes, why="Asked for it")

    (change,) = changes_of(ana)

    assert (change.who, change.what, change.why) == ("Nora Haddad", "Changed", "Asked for it")
    assert {field.label: (field.before, field.after) for field in change.fields} == {
        "Role": ("Product person", "Leader"),
        "Active": ("yes", "no"),
        "Last day": ("", "14 March 2026"),
        "Unheard of": ("a, b", "3"),
    }


def test_a_long_text_opens_with_its_words_and_a_count_is_grouped(ana, ops):
    text = "## Start here\n\n1. Ask *Nora* for R&D rights. " + "And so on. " * 40
    record(by=ops, verb="changed", on=ana, changes={"about": ("", text), "seats": (12.0, 12345)})

    about, seats = changes_of(ana).rows[0].fields

    assert about.is_long
    assert about.opening.startswith("Start here")
    assert "Ask Nora for R&D rights. And so on." in about.opening
    assert not set(about.opening) & set("#*<")
    assert not seats.is_long
    assert (seats.before, seats.after) == ("12", "12,345")


def test_the_latest_comes_first_and_pages_follow(ana, ops, django_assert_num_queries):
    for number in range(5):
        record(by=None, verb=f"step_{number}", on=ana)
    record(by=ops, verb="changed", on=ops)

    with django_assert_num_queries(1):
        first = changes_of(ana, limit=2)
    last = changes_of(ana, limit=2, page="3")

    assert [change.verb for change in first] == ["step_4", "step_3"]
    assert (first.older, [change.verb for change in last], last.older) == (2, ["step_0"], None)
    assert first.rows[0].who == ""


@pytest.mark.parametrize("page", [None, "", "x", "-1", "0", "9" * 30, "²"])
def test_a_page_that_is_none_is_the_first(ana, page):
    record(by=None, verb="made", on=ana)

    assert len(changes_of(ana, page=page)) == 1


def test_a_thing_with_the_same_number_is_another_thing(ana):
    team = TeamFactory(pk=ana.pk)
    record(by=None, verb="made", on=team)

    assert len(changes_of(ana)) == 0


@pytest.mark.parametrize(
    "sql",
    ["UPDATE activity_event SET why = 'nothing'", "DELETE FROM activity_event", "UPDATE activity_event SET by_id = id"],
)
def test_an_event_is_never_changed_or_deleted(ana, ops, sql):
    record(by=ops, verb="made", on=ana)

    refused = pytest.raises((InternalError, IntegrityError), match="only added to")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert Event.objects.get().why == ""


def test_erasing_a_person_forgets_only_who_acted(ana, ops):
    record(by=ops, verb="made", on=ana, why="Because")

    ops.delete()

    event = Event.objects.get()
    assert (event.by, event.verb, event.why) == (None, "made", "Because")


def test_what_happened_is_told_in_the_page(ana, ops, sign_in):
    record(by=ops, verb="changed", on=ana, changes={"job_title": ("", "<b>CPO</b>")}, why="Asked for it")

    text = sign_in(ops).get(ana.get_absolute_url()).content.decode()

    assert "&lt;b&gt;CPO&lt;/b&gt;" in text
    assert "Why: Asked for it" in text
