"""The demo seed: complete, repeatable, and closed to a company's own hub."""

from datetime import date
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from connectors.models import Connection
from connectors.sandbox.company import COMPANY
from hub.demo.accounts import ACCOUNTS, PASSWORD
from hub.demo.kpis import OWNERS, TARGETS, seed_kpis
from hub.demo.people import seed_people
from hub.demo.tools import OPINIONS, seed_tools
from hub.demo.wires import follow_sandbox
from hub.people.models import Membership, Team, User
from kpis.models import Comment, Metric, Target
from tooling.models import Tool

pytestmark = pytest.mark.django_db


def test_company_is_made_with_teams_and_dated_memberships():
    made = seed_people()

    assert made.people == User.objects.count() == len(COMPANY.people) + len(COMPANY.leavers)
    assert Team.objects.get(slug="checkout").parent.slug == "shopping"
    leaver = User.objects.get(email="raphael.collet@ardoise.example")
    assert (leaver.is_active, leaver.left_on) == (False, date(2026, 8, 28))
    assert not Membership.objects.on(date(2026, 9, 1)).filter(person=leaver).exists()


def test_second_seed_makes_nothing_and_keeps_changes():
    seed_people()
    User.objects.filter(email="ops@ardoise.example").update(name="Renamed")

    made = seed_people()

    assert (made.people, made.teams, made.memberships) == (0, 0, 0)
    assert User.objects.get(email="ops@ardoise.example").name == "Renamed"


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.email)
def test_demo_account_signs_in_with_the_printed_password(account, rf):
    seed_people()

    assert authenticate(rf.post("/"), username=account.email, password=PASSWORD)


def test_nobody_else_has_a_password():
    seed_people()

    others = User.objects.exclude(email__in=[account.email for account in ACCOUNTS])
    assert not any(person.has_usable_password() for person in others)


@pytest.mark.parametrize("command", ["seed_demo", "demo_accounts"])
def test_demo_commands_refuse_where_demo_is_off(command, settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="DEMO is off"):
        call_command(command)
    assert not User.objects.exists()


def test_accounts_are_printed_with_address_and_password(settings):
    settings.DEMO, settings.BASE_URL = True, "http://127.0.0.1:8123"
    said = StringIO()

    call_command("demo_accounts", stdout=said)

    assert "http://127.0.0.1:8123" in said.getvalue()
    assert all(account.email in said.getvalue() for account in ACCOUNTS)
    assert PASSWORD in said.getvalue()


def test_tools_are_taken_into_the_estate_once():
    seed_people()
    call_command("load_tools", stdout=StringIO())

    assert seed_tools() == len(OPINIONS)
    assert seed_tools() == 0
    assert Tool.objects.in_estate().count() == len(OPINIONS)
    linear = Tool.objects.get(slug="linear")
    assert (linear.lifecycle, linear.ring) == ("active", "adopt")
    assert linear.is_owned_by(User.objects.get(email="ops@ardoise.example"))


def test_tool_that_somebody_touched_is_left_alone():
    seed_people()
    call_command("load_tools", stdout=StringIO())
    Tool.objects.filter(slug="miro").update(is_starter=False, how_to_en="Ours")

    seed_tools()

    assert Tool.objects.get(slug="miro").how_to_en == "Ours"


def test_connection_follows_the_sandbox_to_its_port_of_today(settings):
    settings.SANDBOX_URL = "http://127.0.0.1:9002"
    old = Connection.objects.create(service="linear", label="Linear", base_url="http://127.0.0.1:9001")
    real = Connection.objects.create(service="linear", label="Real", base_url="https://linear.example")

    assert follow_sandbox() == 1
    old.refresh_from_db(), real.refresh_from_db()
    assert (old.base_url, real.base_url) == ("http://127.0.0.1:9002", "https://linear.example")


def test_every_metric_has_an_owner_and_targets_are_set_once():
    seed_people()
    call_command("load_metrics", stdout=StringIO())

    assert seed_kpis() == len(OWNERS) == Metric.objects.count()
    assert seed_kpis() == 0
    assert Target.objects.count() == len(TARGETS)
    assert Comment.objects.count() == 4
