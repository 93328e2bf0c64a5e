"""The rows of a connection's streams. Written here and not as a loop: five tools have sixty, each with its acts."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Literal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.core.http import address_of
from hub.core.templatetags.ui import badge, icon, muted

from .moments import when

if TYPE_CHECKING:
    from connectors.queries import Source
    from connectors.queries.sources import StreamRow

register = template.Library()


@register.simple_tag(takes_context=True)
def stream_rows(context: Context, source: "Source", origin: Literal["list", "detail"], *, may_run: bool) -> SafeString:
    """Draw the streams of `source`; an act returns to its `origin`."""
    rows = Rows(source, origin, str(context["csrf_token"]), may_act=may_run and not source.is_moving)
    return mark_safe("\n".join(rows.drawn()))  # noqa: S308 every cell escapes what it writes


class Rows:
    """Draws the rows of one connection; what they share is looked up once."""

    def __init__(self, source: "Source", origin: str, token: str, *, may_act: bool) -> None:
        connection = source.connection
        self.source, self.may_act, self.may_run = source, may_act, source.may_run
        self.pk, self.name = connection.pk, connection.label
        self.hidden = (
            f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(token)}">'
            f'<input type="hidden" name="from" value="{escape(origin)}">'
        )
        self.page = address_of("connectors:stream_detail", self.pk)
        self.pause = address_of("connectors:stream_switch", self.pk, after=[0])
        self.resume = address_of("connectors:stream_switch", self.pk, after=[1])
        self.run = reverse("connectors:connection_run", args=[self.pk])
        self.back_fill = reverse("connectors:connection_back_fill", args=[self.pk])
        self.labels = [
            escape(text)
            for text in (_("State"), _("Last good run"), _("What the last run brought"), _("Next run"))
        ]  # fmt: skip
        self.moment = cache(moment)  # streams of one run have most of theirs in common
        self.feeds, self.unread, self.nothing = _("feeds %(what)s"), muted(_("Not yet")), muted(_("Nothing yet"))
        self.pausing = line("clock", _("Pause"))
        self.back_filling = line("renew", _("Back-fill since…"))
        self.looking = line("document", _("Runs and records"))
        self.running, self.running_aloud = escape(_("Run now")), _("Run now: %(stream)s of %(name)s")
        self.resuming, self.resuming_aloud = escape(_("Resume")), _("Resume: %(stream)s of %(name)s")
        self.more_aloud = _("More: %(stream)s of %(name)s")

    def drawn(self) -> Iterator[str]:
        state, good, brought, following = self.labels
        for row in self.source.rows:
            yield (
                f'<tr><th scope="row">{self.stream(row)}</th>'
                f'<td class="sync-state" data-label="{state}"><span>{self.state(row)}</span></td>'
                f'<td class="sync-good" data-label="{good}">{self.last_good(row)}</td>'
                f'<td class="note-cell" data-label="{brought}"><span>{self.brought(row)}</span></td>'
                f'<td class="opt-2 sync-next" data-label="{following}">{self.following(row)}</td>'
                f'<td class="end">{self.acts(row) if self.may_act else ""}</td></tr>'
            )

    def stream(self, row: "StreamRow") -> str:
        feeds = self.feeds % {"what": row.stream.feeds}
        return (
            f'<a class="table__main quiet-link" href="{self.page(row.stream.name)}">'
            f'{escape(capfirst(str(row.stream.label)))}</a><span class="table__sub">{escape(feeds)}</span>'
        )

    def state(self, row: "StreamRow") -> str:
        waits = f'<span class="table__sub">{escape(row.waits)}</span>' if row.waits else ""
        return badge(row.said.tone, str(row.said.text)) + waits

    def last_good(self, row: "StreamRow") -> str:
        if row.last_good is None:
            return self.unread
        return self.moment(row.last_good, css=' class="stale"' if row.is_stale else "")

    def brought(self, row: "StreamRow") -> str:
        said = escape(row.changed) if row.changed else self.nothing
        parts = [escape(row.in_all)] if row.in_all else []
        if row.refused:
            text = ngettext("%(number)s set aside", "%(number)s set aside", row.refused)
            text = escape(text % {"number": intcomma(row.refused)})
            parts.append(f'<a href="{self.page(row.stream.name)}#refused">{text}</a>')
        return said + (f'<span class="table__sub">{" · ".join(parts)}</span>' if parts else "")

    def following(self, row: "StreamRow") -> str:
        return escape(row.next_text) or (self.moment(row.next_run) if row.next_run else "")

    def acts(self, row: "StreamRow") -> str:
        key, of = row.stream.name, {"stream": str(row.stream.label), "name": self.name}
        if row.is_paused:
            button = self.button(f"resume-{self.pk}-{key}", self.resuming_aloud % of, self.resuming)
            return f'<span class="source__acts">{self.form(self.resume(key), button)}</span>'
        acts = ""
        if self.may_run:
            button = self.button(f"run-{self.pk}-{key}", self.running_aloud % of, self.running)
            acts = self.form(self.run, f'<input type="hidden" name="stream" value="{key}">{button}')
        menu = self.form(self.pause(key), f'<button type="submit">{self.pausing}</button>')
        if row.may_back_fill and self.may_run:
            menu += f'<a href="{self.back_fill}?stream={key}">{self.back_filling}</a>'
        menu += f'<a href="{self.page(key)}">{self.looking}</a>'
        return (
            f'<span class="source__acts">{acts}<button class="button button--small button--plain button--icon"'
            f' type="button" popovertarget="more-{self.pk}-{key}" aria-label="{escape(self.more_aloud % of)}">'
            f'{icon("more")}</button><div class="menu menu--row" id="more-{self.pk}-{key}" popover>{menu}</div></span>'
        )

    def form(self, url: str, content: str) -> str:
        return f'<form method="post" action="{url}">{self.hidden}{content}</form>'

    def button(self, key: str, aloud: str, text: str) -> str:
        said = f'id="{key}" aria-label="{escape(aloud)}"'
        return f'<button class="button button--small" type="submit" {said}>{text}</button>'


def line(symbol: str, text: str) -> str:
    """Draw what a line of a menu says."""
    return f"{icon(symbol)} {escape(text)}"


def moment(at: datetime, css: str = "") -> str:
    return f'<time datetime="{timezone.localtime(at).isoformat()}"{css}>{escape(when(at))}</time>'
