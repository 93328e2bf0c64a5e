"""The frame of every page: places, language, theme, errors."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

import hub.urls
from connectors.models import Connection, PersonAccount
from hub.home.errors import who_may
from hub.jobs.models import Job
from hub.people.models import User
from tests.connectors.factories import make_connection


def labels(client, key):
    return [str(place.label) for place in client.get("/library/").context[key]]


def test_everybody_has_five_places(member, sign_in):
    client = sign_in(member)

    assert labels(client, "places") == ["Home", "Tools", "Library", "Onboarding", "KPIs"]
    assert labels(client, "staff_places") == []


@pytest.mark.parametrize(
    ("fixture", "there"),
    [
        ("ops", ["Syncs", "People", "Imports", "Styleguide"]),
        ("leader", ["People"]),
        ("admin", ["Syncs", "People", "Imports", "Styleguide"]),
    ],
)
def test_places_under_the_line_are_for_those_who_may(request, sign_in, fixture, there):
    assert labels(sign_in(request.getfixturevalue(fixture)), "staff_places") == there


def test_the_place_one_is_in_is_marked(member, sign_in):
    html = sign_in(member).get("/library/").content.decode()

    assert html.count('href="/library/" aria-current="page"') == 2  # sidebar and drawer
    assert 'href="/" aria-current' not in html


@pytest.mark.parametrize(
    ("minutes", "fixture", "is_told"),
    [(6, "ops", True), (6, "admin", True), (4, "ops", False), (6, "member", False), (6, "leader", False)],
)
def test_work_that_nobody_takes_up_is_told_to_those_who_can_help(db, request, sign_in, minutes, fixture, is_told):
    make_connection()
    Job.objects.create(kind="tests.any", run_after=timezone.now() - timedelta(minutes=minutes))
    Job.objects.create(kind="tests.any", state=Job.State.DONE, run_after=timezone.now() - timedelta(hours=2))

    html = sign_in(request.getfixturevalue(fixture)).get("/library/").content.decode()

    assert ("Background work has been waiting" in html) == is_told


def test_an_empty_part_of_the_header_is_left_out(member, sign_in):
    html = sign_in(member).get("/library/").content.decode()

    assert '<dl class="meta">' not in html
    assert "page-head__crumb" not in html


def test_a_partial_asks_nothing_for_the_frame(ops, sign_in):
    client = sign_in(ops)

    answer = client.get("/search/", headers={"HX-Request": "true", "HX-Target": "palette-results"})

    assert b"Data as of" not in answer.content
    assert b'class="side"' not in answer.content


def test_the_theme_is_kept_for_the_person(member, sign_in):
    client = sign_in(member)

    answer = client.post("/theme/", {"theme": "dark", "next": "/library/?page=2"})

    assert answer.url == "/library/?page=2"
    assert User.objects.get(pk=member.pk).theme == "dark"
    assert '<html lang="en" data-theme="dark">' in client.get("/library/").content.decode()


def test_the_language_is_kept_for_the_person(member, sign_in):
    sign_in(member).post("/language/", {"language": "fr"})

    assert '<html lang="fr"' in sign_in(member).get("/library/").content.decode()


def test_a_stranger_keeps_a_language_in_the_browser(db):
    client = Client()
    client.post("/language/", {"language": "fr", "next": "/account/login/"})

    assert '<html lang="fr"' in client.get("/account/login/").content.decode()


@pytest.mark.parametrize(
    "wished", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_form_leads_back_to_us_only(member, sign_in, wished):
    assert sign_in(member).post("/theme/", {"theme": "dark", "next": wished}).url == "/"


@pytest.mark.parametrize(
    ("url", "data"), [("/theme/", {"theme": "pink"}), ("/language/", {"language": "de"}), ("/theme/", {})]
)
def test_a_strange_choice_is_refused_in_words(member, sign_in, url, data):
    answer = sign_in(member).post(url, data)

    assert answer.status_code == 422
    assert "Nothing was changed." in answer.content.decode()


# --- Errors --------------------------------------------------------------------------------------------------------


def test_forbidden_says_who_may_and_whom_to_ask(member, ops, sign_in):
    answer = sign_in(member).get("/people/invite/")

    assert answer.status_code == 403
    assert "This is for Product Ops." in answer.content.decode()
    assert ops.email in answer.content.decode()


def test_what_product_ops_may_not_do_is_asked_of_technical_admins(member, ops, admin, sign_in):
    html = sign_in(member).get("/syncs/new/").content.decode()

    assert admin.email in html
    assert ops.email not in html


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ("kpis.see_leadership", "Product Ops and leaders"),
        ("people.see_people", "Product Ops, leaders and technical admins"),
        ("connectors.edit_connection", "technical admins"),
        ("tooling.see_tools", "everybody in the hub"),
        ("nonsense", ""),
    ],
)
def test_who_may(right, said):
    assert who_may(right) == said


@pytest.mark.parametrize(("language", "words"), [("en", "Nothing is here"), ("fr", "")])
def test_an_unknown_address_is_told_in_the_readers_language(db, language, words):
    answer = Client().get("/nowhere/", headers={"Accept-Language": language})

    assert answer.status_code == 404
    html = answer.content.decode()
    assert f'<html lang="{language}"' in html
    assert words in html


def test_a_form_without_its_token_is_told_in_words(member):
    client = Client(enforce_csrf_checks=True)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post("/theme/", {"theme": "dark"})

    assert answer.status_code == 403
    assert "This form was open too long" in answer.content.decode()


def broken(_request):
    raise ZeroDivisionError


def away(_request):
    raise OperationalError("no connection")


class Urls:
    """The hub's addresses, and two that fail."""

    handler400, handler403, handler404 = hub.urls.handler400, hub.urls.handler403, hub.urls.handler404
    handler500 = hub.urls.handler500
    urlpatterns = (*hub.urls.urlpatterns, path("broken/", broken), path("away/", away))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("url", "status"), [("/broken/", 500), ("/away/", 503)])
def test_a_failure_is_calm_and_asks_nothing_of_the_database(
    member, sign_in, url, status, language, django_assert_max_num_queries
):
    client = sign_in(member)
    client.raise_request_exception = False
    client.get("/library/")

    with override_settings(ROOT_URLCONF=Urls), django_assert_max_num_queries(2):
        answer = client.get(url, headers={"Accept-Language": language})

    assert answer.status_code == status
    assert f'<html lang="{language}"' in answer.content.decode()
    assert (int(answer.headers["Retry-After"]) <= 5) if status == 503 else "Retry-After" not in answer.headers


def test_a_count_in_the_sidebar_ends_somewhere(ops, sign_in):
    wire = Connection.objects.create(service="linear", label="Linear")
    waiting = (PersonAccount(connection=wire, external_id=str(number), is_active=True) for number in range(1000))
    PersonAccount.objects.bulk_create(waiting)

    client = sign_in(ops)
    assert "999+ accounts to match" in client.get("/people/").content.decode()
    PersonAccount.objects.filter(external_id="7").delete()
    assert "999 accounts to match" in client.get("/people/").content.decode()
