"""Compares what the hub holds of a connection with the world it read, item by item."""

from connectors.models import (
    PersonAccount,
    StateSpan,
    Transition,
    WorkCycle,
    WorkItem,
    WorkLabel,
    WorkProject,
    WorkState,
    WorkTeamMember,
)
from connectors.sandbox.clock import moment

WHOLE = (
    ("User", PersonAccount),
    ("WorkflowState", WorkState),
    ("IssueLabel", WorkLabel),
    ("Cycle", WorkCycle),
    ("Project", WorkProject),
    ("TeamMembership", WorkTeamMember),
)


def read(value):
    return None if value is None else moment(value)


def assert_same(connection, world):
    """Fail unless every live row is the world's, and the world's is a live row."""
    issues, states = world.rows("Issue"), world.rows("WorkflowState")
    items = {item.external_id: item for item in live(WorkItem, connection)}
    assert set(items) == set(issues)
    for key, row in issues.items():
        item = items[key]
        assert (item.identifier, item.title) == (row["identifier"], row["title"])
        assert item.state_ref == row["stateId"] and item.state_type == states[row["stateId"]]["type"]
        assert item.opened_at == read(row["createdAt"])
        assert item.started_at == read(row.get("startedAt"))
        assert item.completed_at == read(row.get("completedAt"))
        assert (item.cycle_ref, item.estimate) == (row.get("cycleId") or "", row.get("estimate"))
        assert item.label_refs == row["labelIds"]
        assert (item.archived_at, item.is_trashed) == (read(row.get("archivedAt")), bool(row.get("trashed")))
    assert_same_flow(connection, issues)
    for kind, model in WHOLE:
        assert set(live(model, connection).values_list("external_id", flat=True)) == set(world.rows(kind)), kind
    names = dict(live(PersonAccount, connection).values_list("external_id", "name"))
    assert names == {key: row["name"] for key, row in world.rows("User").items()}


def assert_same_flow(connection, issues):
    """Spans and changes of state: none lost, none twice."""
    spans = [
        (f"span:{span['id']}", key, span["stateId"], read(span["startedAt"]), read(span.get("endedAt")))
        for key, row in issues.items()
        for span in row["_stateHistory"]
    ]
    fields = ("external_id", "item_ref", "state_ref", "started_at", "ended_at")
    assert sorted(live(StateSpan, connection).values_list(*fields)[:]) == sorted(spans, key=lambda span: span[0])
    moves = [
        (f"history:{entry['id']}:state", key, entry.get("fromStateId") or "", entry["toStateId"])
        for key, row in issues.items()
        for entry in row["_history"]
        if "toStateId" in entry
    ]
    found = live(Transition, connection).filter(field="state")
    assert sorted(found.values_list("external_id", "item_ref", "before", "after")) == sorted(moves)


def live(model, connection):
    return model.objects.live().filter(connection=connection)
