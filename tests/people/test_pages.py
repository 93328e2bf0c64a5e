"""The list of people, one person, teams, one's own pages."""

import csv
import io
from datetime import date

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from hub.activity.models import Event
from hub.people import actions
from hub.people.models import Membership, Role, Team, User
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory

CEILING = 10


@pytest.fixture
def crowd(db):
    """Sixty people in three teams, some of whom left."""
    teams = [TeamFactory(name=name) for name in ("Checkout", "Growth", "Platform")]
    usable = make_password("a quiet workshop")
    people = User.objects.bulk_create(
        User(
            name=f"Person {number:02}",
            email=f"person{number:02}@ardoise.example",
            role=Role.LEADER if number % 20 == 0 else Role.MEMBER,
            is_active=number % 10 != 3,
            password=usable if number % 2 else "!",
        )
        for number in range(60)
    )
    Membership.objects.bulk_create(
        Membership(person=person, team=teams[number % 3], starts_on=date(2025, 1, 6))
        for number, person in enumerate(people)
    )
    return people


def text(answer):
    return answer.content.decode()


def test_the_list_costs_few_queries(sign_in, ops, crowd, django_assert_max_num_queries):
    client = sign_in(ops)
    client.get("/people/")

    with django_assert_max_num_queries(CEILING):
        answer = client.get("/people/")

    assert "Person 00" in text(answer)
    assert f"<b>{sum(1 for n in range(60) if n % 10 != 3) + 1}</b>" in text(answer)  # and Nora herself


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=person+07", {7}),
        ("q=07@ardoise", {7}),
        ("role=leader", {0, 20, 40}),
        ("role=leader&role=member&q=person+0", {0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50}),
        ("team=growth&q=person+1", {n for n in range(60) if n % 3 == 1 and n % 10 != 3 and "1" in f"{n:02}"}),
        ("access=left", {n for n in range(60) if n % 10 == 3}),
        ("access=open&q=person+2", {n for n in range(60) if n % 2 and n % 10 != 3 and "2" in f"{n:02}"}),
    ],
)
def test_the_address_says_who_is_shown(sign_in, ops, crowd, query, expected):
    exported = sign_in(ops).get(f"/people/export.csv?{query}")

    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    shown = {int(row["Name"].removeprefix("Person ")) for row in rows if row["Name"].startswith("Person")}

    assert shown == expected


def test_the_list_and_its_export_show_the_same(sign_in, ops, crowd):
    client = sign_in(ops)

    page = client.get("/people/?team=growth&sort=-name")
    exported = client.get("/people/export.csv?team=growth&sort=-name")

    names = [person.name for person in page.context["page"]]
    assert names == [row["Name"] for row in csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig")))]
    assert names == sorted(names, reverse=True)


def test_an_unknown_filter_shows_everyone(sign_in, ops, crowd):
    assert sign_in(ops).get("/people/?team=nowhere&role=king&sort=shoe&page=99").status_code == 200


def test_nobody_found_says_which_filter_is_in_the_way(sign_in, ops, crowd):
    answer = sign_in(ops).get("/people/?q=person+07&role=leader")

    assert "Nobody fits" in text(answer)
    assert [(way.chip.name, way.count) for way in answer.context["ways_out"]] == [("q", 3), ("role", 1)]


def test_only_the_piece_that_htmx_asks_for_is_sent(sign_in, ops, crowd):
    client = sign_in(ops)

    piece = client.get("/people/?q=07", headers={"HX-Request": "true", "HX-Target": "people-results"})
    whole = client.get("/people/?q=07")

    start, end = text(whole).index('<section id="people-results"'), text(whole).rindex("</section>")
    assert text(piece).strip().startswith('<section id="people-results"')
    assert "".join(text(piece).split()) == "".join(text(whole)[start : end + len("</section>")].split())


def test_a_name_that_is_a_formula_is_harmless_in_the_export(sign_in, ops):
    UserFactory(name="=HYPERLINK(1)", email="formula@ardoise.example")

    assert "'=HYPERLINK(1)" in sign_in(ops).get("/people/export.csv").content.decode()


def test_a_person_shows_teams_through_time(sign_in, member, django_assert_max_num_queries):
    ana = UserFactory(name="Ana Ruiz", job_title="Designer")
    MembershipFactory(person=ana, team__name="Checkout", starts_on=date(2024, 1, 8), ends_on=date(2025, 3, 1))
    MembershipFactory(person=ana, team__name="Growth", starts_on=date(2025, 3, 1))
    client = sign_in(member)
    client.get(ana.get_absolute_url())

    with django_assert_max_num_queries(CEILING):
        answer = client.get(ana.get_absolute_url())

    assert [held.team.name for held in answer.context["memberships"]] == ["Growth", "Checkout"]


def test_what_ops_sees_of_a_person_a_colleague_does_not(sign_in, member, ops):
    ana = UserFactory(name="Ana Ruiz")

    colleague, curator = sign_in(member).get(ana.get_absolute_url()), sign_in(ops).get(ana.get_absolute_url())

    for words in ("Accounts in the tools", "Close access", 'id="changes"'):
        assert words not in text(colleague)
        assert words in text(curator)


def test_own_accounts_are_seen_and_those_of_others_are_not(sign_in, member):
    other = UserFactory()
    client = sign_in(member)

    assert client.get(f"/people/accounts/of/{member.pk}/").status_code == 200
    assert client.get(f"/people/accounts/of/{other.pk}/").status_code == 403


def edit(client, person, **changes):
    page = client.get(f"/people/{person.pk}/edit/")
    form = page.context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {
        form.add_initial_prefix(name): form[name].value() or "" for name in form.fields
    }
    return client.post(f"/people/{person.pk}/edit/", {**data, **changes})


def test_a_change_is_kept_with_before_after_and_why(sign_in, ops):
    ana = UserFactory(name="Ana Ruiz", role=Role.MEMBER)

    answer = edit(sign_in(ops), ana, role="leader", why="New head of product")

    ana.refresh_from_db()
    event = Event.objects.get()
    assert (answer.status_code, ana.role, ana.version) == (302, "leader", 2)
    assert (event.by, event.changes, event.why) == (ops, {"role": ["member", "leader"]}, "New head of product")


def test_two_editors_notice_each_other(sign_in, ops):
    ana = UserFactory(name="Ana Ruiz", job_title="Designer")
    client = sign_in(ops)
    page = client.get(f"/people/{ana.pk}/edit/")
    form = page.context["form"]
    stale = {name: form[name].value() or "" for name in form.fields} | {
        form.add_initial_prefix(name): form[name].value() or "" for name in form.fields
    }
    edit(client, ana, job_title="Design lead")

    answer = client.post(f"/people/{ana.pk}/edit/", {**stale, "job_title": "Senior designer"})

    ana.refresh_from_db()
    assert answer.status_code == 422
    assert ana.job_title == "Design lead"
    assert "Design lead" in text(answer) and "Senior designer" in text(answer)


def test_nothing_changed_records_nothing(sign_in, ops):
    edit(sign_in(ops), UserFactory(name="Ana Ruiz"))

    assert not Event.objects.exists()


@pytest.mark.parametrize("data", [{"name": "x" * 121}, {"name": ""}, {"role": "king"}, {"started_on": "31/31/2026"}])
def test_what_does_not_fit_comes_back(sign_in, ops, data):
    ana = UserFactory(name="Ana Ruiz")

    answer = edit(sign_in(ops), ana, **data)

    ana.refresh_from_db()
    assert answer.status_code == 422
    assert ana.name == "Ana Ruiz"


def test_nobody_changes_their_own_role(sign_in, ops):
    answer = edit(sign_in(ops), ops, role="leader")

    ops.refresh_from_db()
    assert (answer.status_code, ops.role) == (422, "ops")


def test_nobody_closes_their_own_access(sign_in, ops):
    answer = sign_in(ops).post(f"/people/{ops.pk}/deactivate/", {"left_on": "2026-01-05"})

    ops.refresh_from_db()
    assert (answer.status_code, ops.is_active) == (422, True)


def test_ops_does_not_touch_a_technical_admin(sign_in, ops, admin):
    client = sign_in(ops)

    statuses = [edit(client, admin, role="leader").status_code]
    statuses.append(client.post(f"/people/{admin.pk}/deactivate/", {"left_on": "2026-01-05"}).status_code)

    admin.refresh_from_db()
    assert (statuses, admin.role, admin.is_active) == ([422, 422], "member", True)


def test_leaving_ends_memberships_and_is_recorded(sign_in, ops):
    held = MembershipFactory(person__name="Ana Ruiz", starts_on=date(2025, 1, 6))
    today = timezone.localdate()

    sign_in(ops).post(f"/people/{held.person.pk}/deactivate/", {"left_on": today.isoformat(), "why": "New job"})

    held.refresh_from_db()
    assert (held.ends_on, held.person.is_active, held.person.left_on) == (today, False, today)
    assert Event.objects.get(verb="deactivated").why == "New job"


def test_a_membership_that_had_not_begun_is_dropped_on_leaving(ops):
    held = MembershipFactory(starts_on=date(2026, 2, 2))

    actions.deactivate(person=held.person, left_on=date(2026, 2, 2), by=ops)

    assert not Membership.objects.exists()


def test_a_second_main_team_is_refused(sign_in, ops):
    held = MembershipFactory(starts_on=date(2025, 1, 6))
    growth = TeamFactory(name="Growth")
    client = sign_in(ops)
    data = {"team": growth.pk, "starts_on": "2026-01-05", "is_primary": "on"}

    refused = client.post(f"/people/{held.person.pk}/teams/new/", data)
    taken = client.post(f"/people/{held.person.pk}/teams/new/", {**data, "is_primary": ""})

    assert (refused.status_code, taken.status_code) == (422, 302)
    assert held.person.memberships.count() == 2


def test_a_membership_is_ended_and_recorded(sign_in, ops):
    held = MembershipFactory(starts_on=date(2025, 1, 6))

    answer = sign_in(ops).post(
        f"/people/memberships/{held.pk}/edit/",
        {"starts_on": "2025-01-06", "ends_on": "2026-01-05", "is_primary": "on", "why": "Moved"},
    )

    held.refresh_from_db()
    assert (answer.status_code, held.ends_on) == (302, date(2026, 1, 5))
    assert Event.objects.get().verb == "changed_team"


def test_a_membership_can_not_end_before_it_begins(sign_in, ops):
    held = MembershipFactory(starts_on=date(2025, 1, 6))

    answer = sign_in(ops).post(
        f"/people/memberships/{held.pk}/edit/", {"starts_on": "2025-01-06", "ends_on": "2025-01-06"}
    )

    assert answer.status_code == 422


def test_teams_are_shown_as_a_tree_with_their_people(sign_in, member, django_assert_max_num_queries):
    product = TeamFactory(name="Product")
    growth = TeamFactory(name="Growth", parent=product)
    TeamFactory(name="Ads", parent=growth)
    TeamFactory(name="Old", is_active=False)
    MembershipFactory(team=growth)
    MembershipFactory(team=product)
    MembershipFactory(team=growth, starts_on=date(2025, 1, 1), ends_on=date(2025, 2, 1))
    client = sign_in(member)
    client.get("/people/teams/")

    with django_assert_max_num_queries(CEILING):
        rows = client.get("/people/teams/").context["rows"]

    assert [(row.name, row.depth, row.size, row.total) for row in rows] == [
        ("Product", 0, 1, 2), ("Growth", 1, 1, 1), ("Ads", 2, 0, 0),
    ]  # fmt: skip


def test_a_team_shows_who_is_in_it_today(sign_in, member, django_assert_max_num_queries):
    growth = TeamFactory(name="Growth")
    ana = MembershipFactory(team=growth).person
    MembershipFactory(team=growth, ends_on=date(2025, 2, 1))
    client = sign_in(member)
    client.get(growth.get_absolute_url())

    with django_assert_max_num_queries(CEILING):
        page = client.get(growth.get_absolute_url()).context["page"]

    assert [held.person for held in page] == [ana]


def test_a_team_gets_a_free_address(sign_in, ops):
    TeamFactory(name="Growth", slug="growth")
    client = sign_in(ops)

    for name in ("Growth", "New", "日本"):
        client.post("/people/teams/new/", {"name": name, "is_active": "on"})

    assert set(Team.objects.values_list("slug", flat=True)) == {"growth", "growth-2", "new-2", "team"}


def test_a_team_is_not_part_of_a_team_below_it(sign_in, ops):
    product = TeamFactory(name="Product")
    growth = TeamFactory(name="Growth", parent=product)

    answer = sign_in(ops).post(
        "/people/teams/product/edit/", {"name": "Product", "parent": growth.pk, "is_active": "on", "version": 1}
    )

    assert answer.status_code == 422


def test_a_lead_is_named_by_e_mail(sign_in, ops):
    growth = TeamFactory(name="Growth")
    ana = UserFactory(email="ana@ardoise.example")
    data = {"name": "Growth", "is_active": "on", "version": 1}
    client = sign_in(ops)

    wrong = client.post("/people/teams/growth/edit/", {**data, "lead": "nobody@ardoise.example"})
    right = client.post("/people/teams/growth/edit/", {**data, "lead": "ana@ardoise.example", "why": "Asked for it"})

    growth.refresh_from_db()
    assert (wrong.status_code, right.status_code, growth.lead) == (422, 302, ana)
    assert Event.objects.get().changes == {"lead": [None, str(ana)]}


def test_a_lead_is_shown_as_they_are_typed_and_stays(sign_in, ops):
    ana = UserFactory(name="Ana Ruiz", email="ana@ardoise.example")
    growth = TeamFactory(name="Growth", lead=ana)
    client = sign_in(ops)

    shown = client.get("/people/teams/growth/edit/").content.decode()
    answer = client.post(
        "/people/teams/growth/edit/", {"name": "Growth it is", "lead": "ana  ruiz", "is_active": "on", "version": 1}
    )

    growth.refresh_from_db()
    assert 'value="ana@ardoise.example"' in shown
    assert (answer.status_code, growth.name, growth.lead) == (302, "Growth it is", ana)


def test_a_name_that_two_bear_names_neither(sign_in, ops):
    TeamFactory(name="Growth")
    UserFactory(name="Ana Ruiz", email="ana@ardoise.example")
    UserFactory(name="Ana Ruiz", email="ana2@ardoise.example")

    answer = sign_in(ops).post(
        "/people/teams/growth/edit/", {"name": "Growth", "lead": "Ana Ruiz", "is_active": "on", "version": 1}
    )

    assert answer.status_code == 422
    assert "Several people are called “Ana Ruiz”." in answer.content.decode()


def test_one_sets_ones_own_name_language_and_theme(sign_in, member):
    client = sign_in(member)

    client.post("/people/me/", {"name": "Salomé P.", "language": "fr", "theme": "dark", "role": "ops", "is_staff": "1"})

    member.refresh_from_db()
    assert (member.name, member.language, member.theme) == ("Salomé P.", "fr", "dark")
    assert (member.role, member.is_staff) == ("member", False)
    assert 'lang="fr"' in text(client.get("/people/me/"))


@pytest.mark.parametrize("address", ["/people/me/", "/people/what-we-measure/"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_own_pages_open_in_both_languages(sign_in, member, address, language):
    answer = sign_in(member).get(address, headers={"Accept-Language": language})

    assert answer.status_code == 200
    assert f'lang="{language}"' in text(answer)


def test_empty_pages_say_what_will_be_there(sign_in, ops):
    client = sign_in(ops)

    assert "No team yet" in text(client.get("/people/teams/"))
    assert "In no team yet" in text(client.get(ops.get_absolute_url()))


def test_the_admin_leaves_out_what_is_not_repaired_there(sign_in, admin):
    client = sign_in(admin)

    assert client.get("/admin/people/user/").status_code == 200
    assert client.get("/admin/auth/group/").status_code == 404
    assert client.get("/admin/account/emailaddress/").status_code == 404
