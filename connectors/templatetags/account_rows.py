"""The rows of the list of accounts. Written here and not as a loop: a page has fifty of them, each with its fields."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from hub.core.templatetags.ui import badge, icon, part

if TYPE_CHECKING:
    from connectors.accounts.queries import Row
    from connectors.models import PersonAccount

register = template.Library()


@register.simple_tag
def account_rows(
    rows: Sequence["Row"], *, is_decided: bool, query: str = "", typed: Mapping[str, str] | None = None
) -> SafeString:
    """Draw accounts as rows of a table with a field for their person; an act on one returns to this page's `query`.

    `typed` holds what was typed before and named nobody, by field.
    """
    again = {field: f' value="{escape(text)}"' for field, text in (typed or {}).items()}
    tool, last_seen, hint, match, not_a_person = (
        escape(text) for text in (_("Tool"), _("Last seen"), _("E-mail or name"), _("Match"), _("Not a person"))
    )
    suggest = escape(reverse("accounts:suggest"))
    ignore = escape(reverse("accounts:account_ignore") + query)

    def drawn(row: "Row") -> str:
        account, key, name = row.account, row.key, escape(row.name)
        kind = part("connectors/accounts/kind.html", kind=account.kind)
        filled = again.get(f"person-{key}", "")
        spoken = f'<span class="visually-hidden">: {name}</span>'
        set_aside = (
            f' <button class="button button--small button--plain" type="submit" formaction="{ignore}" name="only"'
            f' value="{key}">{not_a_person}{spoken}</button>'
        )
        return (
            f'<tr><td class="match__check"><input type="checkbox" name="row" value="{key}" id="row-{key}"'
            f' aria-label="{escape(row.chooses)}"></td>'
            f'<th scope="row"><label class="table__main" for="row-{key}">{name}'
            f'<span class="table__sub">{known_by(account)}</span></label></th>'
            f'<td data-label="{tool}"><span>{escape(account.connection.label)}'
            f'<span class="table__sub">{kind}</span></span></td>'
            f'<td class="opt-2 muted" data-label="{last_seen}">{seen(account)}</td>'
            f'<td>{person(account) if is_decided else ""} <span class="match">{picks(row)}'
            f'<input class="input" type="text" name="person-{key}"{filled}'
            f' maxlength="254" list="people-{key}"'
            f' autocomplete="off" placeholder="{hint}" aria-label="{escape(row.asks)}" hx-get="{suggest}"'
            f' hx-trigger="input changed delay:200ms" hx-target="#people-{key}" hx-swap="innerHTML">'
            f' <datalist id="people-{key}"></datalist>'
            f' <button class="button button--small" type="submit" name="only" value="{key}">{match}{spoken}</button>'
            f"{'' if is_decided else set_aside}</span></td></tr>"
        )

    return mark_safe("\n".join(map(drawn, rows)))  # noqa: S308 every cell escapes what it writes


def known_by(account: "PersonAccount") -> str:
    """Draw what tells an account from its namesakes; a tool may hide both name and e-mail."""
    if account.email or account.name:
        return escape(account.email or account.external_id)
    return escape(_("The tool hides name and e-mail"))


def seen(account: "PersonAccount") -> str:
    """Draw the day on which it was last used."""
    if account.last_seen_at is None:
        return escape(_("Not known"))
    return escape(date_format(timezone.localtime(account.last_seen_at), "DATE_FORMAT"))


def person(account: "PersonAccount") -> str:
    """Draw whose it was said to be."""
    if account.person is None:
        return badge("neutral", _("Not a person"))
    return f'<a href="{escape(account.person.get_absolute_url())}">{escape(str(account.person))}</a>'


def picks(row: "Row") -> str:
    """Draw a button for each person it may belong to."""
    left = escape(_("left"))
    return "".join(
        f'<button class="button button--small" type="submit" name="pick" value="{row.key}:{one.person_id}"'
        f' title="{escape(one.email)}">{icon("check", "small")} {escape(one.name)}'
        f"{'' if one.is_active else f' ({left})'}"
        f'<span class="visually-hidden">: {escape(row.matches)}</span></button> '
        for one in row.suggestions
    )
