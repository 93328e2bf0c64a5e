"""A swapped part must be what a fresh load of the same address shows, tag for tag."""

from html.parser import HTMLParser

VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
    "use",
    "path",
}
SVG_VOID = {"circle", "rect", "line", "polygon"}


class _Part(HTMLParser):
    """Cuts out the element with one id, as a list of tags and words."""

    def __init__(self, wanted):
        super().__init__()
        self.wanted, self.depth, self.pieces = wanted, 0, []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if not self.depth and values.get("id") != self.wanted:
            return
        if values.get("name") == "csrfmiddlewaretoken":
            values.pop("value", None)
        self.pieces.append((tag, tuple(sorted((key, value or "") for key, value in values.items()))))
        if tag not in VOID | SVG_VOID:
            self.depth += 1

    def handle_startendtag(self, tag, attrs):
        if self.depth:
            self.pieces.append((tag, tuple(sorted((key, value or "") for key, value in attrs))))

    def handle_endtag(self, tag):
        if self.depth and tag not in VOID | SVG_VOID:
            self.pieces.append(f"/{tag}")
            self.depth -= 1

    def handle_data(self, data):
        if self.depth and data.strip():
            self.pieces.append(" ".join(data.split()))


def part(html, name):
    """Return the element `name` of a page as comparable pieces; empty when it is not there."""
    reader = _Part(name)
    reader.feed(html if isinstance(html, str) else html.decode())
    return reader.pieces


def assert_swap_equals_page(client, url, name):
    """Ask for the partial `name` as htmx does, and for the whole page; both must show the same part, once."""
    swapped = client.get(url, headers={"HX-Request": "true", "HX-Target": name})
    whole = client.get(url)

    assert "<!doctype html>" not in swapped.content.decode().lower()
    assert part(swapped.content, name), f"the answer has no #{name}"
    assert part(swapped.content, name) == part(whole.content, name)
    assert whole.content.decode().count(f'id="{name}"') == 1
    assert {"HX-Request", "HX-Target"} <= {word.strip() for word in swapped.headers["Vary"].split(",")}
