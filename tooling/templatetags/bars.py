"""The drawings of this room."""

from django import template
from django.utils.safestring import SafeString

from hub.core.text import drawn
from tooling.queries import TeamBars

register = template.Library()


@register.simple_tag
def bars(teams: TeamBars) -> SafeString:
    """Draw the teams' bars of one tool. Written here and not as a loop: a page of tools has hundreds of them."""
    return drawn(
        '<rect class="teams__bar{}" x="{}" y="{}" width="10" height="{}"/>',
        ((" teams__bar--low" if bar.is_low else "", bar.x, bar.y, bar.height) for bar in teams.bars),
    )
