"""Asking for the record in a page."""

from django import template
from django.db.models import Model

from hub.activity import queries

register = template.Library()


@register.simple_tag(takes_context=True)
def changes_of(context: template.Context, thing: Model, limit: int = 20) -> queries.Changes:
    """Return what happened to `thing`; `?changes=` names the page. For rooms that stand below the record."""
    return queries.changes_of(thing, limit, context["request"].GET.get("changes"))
