"""What the hub must hold of a company on Jira, worked out from the spans of the world, not from changes."""

from connectors.models import PersonAccount, StateSpan, WorkCycle, WorkItem, WorkState, WorkTeam
from connectors.sandbox.clock import moment
from connectors.sandbox.jira.shows import account_id, jira_id

# What is left of Linear's types in Jira's three categories; the names of the last two tell them apart
KINDS = {"triage": "unstarted", "backlog": "unstarted", "unstarted": "unstarted", "started": "started",
         "completed": "completed", "canceled": "canceled", "duplicate": "duplicate"}  # fmt: skip


def live(model, connection):
    return model.objects.live().filter(connection=connection)


def expected(world, row):
    """Return (kind, start, end) of an issue: its first stay in a started status, its last arrival where it is."""
    states = world.rows("WorkflowState")
    stays = [(KINDS[states[span["stateId"]]["type"]], moment(span["startedAt"])) for span in row["_stateHistory"]]
    kind = stays[-1][0]
    began = [at for stay, at in stays if stay == "started"]
    end = None
    for stay, at in reversed(stays):
        if stay != kind:
            break
        end = at
    return kind, began[0] if began else None, end


def assert_same(connection, world):
    """Fail unless every live row is the world's, and the world's is a live row."""
    issues = {jira_id(key): row for key, row in world.rows("Issue").items() if not row.get("archivedAt")}
    items = {item.external_id: item for item in live(WorkItem, connection)}
    assert set(items) == set(issues)
    for key, row in issues.items():
        item = items[key]
        kind, start, end = expected(world, row)
        assert (item.identifier, item.title) == (row["identifier"], row["title"].replace("\x00", ""))
        assert (item.state_ref, item.state_type) == (jira_id(row["stateId"]), kind), (
            item.state_ref,
            item.state_type,
            row,
        )
        assert item.opened_at == moment(row["createdAt"])
        assert item.started_at == start
        assert item.completed_at == (end if kind == "completed" else None)
        assert item.canceled_at == (end if kind in ("canceled", "duplicate") else None)
        assert item.estimate == row.get("estimate")
        assert item.cycle_ref == jira_id(row.get("cycleId")) or not row.get("cycleId")
        assert item.assignee_ref == (account_id(row["assigneeId"]) if row.get("assigneeId") else "")
    spans = [
        (jira_id(key), jira_id(span["stateId"]), moment(span["startedAt"]), moment(end) if end else None)
        for key, row in world.rows("Issue").items()
        if not row.get("archivedAt")
        for span in row["_stateHistory"]
        for end in [span.get("endedAt")]
    ]
    held = live(StateSpan, connection).values_list("item_ref", "state_ref", "started_at", "ended_at")
    assert sorted(held, key=str) == sorted(spans, key=str)
    for kind, model in (("Team", WorkTeam), ("WorkflowState", WorkState), ("Cycle", WorkCycle)):
        assert set(live(model, connection).values_list("external_id", flat=True)) == set(
            map(jira_id, world.rows(kind))
        ), kind
    names = dict(live(PersonAccount, connection).values_list("external_id", "name"))
    assert names == {account_id(key): row["name"] for key, row in world.rows("User").items()}
