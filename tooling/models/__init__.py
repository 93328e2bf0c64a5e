"""Tables of the tools room."""

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
    normalized,
)

__all__ = [
    "MOVES", "MOVES_WITH_REASON", "AdoptionRollup", "AdoptionWeek", "Capability", "StandardDecision",
    "Tool", "ToolAlias", "ToolCapability", "ToolOwner", "Vendor", "Workspace", "localized",
    "normalized",
]  # fmt: skip
