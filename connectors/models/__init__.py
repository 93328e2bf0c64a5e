"""Tables of the wires."""

from .connection import Connection
from .work import (
    TABLES,
    ActivityDay,
    InitiativeProject,
    PersonAccount,
    ProjectUpdate,
    Sourced,
    StateSpan,
    Transition,
    WorkCycle,
    WorkInitiative,
    WorkItem,
    WorkLabel,
    WorkProject,
    WorkState,
    WorkTeam,
    WorkTeamMember,
    WorkTemplate,
)

__all__ = [
    "TABLES", "ActivityDay", "Connection", "InitiativeProject", "PersonAccount", "ProjectUpdate", "Sourced",
    "StateSpan", "Transition", "WorkCycle", "WorkInitiative", "WorkItem", "WorkLabel", "WorkProject", "WorkState",
    "WorkTeam", "WorkTeamMember", "WorkTemplate",
]  # fmt: skip
