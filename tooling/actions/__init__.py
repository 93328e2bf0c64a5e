"""Acts on tools: atomic, told who acts, and on the record."""

from .tools import (
    MoveNotAllowed,
    NothingToUndo,
    ReasonMissing,
    create_tool,
    decide,
    edit_tool,
    hand_over,
    move,
    undo,
)
from .workspaces import workspace_of

__all__ = [
    "MoveNotAllowed", "NothingToUndo", "ReasonMissing", "create_tool", "decide", "edit_tool", "hand_over", "move",
    "undo", "workspace_of",
]  # fmt: skip
