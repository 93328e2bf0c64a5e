"""Coming in by a link."""

import re
import threading
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from hub.activity.models import Event
from hub.people import actions
from hub.people.models import Invitation, Role, User
from tests.people.factories import TeamFactory, UserFactory

FORM = {"name": "Élodie Faure", "email": "Elodie@Ardoise.example", "role": "leader"}
PASSWORD = "a quiet workshop"


def link_in(text):
    return re.search(r"http://\S+/people/welcome/[\w-]+/", text)[0].removeprefix("http://localhost:8000")


def test_ops_invites_by_mail_and_sees_the_link_once(ops, sign_in, postbox):
    client = sign_in(ops)

    answer = client.post("/people/invite/", FORM)

    letter = postbox.letters[0]
    assert answer.status_code == 200
    assert letter["To"] == "elodie@ardoise.example"
    assert link_in(letter.get_content()) == link_in(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    assert "/people/welcome/" not in client.get("/people/invitations/").content.decode()


def test_only_a_hash_of_the_token_is_kept(ops, sign_in):
    answer = sign_in(ops).post("/people/invite/", FORM)
    token = link_in(answer.content.decode()).split("/")[3]

    invitation = Invitation.objects.get()

    assert invitation.token_hash == Invitation.hash_of(token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM people_invitation t")
        invitations = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(t::text, '') FROM activity_event t")
        events = cursor.fetchone()[0]
    assert token not in invitations + events


def test_a_mail_server_that_is_away_costs_nothing_but_the_mail(ops, sign_in, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    answer = sign_in(ops).post("/people/invite/", FORM)

    assert answer.status_code == 200
    assert "could not be sent" in answer.content.decode()
    assert link_in(answer.content.decode())


def sealed(ops, **changes):
    fields = {"email": "elodie@ardoise.example", "name": "Élodie Faure", "role": Role.LEADER, "team": None, "by": ops}
    return actions.invite(**{**fields, **changes})


def test_the_link_lets_one_choose_a_password_and_come_in(client, ops):
    team = TeamFactory(name="Growth")
    token = sealed(ops, team=team).token

    page = client.get(f"/people/welcome/{token}/")
    answer = client.post(f"/people/welcome/{token}/", {"name": "Élodie Faure", "password": PASSWORD})

    person = User.objects.get(email="elodie@ardoise.example")
    assert page.status_code == 200
    assert answer.headers["Location"] == "/"
    assert client.get("/people/me/").status_code == 200
    assert (person.role, person.memberships.get().team, person.check_password(PASSWORD)) == (Role.LEADER, team, True)


def test_the_link_works_once(client, ops):
    token = sealed(ops).token
    client.post(f"/people/welcome/{token}/", {"name": "Élodie", "password": PASSWORD})

    again = Client().post(f"/people/welcome/{token}/", {"name": "Mallory", "password": "another password"})

    assert again.status_code == 410
    assert "has been used already" in again.content.decode()
    assert User.objects.get(email="elodie@ardoise.example").name == "Élodie"


def test_the_link_ends_after_seven_days(client, ops, time_machine):
    time_machine.move_to("2026-03-16 09:00:00+00:00")
    token = sealed(ops).token

    time_machine.shift(timedelta(days=7, minutes=1))
    answer = client.post(f"/people/welcome/{token}/", {"name": "Élodie", "password": PASSWORD})

    assert answer.status_code == 410
    assert "valid for seven days" in answer.content.decode()
    assert not User.objects.filter(email="elodie@ardoise.example").exists()


def test_a_wrong_link_is_told_plainly(client, db):
    answer = client.get("/people/welcome/not-a-token/")

    assert answer.status_code == 404
    assert "leads nowhere" in answer.content.decode()


def test_an_invitation_can_be_taken_back(client, ops, sign_in):
    made = sealed(ops)

    sign_in(ops).post(f"/people/invitations/{made.invitation.pk}/revoke/")

    assert client.get(f"/people/welcome/{made.token}/").status_code == 410


def test_sent_again_the_old_link_stops_working(client, ops, sign_in):
    made = sealed(ops)

    answer = sign_in(ops).post(f"/people/invitations/{made.invitation.pk}/renew/")

    assert client.get(f"/people/welcome/{made.token}/").status_code == 404
    assert client.get(link_in(answer.content.decode())).status_code == 200


def test_an_answered_invitation_can_not_be_sent_again(client, ops, sign_in):
    made = sealed(ops)
    client.post(f"/people/welcome/{made.token}/", {"name": "Élodie", "password": PASSWORD})

    answer = sign_in(ops).post(f"/people/invitations/{made.invitation.pk}/renew/")

    assert answer.status_code == 302
    assert Invitation.objects.get().token_hash == made.invitation.token_hash


@pytest.mark.parametrize("fields", [{}, {"is_active": False, "left_on": date(2026, 1, 31)}])
def test_somebody_in_the_directory_becomes_the_same_person(client, ops, fields):
    known = UserFactory(name="Elodie F.", email="elodie@ardoise.example", **fields)
    token = sealed(ops).token

    client.post(f"/people/welcome/{token}/", {"name": "Élodie Faure", "password": PASSWORD})

    person = User.objects.get(email="elodie@ardoise.example")
    assert (person.pk, person.is_active, person.left_on, person.name) == (known.pk, True, None, "Élodie Faure")


def test_somebody_who_can_sign_in_is_not_invited(ops, sign_in):
    User.objects.create_user("elodie@ardoise.example", PASSWORD, name="Élodie Faure")

    answer = sign_in(ops).post("/people/invite/", FORM)

    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_an_expired_invitation_makes_room_for_a_new_one(ops, time_machine):
    time_machine.move_to("2026-03-16 09:00:00+00:00")
    sealed(ops)
    time_machine.shift(timedelta(days=8))

    sealed(ops)

    assert [row.status for row in Invitation.objects.order_by("pk")] == ["revoked", "open"]


def test_a_weak_password_is_refused_with_what_was_typed(client, ops):
    token = sealed(ops).token

    answer = client.post(f"/people/welcome/{token}/", {"name": "Élodie Dupont", "password": "elodie"})

    assert answer.status_code == 422
    assert "Élodie Dupont" in answer.content.decode()
    assert not User.objects.filter(email="elodie@ardoise.example").exists()


def test_fifty_identical_submits_make_one_invitation(ops, sign_in):
    client = sign_in(ops)

    statuses = [client.post("/people/invite/", FORM).status_code for _ in range(50)]

    assert statuses == [200] + [422] * 49
    assert Invitation.objects.count() == 1
    assert Event.objects.filter(verb="invited").count() == 1


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_too_only_one_is_made():
    ops = UserFactory(name="Nora Haddad", role=Role.OPS)
    outcomes = []

    def try_it():
        try:
            sealed(ops)
            outcomes.append("made")
        except actions.AlreadyInvited:
            outcomes.append("known")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["known"] * 7 + ["made"]


def test_each_step_is_recorded(client, ops):
    made = sealed(ops)
    client.post(f"/people/welcome/{made.token}/", {"name": "Élodie", "password": PASSWORD})

    events = Event.objects.order_by("pk").values_list("verb", "by__name")

    assert list(events) == [("invited", "Nora Haddad"), ("accepted_invitation", "Élodie")]


def test_the_list_shows_each_state(ops, sign_in, django_assert_max_num_queries):
    client = sign_in(ops)
    now = timezone.now()
    for number, fields in enumerate([{}, {"expires_at": now}, {"accepted_at": now}, {"revoked_at": now}]):
        made = sealed(ops, email=f"p{number}@ardoise.example").invitation
        Invitation.objects.filter(pk=made.pk).update(**fields)

    client.get("/people/invitations/")
    with django_assert_max_num_queries(10):
        text = client.get("/people/invitations/").content.decode()

    assert all(word in text for word in ("Waiting", "Expired", "Accepted", "Taken back"))


def test_an_empty_list_says_what_an_invitation_is(ops, sign_in):
    assert "Nobody is invited yet" in sign_in(ops).get("/people/invitations/").content.decode()
