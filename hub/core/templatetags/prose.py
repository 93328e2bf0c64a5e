"""Running text in a page."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hub.core.markdown import contents_of, render_markdown

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """Render Markdown that a person wrote, safely."""
    return render_markdown(str(text or ""))


@register.filter
def contents(text: str) -> SafeString:
    """List the titles of the same Markdown as links into it; nothing when there are fewer than two."""
    found = contents_of(render_markdown(str(text or "")))
    if len(found) < 2:
        return SafeString("")
    rows = format_html_join("", '<li><a href="#{}">{}</a></li>', ((title.anchor, title.words) for title in found))
    return format_html('<ul class="toc" role="list">{}</ul>', rows)
