"""The palette: every room in one field, by what the reader may see."""

import pytest
from django.urls import reverse

from connectors.models import WorkTeam
from hub.home.search import find_pages, nearness
from tests.connectors.factories import make_connection
from tests.htmx import assert_swap_equals_page
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory

URL = "/search/"


def titles(client, words):
    groups = client.get(URL, {"q": words}).context["groups"]
    return [hit.title for group in groups for hit in group.hits]


def test_with_no_words_the_pages_are_offered(member, sign_in):
    found = titles(sign_in(member), "")

    assert found[0] == "Home"
    assert "Tools" in found


def test_a_page_is_found_by_another_word(member, sign_in):
    assert titles(sign_in(member), "priva") == ["What we measure, and why"]


def test_a_member_is_not_shown_what_they_may_not_open(member, ops, sign_in):
    assert "Syncs" not in titles(sign_in(member), "sync")
    assert "Syncs" in titles(sign_in(ops), "sync")


@pytest.mark.parametrize("role", ["member", "leader", "ops"])
def test_every_page_offered_opens(db, role, sign_in):
    client = sign_in(UserFactory(role=role))

    answers = {hit.url: client.get(hit.url).status_code for hit in find_pages("", UserFactory(role=role), 99)}

    assert set(answers.values()) == {200}, answers


def test_the_swapped_part_is_the_page(member, sign_in):
    assert_swap_equals_page(sign_in(member), f"{URL}?q=tool", "palette-results")


def test_nothing_found_says_what_to_do(member, sign_in):
    html = sign_in(member).get(URL, {"q": "zzz<b>"}).content.decode()

    assert "Nothing is called “zzz&lt;b&gt;”." in html
    assert reverse("tooling:capability_list") in html


def test_a_strange_question_is_only_a_question(member, sign_in):
    client = sign_in(member)

    for words in ("%", "(", "a" * 5000, "'; drop table", "\ud83d"):
        assert client.get(URL, {"q": words.encode("utf-8", "surrogatepass")}).status_code == 200


def test_queries_have_a_ceiling(ops, sign_in, django_assert_max_num_queries):
    client = sign_in(ops)
    client.get(URL)

    with django_assert_max_num_queries(10):
        client.get(URL, {"q": "linear"})


@pytest.mark.parametrize(
    ("asked", "title", "others", "rank"),
    [("", "tools", "", 0.85), ("too", "tools", "", 0.85), ("job", "which tool for this job", "", 0.6),
     ("soft", "tools", "software apps", 0.35), ("x", "tools", "apps", 0.0)],
)  # fmt: skip
def test_nearness(asked, title, others, rank):
    assert nearness(asked, title, others) == rank


@pytest.fixture
def teams(db):
    connection = make_connection()
    made = [TeamFactory(name=name) for name in ("Checkout", "Growth", "Search")]
    for team in made:
        WorkTeam.objects.create(connection=connection, external_id=team.slug, name=team.name, team=team)
    return [*made, TeamFactory(name="Office")]


def dashboards(client, words):
    groups = client.get(URL, {"q": words}).context["groups"]
    return [hit.url for group in groups if group.key == "dashboards" for hit in group.hits]


@pytest.mark.parametrize("words", ["check", "checkout dashboard", "dashboard Checkout", "team dash checkout"])
def test_a_dashboard_is_found_by_its_team(member, sign_in, teams, words):
    assert dashboards(sign_in(member), words) == [reverse("kpis:team_dashboard", args=["checkout"])]


def test_of_all_dashboards_that_of_the_readers_team_comes_first(member, sign_in, teams):
    MembershipFactory(person=member, team=teams[1])

    found = dashboards(sign_in(member), "dashboard")

    assert found == [reverse("kpis:team_dashboard", args=[slug]) for slug in ("growth", "checkout", "search")]


def test_a_dashboard_is_asked_for_in_french(member, sign_in, teams):
    member.language = "fr"
    member.save()

    assert len(dashboards(sign_in(member), "tableau de bord équipe growth")) == 1


def test_a_team_is_found_and_one_that_nothing_measures_has_no_dashboard(member, sign_in, teams):
    client = sign_in(member)

    assert "Office" in titles(client, "offi")
    assert not dashboards(client, "offi")
