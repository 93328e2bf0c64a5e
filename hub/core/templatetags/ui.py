"""The small parts of every page: icon, avatar, badge, field."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """Draw the symbol `name` of `static/icons/icons.svg`; silent to readers unless `label` is given."""
    css = f"icon icon--{size}" if size else "icon"
    href = f"{static('icons/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first and last word of `name`, in capitals."""
    words = str(name).split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.simple_tag
def badge(tone: str, text: str, *, bare: bool = False) -> SafeString:
    """Say a state as word, shape and colour; `tone` is ok, warn, bad, info, neutral or none."""
    return format_html('<span class="badge badge--{}{}">{}</span>', tone, " badge--bare" if bare else "", text)


@register.simple_tag(takes_context=True)
def querystring_without(context: template.Context, name: str, value: str = "") -> str:
    """Return this page's query string less one filter (one `value` of it, or all), and on page one."""
    query = context["request"].GET.copy()
    kept = [v for v in query.getlist(name) if value and v != value]
    query.setlist(name, kept)
    if not kept:
        query.pop(name, None)
    query.pop("page", None)
    return f"?{query.urlencode()}"
