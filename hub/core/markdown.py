"""Markdown that people write, turned into HTML that can do no harm."""

import re
from functools import cache
from html import unescape
from itertools import chain, count
from typing import NamedTuple

import nh3
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt

LONGEST = 20_000  # characters; the fields that hold Markdown allow no more
TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


class Heading(NamedTuple):
    """A title of a text: its level (2 to 4), the id to link to, its words."""

    level: int
    anchor: str
    words: str


@cache
def _parser() -> MarkdownIt:
    """CommonMark with tables and strike-through, no raw HTML, and a limit on nesting: depth costs time."""
    options = {"html": False, "linkify": False, "maxNesting": 12}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


def render_markdown(text: str) -> SafeString:
    """Return `text` as HTML. Titles start at the second level, for a page has one first; images are left out."""
    tokens = _parser().parse(text[:LONGEST])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 4)}"
    html = _parser().renderer.render(tokens, _parser().options, {})
    safe = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer"
    )
    return mark_safe(_anchored(safe)[0])  # noqa: S308 nh3 has just allowed every tag in it


def contents_of(html: str) -> list[Heading]:
    """Return the titles of what `render_markdown` gave, in order, for a table of contents."""
    return _anchored(re.sub(r'<(h[234]) id="[^"]*">', r"<\1>", html))[1]


def _anchored(safe: str) -> tuple[str, list[Heading]]:
    """Give each title of cleaned HTML an id of our making: prefixed, so that it shadows nothing, and never twice."""
    found: list[Heading] = []
    taken: set[str] = set()

    def with_id(match: re.Match[str]) -> str:
        level, inner = match[1], match[2]
        words = unescape(strip_tags(inner))
        start = f"part-{slugify(words)[:60] or 'title'}"
        anchor = next(name for name in chain([start], (f"{start}-{n}" for n in count(2))) if name not in taken)
        taken.add(anchor)
        found.append(Heading(int(level), anchor, words))
        return f'<h{level} id="{anchor}">{inner}</h{level}>'

    return re.sub(r"<h([234])>(.*?)</h\1>", with_id, safe, flags=re.DOTALL), found
