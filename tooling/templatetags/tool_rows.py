"""The rows of the list of tools. Written here and not as a loop: a page has fifty of them with seven cells each."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from hub.core.http import address_of
from hub.core.templatetags.ui import avatar, badge, muted, number, part
from hub.core.text import drawn
from tooling.queries import ListRow, TeamBars

register = template.Library()


@register.simple_tag
def tool_rows(rows: Sequence[ListRow], columns: Sequence[str], connect: str = "") -> SafeString:
    """Draw the tools as rows of a table with these columns; `connect` leads to where a source is connected."""
    page = address_of("tooling:tool_detail")
    every: Mapping[str, tuple[str, str, Callable[[ListRow], str]]] = {
        "for": (' class="opt-3"', pgettext("filter", "For"), job),
        "standing": ("", _("Standing"), lambda row: part("components/standing.html", ring=row.tool.ring, text="")),
        "lifecycle": (' class="opt-3"', _("Lifecycle"), lambda row: escape(row.tool.get_lifecycle_display())),
        "active": ("", _("Active in 30 days"), lambda row: use(row, connect)),
        "seats": (' class="num opt-2"', _("Seats in use"), seats),
        "owner": (' class="opt-3"', _("Owner"), owner),
    }
    chosen = [every[key] for key in columns]
    cells = [(f'<td{css} data-label="{escape(label)}">', draw) for css, label, draw in chosen]
    texts = (
        f"<tr>{name(row, page(row.tool.slug))}{''.join([f'{start}{draw(row)}</td>' for start, draw in cells])}</tr>"
        for row in rows
    )
    return mark_safe("\n".join(texts))  # noqa: S308 every cell escapes what it writes


def name(row: ListRow, url: str) -> str:
    """Draw the tool's own cell: its name, a word where it is not simply in use, what it is for."""
    tool, said = row.tool, ""
    if tool.is_starter:
        starter = _("Starter")
        said = f" {badge('none', starter)}"
    elif tool.is_over or tool.lifecycle == tool.Lifecycle.RETIRING:
        said = f" {badge('neutral', tool.get_lifecycle_display())}"
    return (
        '<th scope="row"><span class="named">'
        f'<span class="plate" aria-hidden="true">{escape(tool.name[:1].upper())}</span>'
        f'<span class="table__main"><a class="quiet-link" href="{escape(url)}">{escape(tool.name)}</a>{said}'
        f'<span class="table__sub tools__sub">{escape(tool.summary)}</span></span></span></th>'
    )


def job(row: ListRow) -> str:
    """Draw what the tool is mainly for."""
    return escape(row.job) if row.job else muted(_("not said"))


def use(row: ListRow, connect: str) -> str:
    """Draw how many use it, with the bars of the largest teams; where nothing says so, the way to connect it."""
    share, teams = row.use, row.bars
    if not share:
        way = f' · <a href="{escape(connect)}">{escape(_("Connect it"))}</a>' if connect else ""
        return muted(_("Not measured")) + way
    drawing = ""
    if teams:
        says = escape(teams.says)
        drawing = (
            f'<svg class="teams" viewBox="0 0 68 24" role="img" aria-label="{says}"><title>{says}</title>'
            f'{bars(teams)}<path class="teams__base" d="M-1 23.5H67"/></svg>'
        )
    return f'<span class="measure"><b>{escape(share)}</b>{drawing}</span>'


def bars(teams: TeamBars) -> SafeString:
    """Draw the teams' bars of one tool."""
    return drawn(
        '<rect class="teams__bar{}" x="{}" y="{}" width="10" height="{}"/>',
        ((" teams__bar--low" if bar.is_low else "", bar.x, bar.y, bar.height) for bar in teams.bars),
    )


def seats(row: ListRow) -> str:
    """Draw how many accounts are used; a dash, said aloud in words, where that is not measured."""
    if row.seats_used is None:
        return f'<span class="muted">—<span class="visually-hidden">{escape(_("Not measured"))}</span></span>'
    return escape(_("%(active)s of %(accounts)s") % {"active": number(row.seats_used), "accounts": number(row.seats)})


def owner(row: ListRow) -> str:
    """Draw the owner; a person's name leads to all of their tools."""
    if not row.owner:
        return muted(_("Nobody"))
    said = escape(row.owner)
    if row.owner_id:
        title = escape(_("Their tools"))
        said = f'<a class="quiet-link" href="?owner={row.owner_id}" title="{title}">{said}</a>'
    return f'<span class="who">{avatar(row.owner)} {said}</span>'
