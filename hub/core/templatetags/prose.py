"""Running text in a page."""

from django import template
from django.utils.safestring import SafeString

from hub.core.markdown import render_markdown

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """Render Markdown that a person wrote, safely."""
    return render_markdown(str(text or ""))
