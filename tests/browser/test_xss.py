"""What people and sources write is shown as they wrote it, and never runs."""

from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.safestring import mark_safe

from hub.core.templatetags import prose
from kpis.models import Comment
from tests.browser.payloads import DANGEROUS, payloads
from tests.kpis.factories import MetricFactory
from tests.numbers import times
from tests.pages import page_cases
from tooling.models import Capability, Tool, ToolAlias, ToolCapability, Vendor

pytestmark = pytest.mark.browser
PIECES = payloads()
A_PAGE_OF_TOOLS = 50
PROVOKE = """() => {
  for (const node of document.querySelectorAll(".prose, .prose *"))
    for (const name of ["mouseover", "focus", "pointerenter", "toggle", "animationstart", "error", "load"])
      node.dispatchEvent(new Event(name));
}"""


@pytest.fixture
def hostile_tools(transactional_db):
    """As many tools as there are payloads; every text of theirs is one."""
    family = Capability.objects.create(slug="hostile", name_en=PIECES[0][:120], name_fr=PIECES[1][:120])
    job = Capability.objects.create(
        slug="hostile-job", parent=family, name_en=PIECES[2][:120], intent_en=PIECES[3][:200]
    )
    vendor = Vendor.objects.create(slug="hostile", name=PIECES[4][:120].replace("\x00", ""))
    tools = Tool.objects.bulk_create(
        Tool(
            slug=f"hostile-{number}",
            name=f"{number} {clean(piece)}"[:80],
            summary_en=clean(piece)[:200],
            summary_fr=clean(piece)[:200],
            vendor=vendor,
            lifecycle=Tool.Lifecycle.ACTIVE,
        )
        for number, piece in enumerate(PIECES)
    )
    ToolCapability.objects.bulk_create(ToolCapability(tool=tool, capability=job, is_primary=True) for tool in tools)
    return tools


def clean(piece):
    return piece.replace("\x00", "")  # PostgreSQL keeps no NUL


def assert_harmless(seen):
    assert seen.page.evaluate("window.ran || 0") == 0
    assert seen.page.evaluate(DANGEROUS) == []
    assert seen.problems() == []


def test_corpus_is_large_and_bites():
    """The strings do run where nothing stops them: else the tests below prove nothing."""
    assert len(PIECES) >= 1000


def test_corpus_runs_where_nothing_stops_it(browser):
    page = browser.new_page()
    page.set_content("<main>" + "".join(f"<div>{clean(piece)}</div>" for piece in PIECES[:60]) + "</main>")
    page.wait_for_timeout(300)

    assert page.evaluate("window.ran || 0") > 0
    assert page.evaluate(DANGEROUS)
    page.close()


def test_names_and_summaries_in_the_list(visit, hostile_tools):
    seen = visit("ops")
    for number in range(1, len(hostile_tools) // A_PAGE_OF_TOOLS + 2):
        seen.go(f"{reverse('tooling:tool_list')}?page={number}")

        assert_harmless(seen)


def test_how_to_is_prose_and_never_code(visit, hostile_tools):
    seen = visit("ops")
    for start in range(0, len(PIECES), 40):
        tool = hostile_tools[start]
        tool.how_to_en = "\n\n".join(clean(piece) for piece in PIECES[start : start + 40])[:20_000]
        tool.save(update_fields=["how_to_en"])
        ToolAlias.objects.create(tool=tool, text=clean(PIECES[start])[:80], key=f"hostile{start}")
        seen.go(tool.get_absolute_url())

        assert_harmless(seen)


@pytest.fixture
def no_cleaning(monkeypatch):
    """Have pages show prose as it was typed: no Markdown, no allow-list."""
    monkeypatch.setattr(prose, "render_markdown", mark_safe)


def run_of(seen, tool, pieces):
    """Open the tool with these pieces as its how-to, provoke them, and return (how many ran, how many were stopped)."""
    tool.how_to_en = "\n\n".join(clean(piece) for piece in pieces)[:20_000]
    tool.save(update_fields=["how_to_en"])
    seen.page.goto(seen.server + tool.get_absolute_url(), wait_until="load")
    seen.page.evaluate(PROVOKE)
    seen.page.wait_for_timeout(100)
    return seen.page.evaluate("window.ran || 0"), seen.page.evaluate("window.seen.violations.length")


@pytest.mark.faults
def test_content_policy_alone_holds_where_nothing_is_cleaned(visit, hostile_tools, no_cleaning):
    seen = visit("member")
    seen.page.set_default_timeout(20_000)
    pieces = PIECES[:: times(8, 1)]
    stopped = 0

    for start in range(0, len(pieces), 20):
        ran, refused = run_of(seen, hostile_tools[start], pieces[start : start + 20])

        assert ran == 0
        stopped += refused
    assert stopped > len(pieces) / 20  # the policy had something to do on every page


@pytest.mark.faults
def test_the_same_runs_where_the_content_policy_is_off_too(visit, hostile_tools, no_cleaning, settings):
    settings.CONTENT_SECURITY_POLICY = None
    seen = visit("member")

    ran, refused = run_of(seen, hostile_tools[0], PIECES[:20])

    assert ran > 0
    assert refused == 0


def test_comments_on_a_kpi_are_plain_words(visit, people):
    metric = MetricFactory(key="cycle-time")
    Comment.objects.bulk_create(
        Comment(metric=metric, author=people["ops"], text=clean(piece)[:1000], key=uuid4()) for piece in PIECES[::10]
    )
    seen = visit("ops")
    seen.go(metric.get_absolute_url())

    assert_harmless(seen)


def test_edit_form_gives_back_what_was_typed(visit, hostile_tools):
    seen = visit("ops")
    for tool in hostile_tools[::60]:
        seen.go(reverse("tooling:tool_edit", args=[tool.slug]))

        assert_harmless(seen)
        assert seen.page.locator("[name=name]").input_value() == tool.name.replace("\n", "")


def test_search_shows_hostile_names_and_hostile_words(visit, hostile_tools):
    seen = visit("ops")
    for piece in [*PIECES[::80], "hostile", "1"]:
        seen.page.goto(seen.server + reverse("search:palette") + "?q=" + quote(clean(piece)))

        assert_harmless(seen)


@pytest.mark.parametrize("case", [case for case in page_cases() if case.name.endswith("_list")], ids=str)
def test_hostile_query_strings(case, visit):
    seen = visit(case.role)
    address = case.address()
    for piece in PIECES[::120]:
        seen.page.goto(f"{seen.server}{address}?{urlencode({'q': piece, 'sort': piece, 'page': piece})}")

        assert_harmless(seen)
