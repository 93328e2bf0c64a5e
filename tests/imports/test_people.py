"""A spreadsheet of people: judged, written, taken back. Nobody is deleted, nobody let in."""

import time
from datetime import date, timedelta

import pytest
from django.utils import timezone

from hub.activity.models import Event
from hub.imports.actions import apply_plan, undo_plan
from hub.people import actions as people
from hub.people.models import Invitation, Membership, Role, User
from tests.imports.ways import applied, planned, problems, verdicts
from tests.people.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def belongs(person, team, starts_on=date(2025, 1, 6), ends_on=None, main=True):
    return Membership.objects.create(person=person, team=team, starts_on=starts_on, ends_on=ends_on, is_primary=main)


def snapshot():
    """Everybody and every membership, without moments and versions."""
    people = User.objects.order_by("email").values_list(
        "email", "name", "job_title", "role", "started_on", "left_on", "is_active", "password"
    )
    held = Membership.objects.order_by("person__email", "starts_on", "pk").values_list(
        "person__email", "team__slug", "starts_on", "ends_on", "is_primary"
    )
    return list(people), list(held)


@pytest.fixture
def growth(db):
    return TeamFactory(name="Growth", slug="growth")


@pytest.fixture
def core(db):
    return TeamFactory(name="Cœur produit", slug="core")


def test_rows_are_judged_in_either_language_and_nothing_is_written(ops, growth, core):
    ana = UserFactory(email="ana@x.example", name="Ana", role=Role.MEMBER)
    belongs(ana, growth)
    UserFactory(email="bo@x.example", name="Bo")
    before = snapshot()

    plan = planned(
        "people",
        "Courriel;Nom;Rôle;Équipe;Depuis\n"
        "ANA@x.example;Ana;;Coeur produit;2026-02-02\n"
        "bo@x.example;Bo;;;\n"
        "new@x.example;Nouvelle;leader;growth;\n"
        "nobody;X;;;\n",
        ops,
    )

    assert verdicts(plan) == {2: "error", 3: "unchanged", 4: "create", 5: "error"}
    assert "no team “Coeur produit”" in problems(plan)[0]  # œ is a letter of its own: a team is never guessed
    assert snapshot() == before and not Event.objects.exists()


def test_a_new_person_is_a_name_in_the_directory_and_cannot_sign_in(ops, growth):
    applied(planned("people", "email,name,role,team,first day\nLea@x.example,Léa,ops,Growth,2026-02-02\n", ops), ops)

    lea = User.objects.get(email="lea@x.example")
    assert (lea.name, lea.role, lea.started_on, lea.is_active) == ("Léa", "ops", date(2026, 2, 2), True)
    assert not lea.can_sign_in and not lea.is_staff and not Invitation.objects.exists()
    held = lea.memberships.get()
    assert (held.team, held.starts_on, held.ends_on, held.is_primary) == (growth, date(2026, 2, 2), None, True)
    assert Event.objects.get(object_id=str(lea.pk)).verb == "created"


def test_a_move_ends_one_team_on_the_day_the_next_begins(ops, growth, core):
    ana = UserFactory(email="ana@x.example")
    belongs(ana, growth, date(2025, 1, 6))

    applied(planned("people", "email,team,in the team from\nana@x.example,core,2026-03-02\n", ops), ops)

    assert list(ana.memberships.order_by("starts_on").values_list("team__slug", "starts_on", "ends_on")) == [
        ("growth", date(2025, 1, 6), date(2026, 3, 2)),
        ("core", date(2026, 3, 2), None),
    ]


def test_who_left_is_closed_and_never_deleted(ops, growth):
    ana = UserFactory(email="ana@x.example", started_on=date(2024, 1, 1))
    belongs(ana, growth, date(2024, 1, 1))
    people.invite(email="bo@x.example", name="Bo", role=Role.MEMBER, team=None, by=ops)
    bo = UserFactory(email="bo@x.example")

    applied(planned("people", "email,last day\nana@x.example,2026-06-30\nbo@x.example,2026-06-30\n", ops), ops)

    ana.refresh_from_db(), bo.refresh_from_db()
    assert (ana.is_active, ana.left_on, bo.is_active) == (False, date(2026, 6, 30), False)
    assert ana.memberships.get().ends_on == date(2026, 6, 30)
    assert Invitation.objects.get().revoked_at is not None
    assert set(Event.objects.filter(verb="deactivated").values_list("object_id", flat=True)) == {
        str(ana.pk), str(bo.pk),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",Ana,,,,,", "“e-mail” is empty"),
        ("no mail,Ana,,,,,", "no e-mail address"),
        ("new@x.example,,,,,,", "“name” is empty"),
        (f"new@x.example,{'n' * 121},,,,,", "121 characters"),
        ("new@x.example,New,boss,,,,", "member, ops, leader"),
        ("new@x.example,New,,Growht,,,", "Nearest: growth"),
        ("new@x.example,New,,growth,03/04/2026,,", "one way only"),
        ("new@x.example,New,,growth,2026-13-01,,", "one way only"),
        ("new@x.example,New,,growth,2026-05-01,2026-04-01,", "is after"),
        ("new@x.example,New,,,2026-05-01,,", "no team"),
        ("ana@x.example,Ana,,,,,2999-01-01", "still to come"),
        ("ana@x.example,Ana,,core,2020-01-01,,", "in another team"),
        ("root@x.example,Other name,,,,,", "technical admins only"),
        ("ops@ardoise.example,Nora Haddad,leader,,,,", "own role"),
        ("ops@ardoise.example,Nora Haddad,,,,,2026-01-01", "own role"),
    ],
)
def test_each_error_says_what_to_do(ops, growth, core, row, said):
    belongs(UserFactory(email="ana@x.example", name="Ana"), growth)
    UserFactory(email="root@x.example", name="Root", is_staff=True)

    header = "email,name,role,team,in the team from,in the team until,last day"
    plan = planned("people", f"{header}\n{row}\ngood@x.example,Good,,,,,\n", ops)

    assert verdicts(plan) == {2: "error", 3: "create"}
    assert said in " ".join(problems(plan))


def test_slashed_dates_are_read_by_what_their_column_tells(ops):
    plan = planned("people", "email;name;first day\na@x.example;A;03/04/2026\nb@x.example;B;25/04/2026\n", ops)

    assert [row.values["started_on"] for row in plan.rows.order_by("line")] == ["2026-04-03", "2026-04-25"]


def test_applying_twice_changes_nothing(ops, growth, core):
    belongs(UserFactory(email="ana@x.example", name="Ana"), growth)
    text = "email,name,team,last day\nana@x.example,Ana B,core,\nnew@x.example,New,growth,\n"
    text += "old@x.example,Old,,2020-05-05\n"
    plan = applied(planned("people", text, ops), ops)
    first, events = snapshot(), Event.objects.count()

    apply_plan(plan_id=plan.pk, by_id=ops.pk)
    again = applied(planned("people", text, ops), ops)

    assert set(verdicts(again).values()) == {"unchanged"}
    assert (snapshot(), Event.objects.count()) == (first, events)


def test_undo_gives_everybody_back(ops, growth, core):
    ana, bo = UserFactory(email="ana@x.example", name="Ana"), UserFactory(email="bo@x.example", name="Bo")
    belongs(ana, growth, date(2024, 1, 1))
    belongs(bo, growth, date(2024, 1, 1))
    belongs(bo, core, TODAY() + timedelta(days=30), main=False)
    before = snapshot()
    text = "email,name,role,team,last day\nana@x.example,Ana B,leader,core,\nbo@x.example,Bo,,,2026-06-30\n"
    text += "new@x.example,New,,growth,\n"
    plan = applied(planned("people", text, ops), ops)
    assert snapshot() != before

    assert undo_plan(plan=plan, by=ops) == (3, 0)

    assert snapshot() == before


def test_undo_leaves_alone_who_was_touched_or_is_known_since(ops, growth, core):
    text = "email,name,team\na@x.example,A,growth\nb@x.example,B,growth\nc@x.example,C,growth\nd@x.example,D,growth\n"
    plan = applied(planned("people", text, ops), ops)
    a, b, c = (User.objects.get(email=f"{one}@x.example") for one in "abc")
    people.edit_person(
        person=a, name="A!", job_title="", role=Role.MEMBER, started_on=None, version=a.version, by=ops, why=""
    )
    people.change_membership(
        membership=b.memberships.get(), starts_on=date(2020, 1, 1), ends_on=None, is_primary=True, by=ops
    )
    growth.lead = c
    growth.save()

    assert undo_plan(plan=plan, by=ops) == (1, 3)

    assert set(User.objects.filter(email__endswith="@x.example").values_list("name", flat=True)) == {"A!", "B", "C"}


# ---------------------------------------------------------------- the whole list


def test_a_part_of_the_list_closes_nobody(ops):
    UserFactory(email="ana@x.example", name="Ana")

    plan = planned("people", f"email,name\n{ops.email},{ops.name}\n", ops)

    assert set(verdicts(plan).values()) == {"unchanged"}
    assert plan.missing_count == 1


def test_the_whole_list_closes_whom_it_leaves_out_but_no_admin_and_not_the_reader(ops, admin, growth):
    ana = UserFactory(email="ana@x.example", name="Ana")
    belongs(ana, growth)
    UserFactory(email="new@x.example", name="Here")

    plan = planned("people", "email,name\nnew@x.example,Here\n", ops, whole=True)
    assert {row.title: row.verdict for row in plan.rows.all()} == {"Here": "unchanged", "Ana": "close"}
    applied(plan, ops)

    ana.refresh_from_db()
    assert (ana.is_active, ana.left_on) == (False, TODAY())
    assert User.objects.filter(is_active=True).count() == 3
    undo_plan(plan=plan, by=ops)
    ana.refresh_from_db()
    assert ana.is_active and ana.memberships.get().ends_on is None


def test_a_whole_list_with_an_error_closes_nobody(ops):
    UserFactory(email="ana@x.example", name="Ana")

    plan = planned("people", "email,name\nana at x.example,Ana\n", ops, whole=True)

    assert set(verdicts(plan).values()) == {"error"}


def test_who_joins_between_plan_and_apply_is_not_closed_unseen(ops):
    plan = planned("people", f"email,name\n{ops.email},{ops.name}\n", ops, whole=True)
    late = UserFactory(email="late@x.example", name="Late")

    plan = apply_plan(plan_id=plan.pk, by_id=ops.pk)

    late.refresh_from_db()
    assert (plan.state, late.is_active) == ("ready", True)


# ---------------------------------------------------------------- size


@pytest.mark.slow
def test_twenty_thousand_people_in_seconds(ops):
    for n in range(20):
        TeamFactory(name=f"Team {n}", slug=f"team-{n}")
    text = "email,name,team,first day\n" + "\n".join(
        f"p{n}@x.example,Person {n},team-{n % 20},2026-01-05" for n in range(20_000)
    )

    started = time.monotonic()
    plan = applied(planned("people", text, ops), ops)
    took = time.monotonic() - started

    assert (plan.applied_count, Membership.objects.count()) == (20_000, 20_000)
    assert took < 60
    print(f"20,000 people: {took:.1f} s")
