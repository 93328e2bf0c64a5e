"""The small parts of every page: icon, badge, avatar, moments and figures in the reader's language."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from hub.core.text import drawn, word_diff

register = template.Library()

NO_BREAK = "\u00a0"
SELECTED = mark_safe(" selected")
Number = int | float | Decimal


# ---------------------------------------------------------------- parts


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """Draw the symbol `name` of `static/icons/icons.svg`; silent to readers unless `label` is given."""
    if not label:
        return _silent_icon(name, size)
    css = f"icon icon--{size}" if size else "icon"
    return format_html(
        '<svg class="{}" width="18" height="18" role="img" aria-label="{}"><use href="{}"/></svg>',
        css,
        label,
        f"{static('icons/icons.svg')}#{name}",
    )


@lru_cache(maxsize=256)
def _silent_icon(name: str, size: str) -> SafeString:
    """Draw an icon once for all pages: names and sizes are words of templates, and a page has dozens of them."""
    css = f"icon icon--{size}" if size else "icon"
    href = f"{static('icons/icons.svg')}#{name}"
    return format_html('<svg class="{}" width="18" height="18" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.simple_tag
def options(choices: Iterable[tuple[object, object]], chosen: object = "") -> SafeString:
    """List `choices`, pairs of value and words, for a select; `chosen` is one value or several.

    Written here and not as a loop: a company has hundreds of teams, and each would cost a template.
    """
    wanted = {str(one) for one in chosen} if isinstance(chosen, list | tuple | set) else {str(chosen)}
    return drawn(
        '<option value="{}"{}>{}</option>',
        ((value, SELECTED if str(value) in wanted else "", text) for value, text in choices),
    )


@register.simple_tag
def link_lines(pairs: Iterable[tuple[str, str]]) -> SafeString:
    """List `pairs` of address and words as the lines of a list; written here for the same reason."""
    return drawn('<li><a class="quiet-link" href="{}">{}</a></li>', pairs)


@register.simple_tag
def widget_options(options: Iterable[dict[str, Any]]) -> SafeString:
    """List the options of a form's select, as `django/forms/widgets/select_option.html` would one by one."""
    return format_html_join(
        "",
        '\n  <option value="{}"{}>{}</option>',
        ((str(option["value"]), _attributes(option["attrs"]), formats.localize(option["label"])) for option in options),
    )


def _attributes(attrs: dict[str, Any]) -> SafeString:
    """Write a widget's attributes; True stands alone, False is left out."""
    if attrs == {"selected": True}:
        return SELECTED
    return format_html_join(
        "",
        "{}{}",
        (
            (f" {name}", "" if value is True else format_html('="{}"', str(value)))
            for name, value in attrs.items()
            if value is not False
        ),
    )


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first and last word of `name`, in capitals."""
    words = str(name).split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.simple_tag
def avatar(name: str, size: str = "") -> SafeString:
    """Draw a person's initials; silent to readers, so put the name beside it. `size` is big or nothing."""
    css = f"avatar avatar--{size}" if size else "avatar"
    return drawn('<span class="{}" aria-hidden="true">{}</span>', [(css, initials(name))])


@register.simple_tag
def avatars(names: list[str], limit: int = 5) -> SafeString:
    """Stack the initials of several people; a reader hears every name."""
    shown = format_html_join("", "{}", ((avatar(name),) for name in names[:limit]))
    rest = len(names) - limit
    more = format_html('<span class="avatar" aria-hidden="true">+{}</span>', rest) if rest > 0 else ""
    return format_html('<span class="avatars" role="img" aria-label="{}">{}{}</span>', ", ".join(names), shown, more)


@register.simple_tag
def badge(tone: str, text: str, *, bare: bool = False) -> SafeString:
    """Say a state as word, shape and colour; `tone` is ok, warn, bad, info, neutral or none."""
    return format_html('<span class="badge badge--{}{}">{}</span>', tone, " badge--bare" if bare else "", text)


@register.simple_tag
def part(template: str, **values: str) -> SafeString:
    """Include `template`, drawn once for all rows of all lists: only for words of ours, such as a state's key.

    What people wrote has no end of values and may be marked as safe: it goes through `include`.
    """
    return _part(template, get_language() or "", tuple((name, str(value)) for name, value in values.items()))


@lru_cache(maxsize=256)
def _part(template: str, language: str, values: tuple[tuple[str, str], ...]) -> SafeString:
    return render_to_string(template, dict(values))


@register.simple_block_tag
def wrap(content: str, tag: str, css: str) -> SafeString:
    """Put `content` into one element, or leave the element out when there is nothing to put."""
    if not content.strip():
        return mark_safe("")
    return format_html('<{} class="{}">{}</{}>', tag, css, content, tag)


@register.simple_block_tag
def note(content: str, tone: str = "info") -> SafeString:
    """Say something that stays in the page; `tone` is info, ok, warn or bad. A third element is its action."""
    name = "check" if tone == "ok" else "alert"
    role = mark_safe(' role="alert"') if tone == "bad" else ""
    return format_html('<div class="note note--{}"{}>{}{}</div>', tone, role, icon(name), content)


@register.simple_block_tag
def card(content: str, css: str = "") -> SafeString:
    """Box what can be picked up and acted on."""
    return format_html('<div class="card{}">{}</div>', f" {css}" if css else "", content)


@register.simple_block_tag
def dialog(content: str, name: str, title: str) -> SafeString:
    """Hold a question until a button with `popovertarget="name"` asks it; it opens without any script."""
    return mark_safe(  # noqa: S308 the template escapes name and title; the content is a rendered template
        render_to_string("components/dialog.html", {"name": name, "title": title, "content": content})
    )


@register.filter
def diff(after: str, before: str) -> SafeString:
    """Show word by word how `before` became `after`: `{{ new|diff:old }}`."""
    words = {"ins": _("Added:"), "del": _("Removed:")}
    pieces = [
        format_html(
            '<{} class="diff__word"><span class="visually-hidden">{} </span>{}</{}>', kind, words[kind], text, kind
        )
        if kind
        else format_html("{}", text)
        for kind, text in word_diff(str(before or ""), str(after or ""))
    ]
    return format_html('<span class="diff">{}</span>', format_html_join(" ", "{}", ((piece,) for piece in pieces)))


# ---------------------------------------------------------------- addresses


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


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: template.Context, key: str, text: str, now: str, css: str = "") -> dict[str, object]:
    """Head a column with a link that sorts by it; a second click turns the order round. `now` is "name" or "-name"."""
    direction = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    query = context["request"].GET.copy()
    query["sort"] = f"-{key}" if direction == "ascending" else key
    query.pop("page", None)
    return {"text": text, "css": css, "direction": direction, "href": f"?{query.urlencode()}"}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: object, target: str = "") -> dict[str, object]:
    """Link the pages of a list; `target` is the id of the partial that htmx swaps."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    rest = query.urlencode()
    return {"page": page, "target": target, "start": f"?{rest}&page=" if rest else "?page="}


# ---------------------------------------------------------------- moments and figures


@register.filter
def ago(moment: datetime | date | None) -> SafeString:
    """Say in words how long ago `moment` was; the exact moment is in the title. None is "never"."""
    if moment is None:
        return format_html("{}", pgettext("a moment that has not come yet", "never"))
    if isinstance(moment, datetime):
        exact = formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    else:
        exact = formats.date_format(moment, "DATE_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, age_in_words(moment))


def age_in_words(moment: datetime | date, *, now: datetime | None = None) -> str:
    """Return "3 days ago" in the active language; a moment to come is "in 3 days". Days are calendar days here."""
    now = timezone.localtime(now)
    if isinstance(moment, datetime):
        moment = timezone.localtime(moment)
        gap = now - moment
        if abs(gap) < timedelta(minutes=1):
            return _("just now")
        if abs(gap) < timedelta(hours=1):
            return _said(round(gap / timedelta(minutes=1)), "minute")
        if abs(gap) < timedelta(hours=12) or moment.date() == now.date():
            return _said(round(gap / timedelta(hours=1)), "hour")
        moment = moment.date()
    days = (now.date() - moment).days
    if abs(days) <= 1:
        return {0: _("today"), 1: _("yesterday"), -1: _("tomorrow")}[days]
    unit, length = ("day", 1.0) if abs(days) < 45 else ("month", 30.44) if abs(days) < 548 else ("year", 365.25)
    return _said(round(days / length), unit)


def _said(count: int, unit: str) -> str:
    """Say `count` units ago, or ahead when it is below nought."""
    ahead, count = count < 0, abs(count)
    sentences = {
        "minute": (
            ngettext("%(count)s minute ago", "%(count)s minutes ago", count),
            ngettext("in %(count)s minute", "in %(count)s minutes", count),
        ),
        "hour": (
            ngettext("%(count)s hour ago", "%(count)s hours ago", count),
            ngettext("in %(count)s hour", "in %(count)s hours", count),
        ),
        "day": (
            ngettext("%(count)s day ago", "%(count)s days ago", count),
            ngettext("in %(count)s day", "in %(count)s days", count),
        ),
        "month": (
            ngettext("%(count)s month ago", "%(count)s months ago", count),
            ngettext("in %(count)s month", "in %(count)s months", count),
        ),
        "year": (
            ngettext("%(count)s year ago", "%(count)s years ago", count),
            ngettext("in %(count)s year", "in %(count)s years", count),
        ),
    }
    return sentences[unit][ahead] % {"count": count}


def muted(text: str) -> SafeString:
    """Draw words that stand where there is nothing to show."""
    return format_html('<span class="muted">{}</span>', text)


@register.filter
def number(value: Number | None, places: int = 0) -> str:
    """Write a figure as the reader's language does: 12,345.6 or 12 345,6. None is "not measured"."""
    return _("not measured") if value is None else _spelled(value, places, get_language())


@lru_cache(maxsize=8192, typed=True)  # a dashboard writes hundreds of figures, the same ones for every reader
def _spelled(value: Number, places: int, _language: str | None) -> str:
    return formats.number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True)


def short_day(day: date | datetime) -> str:
    """Write a day without its year: 15 Mar."""
    return _short(timezone.localtime(day).date() if isinstance(day, datetime) else day, get_language())


@lru_cache(maxsize=2048)
def _short(day: date, _language: str | None) -> str:
    form = formats.get_format("SHORT_DATE_FORMAT").removesuffix(" Y")  # “22 Nov”, in French “22 nov.”
    return formats.date_format(day, form)


@register.filter
def percent(rate: Number | None, places: int = 0) -> str:
    """Write a rate from 0 to 1 as a percentage: 12.5% or 12,5 %. None is "not measured"."""
    if rate is None:
        return _("not measured")
    return pgettext("a percentage", "%(figure)s%%") % {"figure": number(Decimal(str(rate)) * 100, places)}


@register.filter
def duration(value: timedelta | None) -> str:
    """Write a span in its largest fitting unit: 45 s, 12 min, 3.5 h, 8.2 d. None is "not measured"."""
    if value is None:
        return _("not measured")
    seconds = value.total_seconds()
    if abs(seconds) < 60:
        return _("%(figure)s s") % {"figure": number(round(seconds))}
    if abs(seconds) < 3600:
        return _("%(figure)s min") % {"figure": number(round(seconds / 60))}
    if abs(seconds) < 86_400:
        return _("%(figure)s h") % {"figure": number(seconds / 3600, 1)}
    return _("%(figure)s d") % {"figure": number(seconds / 86_400, 1)}
