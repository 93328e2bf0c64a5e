"""Acts in words: what the timeline says for each verb that a room records."""

from collections.abc import Callable, Collection, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_words: dict[str, str | Promise] = {
    "created": _("Created"),
    "changed": _("Changed"),
    "edited": _("Changed"),
    "updated": _("Changed"),
    "archived": _("Archived"),
    "restored": _("Restored"),
    "comment_taken_back": _("Comment taken back"),
    "deleted": _("Deleted"),
    "imported": _("Imported"),
    "undone": _("Undone"),
    "invited": _("Invited"),
    "invited_again": _("Invited again"),
    "revoked_invitation": _("Invitation taken back"),
    "accepted_invitation": _("Invitation accepted"),
    "deactivated": _("Access closed"),
    "reactivated": _("Access reopened"),
    "joined_team": _("Joined a team"),
    "changed_team": _("Membership changed"),
    "matched": _("Account matched"),
    "ignored": _("Account set aside"),
    "unmatched": _("Account no longer matched"),
    "mapped": _("Team tied"),
}


def name_verbs(**words: str | Promise) -> None:
    """Tell how a room's own verbs read; call it from the room's `apps.py` `ready()`."""
    _words.update(words)


Names = Callable[[Collection[str]], Mapping[str, str]]
_recorded: dict[tuple[str, str], tuple[str | Promise, Names | None]] = {}


def name_recorded(kind: str, field: str, label: str | Promise, names: Names | None = None) -> None:
    """Tell how a recorded name that is no field of its model reads, and where slugs under it have their names from.

    `names` returns, for slugs, those names that it knows, in the reader's language; call this as `name_verbs`.
    """
    _recorded[kind, field] = (label, names)


def label_of_recorded(kind: str, field: str) -> str:
    """Return what a room calls a recorded name; empty where none told."""
    label, _names = _recorded.get((kind, field), ("", None))
    return str(label)


def names_of_recorded(kind: str, field: str, slugs: Collection[str]) -> Mapping[str, str]:
    """Return the names behind recorded slugs; empty where no room knows any."""
    _label, names = _recorded.get((kind, field), ("", None))
    return names(slugs) if names and slugs else {}


def verb_in_words(verb: str) -> str:
    """Return `verb` as a person reads it; an unknown one is shown as it was recorded."""
    return str(_words.get(verb) or verb.replace("_", " ").capitalize())
