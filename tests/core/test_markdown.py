"""Markdown that people write can do no harm."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.markdown import ATTRIBUTES, LONGEST, TAGS, contents_of, render_markdown

PIECES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVa\tScript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "![x](javascript:alert(1))",
    "<a href='vbscript:x'>x</a>",
    "<svg onload=alert(1)>",
    '<div hx-get="/x" hx-trigger="load">',
    "<iframe srcdoc='<script>1</script>'>",
    "[x](data:text/html,<script>1</script>)",
    "<style>*{}</style>",
    "<form action=//evil><button>",
    "[x]: javascript:alert(1)\n[x]",
    "<!--><script>",
    "`",
    "```html\n",
    "<math><mi//xlink:href='data:x,1'>",
    "# title\n",
    "> ",
    "| a |\n|---|\n",
    '" onmouseover="x',
    "[a](x 'on=\"1')",
    "\\",
    "&lt;",
    "<b id=main data-hx-post=/x class=toast style=color:red>",
    "<details open ontoggle=x>",
    "**",
    "~~",
    "\n\n",
    "- ",
]
sources = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=14).map("".join)


class Reader(HTMLParser):
    """Notes every tag and attribute as a browser would."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, attrs))

    handle_startendtag = handle_starttag


def assert_harmless(html):
    reader = Reader()
    reader.feed(html)
    for tag, attrs in reader.seen:
        assert tag in TAGS
        for name, value in attrs:
            own_id = name == "id" and tag in ("h2", "h3", "h4") and value.startswith("part-")
            assert own_id or name in ATTRIBUTES.get(tag, set()) | {"rel"}, (tag, name)
            if name == "href":
                scheme = re.match(r"[\s\x00-\x1f]*([a-z][a-z0-9+.\s-]*):", value or "", re.IGNORECASE)
                assert scheme is None or scheme[1].lower() in ("http", "https", "mailto"), value


@pytest.mark.parametrize("source", PIECES)
def test_no_known_trick_survives(source):
    assert_harmless(render_markdown(source))


@given(sources)
def test_no_mixture_survives(source):
    assert_harmless(render_markdown(source))


def test_titles_have_anchors_that_never_clash():
    html = render_markdown("# Why\n\n# Why\n\n## How *far*\n\n# main")

    assert re.findall(r'<h(\d) id="([^"]+)"', html) == [
        ("2", "part-why"), ("2", "part-why-2"), ("3", "part-how-far"), ("2", "part-main"),
    ]  # fmt: skip
    assert [(title.level, title.words) for title in contents_of(html)] == [
        (2, "Why"), (2, "Why"), (3, "How far"), (2, "main"),
    ]  # fmt: skip


def test_a_long_text_is_cut():
    assert len(render_markdown("a" * (LONGEST + 5000))) < LONGEST + 100
