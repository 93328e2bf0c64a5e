"""Tables of the wires."""

from connectors import records

from .code import ChangeRequest, Deployment, Release
from .connection import Connection
from .documents import Document, DocumentSource, SourceMapping
from .product import AccountDay, Feedback, FeedbackLink, ProductField, ProductItem, ProductLink
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
from .warehouse import Warehouse, WarehousePermit
from .webhooks import Delivery, DueStream, Webhook, WebhookCount
from .work import (
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

# The table of each class of the shared vocabulary
TABLES: dict[type[records.Record], type[Sourced]] = {
    getattr(records, model.__name__): model
    for model in (
        PersonAccount, WorkTeam, WorkTeamMember, WorkState, WorkLabel, WorkCycle, WorkProject, WorkInitiative,
        InitiativeProject, ProjectUpdate, WorkTemplate, WorkItem, StateSpan, Transition,
        ProductItem, ProductField, ProductLink, Feedback, FeedbackLink, AccountDay, DocumentSource, Document,
        ChangeRequest, Release, Deployment,
    )
}  # fmt: skip

__all__ = [
    "COUNTERS",
    "OPEN_STATES",
    "TABLES",
    "AccountDay",
    "ActivityDay",
    "ChangeRequest",
    "Check",
    "Connection",
    "DailySnapshot",
    "Delivery",
    "Deployment",
    "Document",
    "DocumentSource",
    "DueStream",
    "Feedback",
    "FeedbackLink",
    "InitiativeProject",
    "PersonAccount",
    "ProductField",
    "ProductItem",
    "ProductLink",
    "ProjectUpdate",
    "RefusedRecord",
    "Release",
    "SchemaObservation",
    "SeenPage",
    "SourceMapping",
    "SourceRecord",
    "Sourced",
    "State",
    "StateSpan",
    "StreamRun",
    "StreamState",
    "SyncRun",
    "Transition",
    "Warehouse",
    "WarehousePermit",
    "Webhook",
    "WebhookCount",
    "WorkCycle",
    "WorkInitiative",
    "WorkItem",
    "WorkLabel",
    "WorkProject",
    "WorkState",
    "WorkTeam",
    "WorkTeamMember",
    "WorkTemplate",
]  # fmt: skip
