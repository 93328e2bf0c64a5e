"""Acts on tools: the table of moves, decisions, owners, undo."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from hub.activity.models import Event
from tests.people.factories import TeamFactory, UserFactory
from tests.tooling.factories import CapabilityFactory, ToolFactory, does, named, owned
from tooling import actions
from tooling.models import MOVES, MOVES_WITH_REASON, StandardDecision, Tool, ToolAlias, normalized

pytestmark = pytest.mark.django_db
L = Tool.Lifecycle

# registry.md 3.2, copied here by hand
ALLOWED = {
    "discovered": {"in_review", "rejected", "active"},
    "in_review": {"pilot", "active", "rejected"},
    "pilot": {"active", "retiring", "rejected"},
    "active": {"retiring"},
    "retiring": {"retired", "active"},
    "retired": {"in_review"},
    "rejected": {"in_review"},
}


def test_the_table_of_moves_is_the_documented_one():
    assert {state.value: {to.value for to in tos} for state, tos in MOVES.items()} == ALLOWED


@pytest.mark.parametrize("before", L.values)
@pytest.mark.parametrize("after", L.values)
def test_a_tool_moves_only_where_the_table_says(before, after, ops):
    tool = ToolFactory(lifecycle=before)

    if after in ALLOWED[before]:
        actions.move(tool=tool, to=L(after), by=ops, why="A reason long enough.")
        tool.refresh_from_db()
        assert (tool.lifecycle, tool.version) == (after, 2)
    else:
        with pytest.raises(actions.MoveNotAllowed):
            actions.move(tool=tool, to=L(after), by=ops, why="A reason long enough.")


@pytest.mark.parametrize(("before", "after"), sorted(MOVES_WITH_REASON))
def test_moves_that_hurt_need_a_reason(before, after, ops):
    tool = ToolFactory(lifecycle=before)

    with pytest.raises(actions.ReasonMissing):
        actions.move(tool=tool, to=after, by=ops, why="  too short ")

    assert not Event.objects.exists()


def test_every_state_can_be_left():
    assert all(MOVES[state] for state in L)


def test_a_move_can_be_undone_once(ops):
    other = ToolFactory()
    tool = ToolFactory(starter=True)
    event = actions.move(tool=tool, to=L.ACTIVE, by=ops, successor=other)

    actions.undo(tool=tool, event=event, by=ops)

    tool.refresh_from_db()
    assert (tool.lifecycle, tool.is_starter, tool.successor) == ("discovered", True, None)
    with pytest.raises(actions.NothingToUndo):
        actions.undo(tool=tool, event=event, by=ops)


def test_an_edit_can_be_undone_with_its_names_and_jobs(ops):
    one, two = CapabilityFactory(slug="one"), CapabilityFactory(slug="two")
    tool = actions.create_tool(
        fields={"name": "Miro"}, by=ops, vendor="RealtimeBoard Inc", capabilities=[one, two], aliases=["Board"]
    )
    event = actions.edit_tool(
        tool=tool,
        fields={"name": "Miro!", "summary_en": "New"},
        by=ops,
        vendor="",
        capabilities=[two],
        aliases=["Board two"],
        why="Renamed.",
    )

    actions.undo(tool=tool, event=event, by=ops)

    tool.refresh_from_db()
    assert (tool.name, tool.summary_en, tool.vendor.name) == ("Miro", "", "RealtimeBoard Inc")
    assert [link.capability.slug for link in tool.capability_links.order_by("-is_primary")] == ["one", "two"]
    assert [alias.text for alias in tool.aliases.all()] == ["Board"]


def test_nothing_is_undone_after_somebody_else_changed_it(ops):
    tool = ToolFactory()
    event = actions.move(tool=tool, to=L.RETIRING, by=ops, why="Nobody opens it.")
    actions.hand_over(tool=tool, to=ops, by=ops)

    with pytest.raises(actions.NothingToUndo):
        actions.undo(tool=tool, event=event, by=ops)


def test_an_edit_that_changes_nothing_leaves_no_trace(ops):
    tool = ToolFactory()

    event = actions.edit_tool(tool=tool, fields={"name": tool.name}, by=ops, vendor="", capabilities=[], aliases=[])

    assert event is None
    assert not Event.objects.exists()


def test_a_later_decision_supersedes_and_the_ring_follows(ops):
    tool, job, other = ToolFactory(), CapabilityFactory(), CapabilityFactory()
    review = timezone.localdate() + timedelta(days=30)

    def decide(job, ring, team=None):
        actions.decide(
            tool=tool, capability=job, ring=ring, why="Because it is so.", review_on=review, by=ops, team=team
        )
        tool.refresh_from_db()
        return tool.ring

    assert decide(job, Tool.Ring.TRIAL) == "trial"
    assert decide(other, Tool.Ring.HOLD) == "trial"
    assert decide(job, Tool.Ring.ADOPT, team=TeamFactory()) == "trial"  # one team's exception is not the company's
    assert decide(job, Tool.Ring.ADOPT) == "adopt"
    assert decide(job, Tool.Ring.HOLD) == "hold"
    assert StandardDecision.objects.count() == 5
    assert StandardDecision.objects.current().count() == 3


def test_one_current_decision_per_job_tool_and_scope(ops):
    tool, job = ToolFactory(), CapabilityFactory()
    today = timezone.localdate()
    fields = {"tool": tool, "capability": job, "ring": "adopt", "why": "x", "decided_on": today}
    StandardDecision.objects.create(**fields, review_on=today + timedelta(days=1))

    with pytest.raises(IntegrityError), transaction.atomic():
        StandardDecision.objects.create(**fields, review_on=today + timedelta(days=1))
    for review in (today, today + timedelta(days=549)):
        with pytest.raises(IntegrityError), transaction.atomic():
            StandardDecision.objects.create(**{**fields, "tool": ToolFactory()}, review_on=review)


def test_hand_over_and_back(ops, member):
    tool, team = ToolFactory(), TeamFactory(lead=member)

    actions.hand_over(tool=tool, to=ops, by=ops)
    event = actions.hand_over(tool=tool, to=team, by=ops)

    assert tool.is_owned_by(member) and not tool.is_owned_by(ops)
    actions.undo(tool=tool, event=event, by=ops)
    assert tool.is_owned_by(ops) and not tool.is_owned_by(member)
    assert actions.hand_over(tool=tool, to=ops, by=ops) is None


def test_a_champion_does_not_own(member):
    tool = ToolFactory()
    owned(tool, member, role="champion")

    assert not tool.is_owned_by(member)


def test_addresses_are_never_shared_nor_those_of_pages(ops):
    slugs = [
        actions.create_tool(fields={"name": name}, by=ops).slug for name in ("New", "Imports", "Miro", "Miro.", "???")
    ]

    assert slugs == ["new-2", "imports-2", "miro", "miro-2", "tool"]


@pytest.mark.parametrize(("one", "two"), [("C", "C++"), ("C", "C#"), ("Node", "Node.js"), ("A", "B")])
def test_names_that_differ_by_a_sign_stay_two(one, two):
    assert normalized(one) != normalized(two)


@pytest.mark.parametrize("text", ["Jira Software", "jira  software", "JIRA-Software", "Jîra_Software"])
def test_spellings_of_one_name_are_one(text):
    assert normalized(text) == "jirasoftware"


@given(st.text(max_size=40))
def test_normalizing_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


def test_an_alias_belongs_to_one_tool():
    named(ToolFactory(), "Board")

    with pytest.raises(IntegrityError), transaction.atomic():
        named(ToolFactory(), "BOARD ")
    with pytest.raises(IntegrityError), transaction.atomic():
        ToolAlias.objects.create(tool=ToolFactory(), text="—", key="")


def test_one_main_job_and_one_main_owner(member):
    tool = ToolFactory()
    does(tool, CapabilityFactory())
    owned(tool, member)

    with pytest.raises(IntegrityError), transaction.atomic():
        does(tool, CapabilityFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        owned(tool, UserFactory())
