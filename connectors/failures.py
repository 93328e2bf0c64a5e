"""Why a stream stopped, in words: for each failure class one sentence and one thing to do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .base import FailureClass as Why


@dataclass(frozen=True)
class Explained:
    """What a person reads. `action` is empty where nothing can or need be done."""

    title: str | Promise
    sentence: str | Promise  # with %(service)s
    action: str | Promise
    act: str = ""  # which button: edit, run, look, confirm, wait
    is_retried: bool = False  # the hub tries again by itself


EXPLAINED: dict[str, Explained] = {
    Why.AUTH_INVALID: Explained(
        _("Token refused"),
        _("%(service)s refuses our token. Nothing is lost: figures keep their last good value, with its date."),
        _("Enter a new token; the missing days are then fetched."),
        act="edit",
    ),
    Why.SCOPE_MISSING: Explained(
        _("A right is missing"),
        _("The token of %(service)s may not read this. What was read before is kept."),
        _("Give the token the rights listed in the settings, or enter another one."),
        act="edit",
    ),
    Why.RATE_LIMITED: Explained(
        _("Waiting for the source"),
        _("%(service)s asked us to slow down. The sync goes on by itself where it stopped."),
        _("Nothing to do."),
        act="wait",
        is_retried=True,
    ),
    Why.SOURCE_DOWN: Explained(
        _("Source not reachable"),
        _("%(service)s does not answer, or answers with an error of its own. What was read is kept."),
        _("Nothing to do: the hub tries again by itself."),
        act="run",
        is_retried=True,
    ),
    Why.SOURCE_SLOW: Explained(
        _("Source too slow"),
        _("%(service)s takes too long to answer. What was read is kept."),
        _("Nothing to do: the hub tries again by itself."),
        act="run",
        is_retried=True,
    ),
    Why.BAD_PAYLOAD: Explained(
        _("Unreadable answer"),
        _("%(service)s sent something that can’t be read, several times in a row. Nothing of it was stored."),
        _("The hub tries again by itself; if it lasts, tell the maintainers of the hub."),
        act="run",
        is_retried=True,
    ),
    Why.SCHEMA_DRIFT: Explained(
        _("The data changed its shape"),
        _("Too many records of %(service)s do not look as they must. The good ones were stored, the others set aside."),
        _("Look at the records set aside, and tell the maintainers of the hub."),
        act="look",
    ),
    Why.QUERY_REJECTED: Explained(
        _("Question not understood"),
        _("%(service)s does not understand our question: it changed its interface."),
        _("Install a newer release of the hub."),
    ),
    Why.STREAM_UNAVAILABLE: Explained(
        _("Not available"),
        _("%(service)s does not offer this with your plan or token. The other streams are not affected."),
        _("Nothing to do, or change the plan or the token."),
    ),
    Why.SWEEP_IMPLAUSIBLE: Explained(
        _("Many records are gone"),
        _("%(service)s no longer lists over a fifth of what it listed before. Nothing was marked as deleted."),
        _("Check in %(service)s whether this is right, then confirm."),
        act="confirm",
    ),
    Why.SOURCE_MISBEHAVES: Explained(
        _("The source goes in circles"),
        _("%(service)s sends the same pages again and again, or leads elsewhere. The sync was stopped."),
        _("Try again later; if it lasts, tell the maintainers of the hub."),
        act="run",
        is_retried=True,
    ),
    Why.BUDGET_EXHAUSTED: Explained(
        _("Budget used up"),
        _("The requests that %(service)s allows us are used up for now. The sync goes on by itself where it stopped."),
        _("Nothing to do."),
        act="wait",
        is_retried=True,
    ),
    Why.BUG: Explained(
        _("An error of the hub"),
        _("The hub made a mistake while reading %(service)s. What was stored before is not affected."),
        _("Tell the maintainers of the hub; then try again."),
        act="run",
        is_retried=True,
    ),
}

# The same as AUTH_INVALID for a source that was never read: there is no value to keep yet
NEVER_LET_IN = Explained(
    _("Token refused"),
    _("%(service)s refuses the token that was entered, so nothing was read yet."),
    _("Enter it again, or make another one in the tool."),
    act="edit",
)


def explain(failure: str) -> Explained:
    """Return the words for a failure class; one of an older release reads as an error of ours."""
    return EXPLAINED.get(failure, EXPLAINED[Why.BUG])
