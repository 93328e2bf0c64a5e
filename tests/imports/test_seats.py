"""A list of accounts: seats and adoption for a tool without a connector."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions as connectors
from connectors.models import Connection, PersonAccount
from connectors.queries import standing
from hub.activity.models import Event
from hub.imports.actions import apply_plan, undo_plan
from tests.imports.ways import applied, planned, problems, verdicts
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory
from tests.tooling.factories import ToolFactory, connected, named
from tooling.models import AdoptionRollup, Tool

pytestmark = pytest.mark.django_db


def day(ago):
    return (timezone.localdate() - timedelta(days=ago)).isoformat()


def snapshot():
    return sorted(
        PersonAccount.objects.values_list(
            "external_id", "email", "name", "kind", "is_active", "last_seen_at", "person__email", "match"
        )
    )


@pytest.fixture
def miro(db):
    return ToolFactory(name="Miro", slug="miro")


def test_a_tool_without_a_connector_has_seats_and_adoption(ops, miro):
    team = TeamFactory(slug="growth")
    ana, bo = UserFactory(email="ana@x.example"), UserFactory(email="bo@x.example")
    for person in (ana, bo):
        MembershipFactory(person=person, team=team, starts_on=timezone.localdate() - timedelta(days=99))
    text = (
        "Outil;Courriel;Nom;Actif;Dernière activité\n"
        f"Miro;ANA@x.example;Ana;oui;{day(2)}\n"
        f"miro;bo@x.example;Bo;;{day(60)}\n"
        f"miro;;Somebody;yes;\n"
        f"miro;gone@x.example;Gone;non;{day(1)}\n"
    )

    applied(planned("seats", text, ops), ops)

    assert dict(PersonAccount.objects.values_list("external_id", "match")) == {
        "ana@x.example": "email", "bo@x.example": "email", "name:somebody": "unmatched", "gone@x.example": "unmatched",
    }  # fmt: skip
    company = AdoptionRollup.objects.get(tool=miro, team=None, window=30, is_current=True)
    assert (company.accounts, company.accounts_active, company.holders, company.active, company.unmatched) == (
        3,
        1,
        2,
        1,
        1,
    )
    assert company.signal == "last_seen"
    assert Event.objects.filter(kind="tooling.tool", verb="seats_read").count() == 1


def test_an_uploaded_list_is_no_connection_that_syncs(ops, admin, miro, sign_in):
    applied(planned("seats", "tool,email\nMiro,ana@x.example\n", ops), ops)

    assert standing().freshness.total == 0
    assert connectors.tick().night == 0
    client = sign_in(ops)
    assert client.get(reverse("connectors:sync_list")).status_code == 200
    client.post(reverse("connectors:sync_run_all"))
    assert "ana@x.example" in client.get(reverse("accounts:account_list")).content.decode()
    for name in ("home:home", "people:privacy"):
        assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",a@x.example,,,,", "“tool” is empty"),
        ("Mirro,a@x.example,,,,", "Nearest: miro"),
        ("Linear,a@x.example,,,,", "read from the tool itself"),
        ("Miro,,,,,", "names nobody"),
        ("Miro,a at x,,,,", "no e-mail address"),
        ("Miro,a@x.example,,owner,,", "member, admin, guest, bot"),
        ("Miro,a@x.example,,,perhaps,", "neither yes nor no"),
        ("Miro,a@x.example,,,,soon", "one way only"),
        ("Miro,a@x.example,,,,2999-01-01", "still to come"),
        ("Miro,GOOD@x.example,,,,", "line 2 already"),
    ],
)
def test_each_error_says_what_to_do(ops, miro, row, said):
    connected(ToolFactory(name="Linear", slug="linear"))

    plan = planned("seats", f"tool,email,name,kind,active,last seen\nMiro,good@x.example,,,,\n{row}\n", ops)

    assert verdicts(plan) == {2: "create", 3: "error"}
    assert said in " ".join(problems(plan, 3))


def test_a_tool_is_known_by_its_other_names_too(ops, miro):
    named(miro, "RealtimeBoard")

    assert verdicts(planned("seats", "tool,email\nrealtime board,a@x.example\n", ops)) == {2: "create"}


def test_applying_twice_changes_nothing(ops, miro):
    text = f"tool,email,name,kind,last seen\nMiro,a@x.example,A,guest,{day(3)}\nMiro,,B,,\n"
    plan = applied(planned("seats", text, ops), ops)
    first, events = snapshot(), Event.objects.count()

    apply_plan(plan_id=plan.pk, by_id=ops.pk)
    again = applied(planned("seats", text, ops), ops)

    assert set(verdicts(again).values()) == {"unchanged"}
    assert (snapshot(), Event.objects.count()) == (first, events)


def test_the_whole_list_closes_the_accounts_of_its_own_tools_only(ops, miro):
    ToolFactory(name="Slack", slug="slack")
    applied(planned("seats", "tool,email\nMiro,a@x.example\nMiro,b@x.example\nSlack,c@x.example\n", ops), ops)
    before = snapshot()

    plan = planned("seats", "tool,email\nMiro,a@x.example\n", ops, whole=True)
    assert {row.title: row.verdict for row in plan.rows.all()} == {
        "a@x.example · Miro": "unchanged", "b@x.example · Miro": "close",
    }  # fmt: skip
    applied(plan, ops)

    assert set(PersonAccount.objects.filter(is_active=False).values_list("email", flat=True)) == {"b@x.example"}
    assert undo_plan(plan=plan, by=ops) == (1, 0)
    assert snapshot() == before


def test_undo_takes_back_what_is_as_the_file_left_it(ops, miro):
    applied(planned("seats", f"tool,email,last seen\nMiro,a@x.example,{day(9)}\n", ops), ops)
    before = snapshot()
    text = f"tool,email,last seen\nMiro,a@x.example,{day(1)}\nMiro,b@x.example,\nMiro,c@x.example,\n"
    plan = applied(planned("seats", text, ops), ops)
    PersonAccount.objects.filter(email="c@x.example").update(match="manual", person=ops)

    assert undo_plan(plan=plan, by=ops) == (2, 1)

    assert [row for row in snapshot() if row[0] != "c@x.example"] == before
    assert Connection.objects.get().service == Connection.FILE


def test_a_suggestion_whose_seats_are_known_is_in_the_estate(ops):
    ToolFactory(name="Maze", slug="maze", starter=True)

    applied(planned("seats", "tool,email\nMaze,a@x.example\n", ops), ops)

    assert Tool.objects.in_estate().get().slug == "maze"


@pytest.mark.slow
def test_twenty_thousand_seats_in_seconds(ops, miro):
    text = "tool,email,last seen\n" + "\n".join(f"Miro,p{n}@x.example,{day(n % 90)}" for n in range(20_000))
    started = timezone.now()

    plan = applied(planned("seats", text, ops), ops)

    took = (timezone.now() - started).total_seconds()
    assert plan.applied_count == PersonAccount.objects.count() == 20_000
    assert took < 60  # some five seconds on a machine that does nothing else
    print(f"20,000 seats: {took:.1f} s")
