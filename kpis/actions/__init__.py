"""What changes a metric or its values."""

from .links import link_project, unlink_project
from .metrics import CONTRACT, comment, edit_metric, set_target, take_back_comment, verify, withdraw_target
from .observations import Outcome, Recorded, Status, plan, record

__all__ = [
    "CONTRACT", "Outcome", "Recorded", "Status", "comment", "edit_metric", "link_project", "plan", "record",
    "set_target", "take_back_comment", "unlink_project", "verify", "withdraw_target",
]  # fmt: skip
