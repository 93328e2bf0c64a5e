"""Telling the reader what happened, with a way back where there is one."""

from django.contrib import messages
from django.http import HttpRequest

LEVELS = {
    "info": messages.INFO,
    "success": messages.SUCCESS,
    "warning": messages.WARNING,
    "error": messages.ERROR,
}


def say(request: HttpRequest, text: str, *, level: str = "success", undo: str = "") -> None:
    """Show `text` on the next page; `undo` is an address that takes it back by POST."""
    messages.add_message(request, LEVELS[level], text, extra_tags=undo)
