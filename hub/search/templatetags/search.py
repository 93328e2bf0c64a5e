"""Showing why a thing was found."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def marked(title: str, words: str) -> SafeString:
    """Mark the first place in `title` where the words typed stand, whatever their case."""
    title = str(title)
    if not words:
        return format_html("{}", title)
    pieces = re.split(f"({re.escape(words)})", title, maxsplit=1, flags=re.IGNORECASE)
    if len(pieces) == 1:
        return format_html("{}", title)
    before, found, after = pieces
    return format_html("{}<mark>{}</mark>{}", before, found, after)
