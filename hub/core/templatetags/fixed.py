"""Fixed words and fixed addresses, drawn once instead of once for each row of each page.

Stands in for Django's `url` and for `{% load i18n %}` (settings); what is not said here is Django's own.
"""

from collections.abc import Callable, Hashable

from django.template import Library, Node, defaulttags
from django.template.base import Parser, Token
from django.template.context import Context
from django.templatetags import i18n
from django.urls import get_script_prefix, get_urlconf
from django.utils.translation import get_language

register = Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class Fixed(Node):
    """Draws a node that only changes with what `depends_on` returns, once for each."""

    def __init__(self, node: Node, depends_on: Callable[[], Hashable]) -> None:
        self.node = node
        self.depends_on = depends_on
        self.drawn: dict[Hashable, str] = {}

    def render(self, context: Context) -> str:
        key = self.depends_on()
        if key not in self.drawn:
            self.drawn[key] = self.node.render(context)
        return self.drawn[key]


@register.tag("trans")
@register.tag("translate")
def translate(parser: Parser, token: Token) -> Node:
    """Read `{% translate … %}`; what names a variable, or keeps its words for later, stays as Django has it."""
    node = i18n.do_translate(parser, token)
    words, context = node.filter_expression, node.message_context
    is_literal = getattr(words.var, "literal", None) is not None and not words.filters
    if is_literal and not node.asvar and (context is None or isinstance(context.var, str)):
        return Fixed(node, get_language)
    return node


@register.tag
def url(parser: Parser, token: Token) -> Node:
    """Read `{% url … %}`; one with arguments, or kept for later, stays as Django has it."""
    node = defaulttags.url(parser, token)
    if isinstance(node.view_name.var, str) and not (node.args or node.kwargs or node.asvar):
        return Fixed(node, lambda: (get_urlconf(), get_script_prefix()))
    return node
