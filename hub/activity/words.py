"""Acts in words: what the timeline says for each verb that a room records."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_words: dict[str, str | Promise] = {
    "created": _("Created"),
    "changed": _("Changed"),
    "edited": _("Changed"),
    "updated": _("Changed"),
    "archived": _("Archived"),
    "restored": _("Restored"),
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


def verb_in_words(verb: str) -> str:
    """Return `verb` as a person reads it; an unknown one is shown as it was recorded."""
    return str(_words.get(verb) or verb.replace("_", " ").capitalize())
