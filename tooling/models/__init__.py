"""Tables of the tools room."""

from hub.core.text import normalized

from .adoption import AdoptionRollup, AdoptionWeek
from .standing import StandardDecision
from .tool import (
    MOVES,
    MOVES_WITH_REASON,
    Capability,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Vendor,
    Workspace,
    localized,
)

__all__ = [
    "MOVES", "MOVES_WITH_REASON", "AdoptionRollup", "AdoptionWeek", "Capability", "StandardDecision",
    "Tool", "ToolAlias", "ToolCapability", "ToolOwner", "Vendor", "Workspace", "localized",
    "normalized",
]  # fmt: skip
