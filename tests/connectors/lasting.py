"""Faults of a tool, told one by one: what the hub calls each where it lasts all night, and which may pass unnoticed."""

from connectors.base import FailureClass

# None: the night is as good as any other. A tool says for itself where it differs
LASTING = {
    "unauthorized": FailureClass.AUTH_INVALID,
    "forbidden": FailureClass.SCOPE_MISSING,
    "feature": FailureClass.STREAM_UNAVAILABLE,
    "limited": FailureClass.RATE_LIMITED,
    "limited_edge": FailureClass.RATE_LIMITED,
    "status": FailureClass.SOURCE_DOWN,
    "internal": FailureClass.SOURCE_DOWN,
    "edge_html": FailureClass.SOURCE_DOWN,
    "rejected": FailureClass.QUERY_REJECTED,
    "reset_before": FailureClass.SOURCE_DOWN,
    "reset_inside": FailureClass.SOURCE_DOWN,
    "truncated": FailureClass.BAD_PAYLOAD,
    "gzip_garbage": FailureClass.BAD_PAYLOAD,
    "empty": FailureClass.BAD_PAYLOAD,
    "not_an_object": FailureClass.BAD_PAYLOAD,
    "partial": FailureClass.SOURCE_DOWN,
    "cursor_expired": FailureClass.QUERY_REJECTED,
    "cursor_loop": FailureClass.SOURCE_MISBEHAVES,
    "empty_page": FailureClass.QUERY_REJECTED,  # where it leads is no page, and that is refused
    "field_missing": FailureClass.SCHEMA_DRIFT,
    "field_renamed": FailureClass.SCHEMA_DRIFT,
    "type_changed": FailureClass.SCHEMA_DRIFT,
    "big_string": FailureClass.BAD_PAYLOAD,  # a hundred of them are more than an answer may weigh
    "content_type": None,
    "trickle": None,
    "slow": None,
    "duplicate_row": None,
    "edit_during_paging": None,
    "new_enum": None,
    "strange_text": None,
}
# Once, and asking again brings the whole list
PASSING = (
    "status", "internal", "edge_html", "reset_before", "reset_inside", "truncated", "empty", "gzip_garbage",
    "not_an_object", "partial", "limited", "limited_edge", "cursor_expired", "duplicate_row", "edit_during_paging",
)  # fmt: skip
BRIEF = {
    "slow": {"seconds": 0.05},
    "trickle": {"seconds": 0.1},
    "limited": {"retry_after": 1},
    "limited_edge": {"retry_after": 1},
}


def named(lasting):
    """Return the faults that stop a stream when they last."""
    return [action for action, kind in lasting.items() if kind is not None]


def odd(lasting):
    """Return the faults that stop nothing, however long they last."""
    return [action for action, kind in lasting.items() if kind is None]
