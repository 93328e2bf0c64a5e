"""Telling a person what was just done, with a way back where there is one."""

from django.contrib import messages
from django.http import HttpRequest

LEVELS = {
    "info": messages.INFO,
    "success": messages.SUCCESS,
    "warning": messages.WARNING,
    "error": messages.ERROR,
}


def say(request: HttpRequest, text: str, *, level: str = "success", undo: str = "") -> None:
    """Show `text`, one whole sentence, on the reader's next page or in this htmx answer.

    `level` is info, success, warning or error. `undo` is the path of an address of ours that takes the act back
    by POST; the message then carries a button for it.
    """
    if undo and not undo.startswith("/"):
        raise ValueError(f"an undo address is a path of this site, not {undo!r}")
    messages.add_message(request, LEVELS[level], text, extra_tags=undo)
