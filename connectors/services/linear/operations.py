"""What we ask Linear, word for word. Nothing here reads a description, a comment or an update's text.

A test validates every document against Linear's own schema and holds each under 8,000 points (Linear refuses
one above 10,000). Ids of labels instead of labels, and short nested lists, keep a page of issues cheap: most
issues have fewer than ten changes, and for the others a follow-up costs less than a longer list for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from connectors.base import Request

from .cost import points

NESTED = 10  # changes and spans that come with an issue; the rest by follow-up
NESTED_MORE = 100
PATH = "/graphql"


@dataclass(frozen=True)
class Operation:
    """A named document and where its list stands in the answer, as a dotted path below `data`."""

    name: str
    document: str
    at: str

    def request(self, **variables: Any) -> Request:
        """Return the request that sends it, with its cost."""
        sent = {name: value for name, value in variables.items() if value is not None}
        return Request(
            path=PATH,
            json={"query": self.document, "variables": sent, "operationName": self.name},
            points=_points(self.document, sent.get("first")),
        )


@cache
def _points(document: str, first: int | None) -> int:
    return points(document, {"first": first})


CHANGE = """
fragment Change on IssueHistory {
  id createdAt actorId
  fromStateId toStateId fromAssigneeId toAssigneeId fromCycleId toCycleId fromProjectId toProjectId fromTeamId toTeamId
  fromEstimate toEstimate fromPriority toPriority addedLabelIds removedLabelIds archived trashed
}
"""
PAGE = "pageInfo { hasNextPage endCursor }"
SPAN = "id stateId startedAt endedAt"

CHECK = Operation(
    "Check",
    "query Check { viewer { id name email admin } organization { id name urlKey userCount } }",
    "viewer",
)


def _listing(name: str, field: str, nodes: str, *, arguments: str = "", fragments: str = "") -> Operation:
    document = f"""query {name}($first: Int!, $after: String) {{
  {field}(first: $first, after: $after{arguments}) {{ {PAGE} nodes {{ {nodes} }} }}
}}{fragments}"""
    return Operation(name, document, field)


def _window(
    name: str, field: str, nodes: str, *, arguments: str = ", includeArchived: true", fragments: str = ""
) -> Operation:
    document = f"""query {name}($first: Int!, $after: String, $from: DateTimeOrDuration!, $to: DateTimeOrDuration!) {{
  {field}(
    first: $first, after: $after{arguments}, orderBy: updatedAt, filter: {{ updatedAt: {{ gte: $from, lt: $to }} }}
  ) {{ {PAGE} nodes {{ {nodes} }} }}
}}{fragments}"""
    return Operation(name, document, field)


USERS = _listing(
    "Users", "users",
    "id name displayName email title timezone active admin owner guest app lastSeen disableReason "
    "createdAt updatedAt archivedAt",
    arguments=", includeDisabled: true, includeArchived: true",
)  # fmt: skip
TEAMS = _listing(
    "Teams", "teams",
    "id key name timezone cyclesEnabled cycleDuration issueEstimationType createdAt updatedAt archivedAt retiredAt "
    "parent { id }",
    arguments=", includeArchived: true",
)  # fmt: skip
STATES = _listing(
    "WorkflowStates", "workflowStates", "id name type position createdAt updatedAt archivedAt team { id }",
    arguments=", includeArchived: true",
)  # fmt: skip
LABELS = _listing(
    "IssueLabels", "issueLabels", "id name isGroup createdAt updatedAt archivedAt team { id } parent { id }",
    arguments=", includeArchived: true",
)  # fmt: skip
# Archived memberships and links are hidden on purpose: the sweep then sees that they ended
MEMBERSHIPS = _listing(
    "TeamMemberships", "teamMemberships", "id owner createdAt updatedAt archivedAt team { id } user { id }"
)
INITIATIVE_PROJECTS = _listing(
    "InitiativeProjects", "initiativeToProjects", "id createdAt updatedAt archivedAt initiative { id } project { id }"
)
TEMPLATES = Operation(
    "Templates",
    "query Templates { templates { id name type lastAppliedAt createdAt updatedAt archivedAt team { id } } }",
    "templates",
)

ISSUES = _window(
    "IssuesWindow", "issues",
    f"""
      id identifier title url priority estimate dueDate labelIds trashed
      createdAt updatedAt archivedAt startedTriageAt triagedAt startedAt completedAt canceledAt addedToCycleAt
      team {{ id }} state {{ id type }} assignee {{ id }} creator {{ id }}
      cycle {{ id }} project {{ id }} parent {{ id }}
      stateHistory(first: {NESTED}) {{ {PAGE} nodes {{ {SPAN} }} }}
      history(first: {NESTED}) {{ {PAGE} nodes {{ ...Change }} }}
    """,
    fragments=CHANGE,
)  # fmt: skip
CYCLES = _window(
    "Cycles", "cycles",
    f"""
      id number name startsAt endsAt completedAt createdAt updatedAt archivedAt
      scopeHistory completedScopeHistory issueCountHistory completedIssueCountHistory
      team {{ id }} uncompletedIssuesUponClose(first: 50) {{ {PAGE} nodes {{ id }} }}
    """,
)  # fmt: skip
PROJECTS = _window(
    "Projects", "projects",
    f"""
      id name url progress health healthUpdatedAt startDate targetDate trashed
      createdAt updatedAt archivedAt startedAt completedAt canceledAt
      status {{ id name type }} lead {{ id }} lastUpdate {{ id createdAt }}
      teams(first: 20) {{ {PAGE} nodes {{ id }} }} initiatives(first: 10) {{ {PAGE} nodes {{ id }} }}
    """,
)  # fmt: skip
INITIATIVES = _window(
    "Initiatives", "initiatives",
    "id name url status health targetDate trashed createdAt updatedAt archivedAt owner { id }",
)  # fmt: skip
UPDATES = _window(
    "ProjectUpdates", "projectUpdates", "id health createdAt updatedAt archivedAt isStale user { id } project { id }"
)

# Ids only, to find what was deleted for good: such a row leaves no trace in a window
SWEEPS = {
    stream: _listing(f"{name}IdSweep", field, "id updatedAt", arguments=", includeArchived: true")
    for stream, name, field in (
        ("issues", "Issue", "issues"),
        ("cycles", "Cycle", "cycles"),
        ("projects", "Project", "projects"),
        ("initiatives", "Initiative", "initiatives"),
        ("project_updates", "ProjectUpdate", "projectUpdates"),
    )
}


def _rest(name: str, parent: str, field: str, nodes: str, fragments: str = "") -> Operation:
    document = f"""query {name}($id: String!, $first: Int!, $after: String) {{
  {parent}(id: $id) {{ id {field}(first: $first, after: $after) {{ {PAGE} nodes {{ {nodes} }} }} }}
}}{fragments}"""
    return Operation(name, document, f"{parent}.{field}")


# Per stream: the nested lists that may be longer than their first page, and how to ask for the rest
RESTS: Mapping[str, Mapping[str, Operation]] = {
    "issues": {
        "history": _rest("IssueHistoryMore", "issue", "history", "...Change", CHANGE),
        "stateHistory": _rest("IssueStatesMore", "issue", "stateHistory", SPAN),
    },
    "cycles": {
        "uncompletedIssuesUponClose": _rest("CycleUncompletedMore", "cycle", "uncompletedIssuesUponClose", "id"),
    },
    "projects": {
        "teams": _rest("ProjectTeamsMore", "project", "teams", "id"),
        "initiatives": _rest("ProjectInitiativesMore", "project", "initiatives", "id"),
    },
}

LISTS: Mapping[str, Operation] = {
    "users": USERS,
    "teams": TEAMS,
    "states": STATES,
    "labels": LABELS,
    "memberships": MEMBERSHIPS,
    "templates": TEMPLATES,
    "initiatives": INITIATIVES,
    "projects": PROJECTS,
    "initiative_projects": INITIATIVE_PROJECTS,
    "cycles": CYCLES,
    "project_updates": UPDATES,
    "issues": ISSUES,
}


def every_operation() -> list[Operation]:
    """Return each document we may send."""
    rests = [operation for group in RESTS.values() for operation in group.values()]
    return [CHECK, *LISTS.values(), *SWEEPS.values(), *rests]
