"""Tables of the wires."""

from .connection import Connection
from .sync import (
    COUNTERS,
    OPEN_STATES,
    Check,
    DailySnapshot,
    RefusedRecord,
    SchemaObservation,
    SeenPage,
    SourceRecord,
    State,
    StreamRun,
    StreamState,
    SyncRun,
)
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
    "COUNTERS", "OPEN_STATES", "TABLES", "Check", "DailySnapshot", "RefusedRecord", "SchemaObservation", "SeenPage",
    "SourceRecord", "State", "StreamRun", "StreamState", "SyncRun",
    "ActivityDay", "Connection", "InitiativeProject", "PersonAccount", "ProjectUpdate", "Sourced",
    "StateSpan", "Transition", "WorkCycle", "WorkInitiative", "WorkItem", "WorkLabel", "WorkProject", "WorkState",
    "WorkTeam", "WorkTeamMember", "WorkTemplate",
]  # fmt: skip
