"""Signing in, being kept out, passwords, the end of sessions."""

import re
import time
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from hub.jobs.models import Job
from hub.jobs.work import work_named
from hub.people import actions
from hub.people.hashers import Argon2Hasher
from hub.people.models import User
from hub.people.tasks import forget_sessions
from tests.people.conftest import PASSWORD, sign_in_form
from tests.people.factories import UserFactory

WRONG = "not the password"


def is_inside(client):
    return client.get("/people/me/").status_code == 200


def do_jobs():
    """Do what waits, as a worker would."""
    for job in Job.objects.filter(state=Job.State.QUEUED):
        work_named(job.kind)(**job.payload)
        job.delete()


def test_a_person_signs_in_and_lands_at_home(client, ana):
    answer = sign_in_form(client)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert is_inside(client)


def test_the_e_mail_may_be_typed_in_capitals(client, ana):
    assert sign_in_form(client, email=" ANA@Ardoise.example ").status_code == 302


def test_the_page_one_came_from_is_kept(client, ana):
    answer = client.post("/account/login/", {"login": ana.email, "password": PASSWORD, "next": "/people/teams/"})

    assert answer.headers["Location"] == "/people/teams/"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", r"\\evil.example", "javascript:alert(1)", "https:evil.example"],
)
def test_sign_in_leads_to_no_foreign_place(client, ana, target):
    answer = client.post("/account/login/", {"login": ana.email, "password": PASSWORD, "next": target})

    assert answer.headers["Location"] == "/"


def test_a_new_session_begins_with_sign_in(client, ana):
    client.get("/account/login/")
    session = client.session
    session["seen"] = True
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before

    sign_in_form(client)

    assert client.cookies["sessionid"].value != before


def text_of(answer):
    """Return an answer without what differs by chance or by what was typed."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken&quot;: &quot;)="[^"]+"', "", answer.content.decode())
    return re.sub(r"[\w.]+@[\w.]+", "", re.sub(r'value="[^"]*"', "", text))


def test_a_stranger_and_a_colleague_get_the_same_answer(ana):
    left = User.objects.create_user("left@ardoise.example", PASSWORD, name="Gone", is_active=False)

    wrong = sign_in_form(Client(), password=WRONG)
    nobody = sign_in_form(Client(), email="nobody@ardoise.example", password=WRONG)
    gone = sign_in_form(Client(), email=left.email)

    assert wrong.status_code == nobody.status_code == gone.status_code == 200
    assert text_of(wrong) == text_of(nobody) == text_of(gone)
    assert "don’t go together" in wrong.content.decode()


def test_a_stranger_and_a_colleague_wait_as_long(settings, db):
    settings.PASSWORD_HASHERS = ["hub.people.hashers.Argon2Hasher"]
    settings.ACCOUNT_RATE_LIMITS = {"login": "1000/m/ip", "login_failed": "1000/m/ip"}
    ana = User.objects.create_user("ana@ardoise.example", PASSWORD, name="Ana Ruiz")

    def shortest(email):
        times = []
        for _ in range(4):
            start = time.perf_counter()
            sign_in_form(Client(), email=email, password=WRONG)
            times.append(time.perf_counter() - start)
        return min(times)

    known, unknown = shortest(ana.email), shortest("nobody@ardoise.example")

    assert 0.5 < known / unknown < 2


def test_guessing_one_password_is_stopped(ana):
    for _ in range(5):
        sign_in_form(Client(), password=WRONG)

    answer = sign_in_form(Client())

    assert "Too many wrong attempts" in answer.content.decode()


def test_another_forwarded_address_is_no_way_round(ana):
    statuses = []
    for number in range(40):
        client = Client(headers={"X-Forwarded-For": f"203.0.113.{number}"})
        answer = sign_in_form(client, email=f"person{number}@ardoise.example", password=WRONG)
        statuses.append((answer.status_code, "Too many" in answer.content.decode()))

    assert statuses[0] == (200, False)
    assert statuses[-1] in ((200, True), (429, False))


def test_behind_a_proxy_only_its_own_hop_counts(ana, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(31):
        client = Client(headers={"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.7"})
        answer = sign_in_form(client, email=f"person{number}@ardoise.example", password=WRONG)
    elsewhere = sign_in_form(Client(headers={"X-Forwarded-For": "198.51.100.8"}))

    assert "Too many" in answer.content.decode() or answer.status_code == 429
    assert elsewhere.status_code == 302


def test_limits_are_kept_in_the_database_and_sign_in_needs_no_redis(client, ana, settings):
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    sign_in_form(Client(), password=WRONG)
    answer = sign_in_form(client)

    assert answer.status_code == 302
    assert settings.CACHES["default"]["BACKEND"].endswith("db.DatabaseCache")


def test_passwords_are_kept_as_argon2id_at_owasps_floor():
    kept = make_password("whatever it is", hasher=Argon2Hasher())

    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("address", ["signup/", "email/", "confirm-email/", "inactive/", "password/set/", "3rdparty/"])
def test_what_the_house_does_not_use_does_not_exist(client, ana, address):
    sign_in_form(client)

    assert client.get(f"/account/{address}").status_code == 404


def test_sign_out_takes_a_post(client, ana):
    sign_in_form(client)

    asked = client.get("/account/logout/")
    still = is_inside(client)
    done = client.post("/account/logout/")

    assert (asked.status_code, still) == (200, True)
    assert done.headers["Location"] == "/account/login/"
    assert not is_inside(client)


def test_a_changed_password_ends_the_other_sessions(ana):
    here, elsewhere = Client(), Client()
    sign_in_form(here)
    sign_in_form(elsewhere)

    answer = here.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": "an even quieter one", "password2": "an even quieter one"},
    )

    assert answer.headers["Location"] == "/people/me/"
    assert is_inside(here)
    assert not is_inside(elsewhere)


def test_somebody_who_leaves_is_out_with_the_next_request(client, ana, ops):
    sign_in_form(client)
    assert is_inside(client)

    actions.deactivate(person=ana, left_on=ana.created_at.date(), by=ops)

    assert not is_inside(client)


def test_somebody_who_comes_back_needs_a_new_password(client, ana, ops):
    sign_in_form(client)
    actions.deactivate(person=ana, left_on=ana.created_at.date(), by=ops)

    actions.reactivate(person=ana, by=ops)

    assert not is_inside(client)
    assert sign_in_form(client).status_code == 200


@pytest.mark.parametrize("password", ["short", "1234567890", "password123", "Ana Ruiz 2026"])
def test_weak_passwords_are_refused(client, ana, password):
    sign_in_form(client)

    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": password, "password2": password})

    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


def link_in(letter):
    return re.search(r"http://\S+", letter.get_content())[0]


def test_a_forgotten_password_is_replaced_through_a_mail(client, ana, postbox):
    asked = client.post("/account/password/reset/", {"email": ana.email})
    do_jobs()
    link = link_in(postbox.letters[0])
    path = link.removeprefix("http://localhost:8000")
    page = client.get(path, follow=True)
    saved = client.post(page.request["PATH_INFO"], {"password1": "the new one here", "password2": "the new one here"})

    assert asked.headers["Location"] == "/account/password/reset/done/"
    assert postbox.letters[0]["To"] == ana.email
    assert saved.headers["Location"] == "/account/password/reset/key/done/"
    assert sign_in_form(Client(), password="the new one here").status_code == 302
    assert "no longer works" in client.get(path).content.decode()


def test_the_link_of_a_mail_ignores_the_host_header(client, ana, postbox):
    client.post("/account/password/reset/", {"email": ana.email}, headers={"Host": "evil.example"})
    do_jobs()

    assert link_in(postbox.letters[0]).startswith("http://localhost:8000/account/")


def test_a_reset_ends_every_session(client, ana, postbox):
    elsewhere = Client()
    sign_in_form(elsewhere)
    client.post("/account/password/reset/", {"email": ana.email})
    do_jobs()
    page = client.get(link_in(postbox.letters[0]).removeprefix("http://localhost:8000"), follow=True)

    client.post(page.request["PATH_INFO"], {"password1": "the new one here", "password2": "the new one here"})

    assert not is_inside(elsewhere)


def test_a_reset_tells_nobody_who_works_here(client, ana, mailoutbox):
    known = client.post("/account/password/reset/", {"email": ana.email}, follow=True)
    unknown = client.post("/account/password/reset/", {"email": "nobody@ardoise.example"}, follow=True)
    do_jobs()

    assert text_of(known) == text_of(unknown)
    assert [mail.to for mail in mailoutbox] == [[ana.email]]


def test_a_name_in_the_directory_opens_no_door(client, db, mailoutbox):
    never_set = UserFactory(email="karim@ardoise.example")
    never_invited = User.objects.create_user("jeanne@ardoise.example", name="Jeanne Morel")

    for person in (never_set, never_invited):
        client.post("/account/password/reset/", {"email": person.email})
    do_jobs()

    assert mailoutbox == []


def test_the_mail_speaks_the_language_of_the_page(client, ana, mailoutbox):
    client.post("/account/password/reset/", {"email": ana.email}, headers={"Accept-Language": "fr"})

    assert Job.objects.get().payload == {"person_id": ana.pk, "language": "fr"}


def test_a_visit_is_noted_once_in_a_quarter_of_an_hour(client, ana, time_machine):
    time_machine.move_to("2026-03-16 09:00:00+00:00", tick=False)
    sign_in_form(client)
    client.get("/people/me/")
    time_machine.move_to("2026-03-16 09:14:00+00:00", tick=False)
    client.get("/people/me/")
    ana.refresh_from_db()
    first = ana.last_visit_at
    time_machine.move_to("2026-03-17 08:00:00+00:00", tick=False)
    client.get("/people/me/")
    ana.refresh_from_db()

    assert first.isoformat() == "2026-03-16T09:00:00+00:00"
    assert ana.last_visit_at.isoformat() == "2026-03-17T08:00:00+00:00"
    assert ana.previous_visit_at == first


def test_sessions_that_have_run_out_are_deleted(sign_in, member, ops):
    old, young = (sign_in(person).session.session_key for person in (member, ops))
    Session.objects.filter(pk=old).update(expire_date=timezone.now() - timedelta(seconds=1))

    forget_sessions()

    assert list(Session.objects.values_list("pk", flat=True)) == [young]
