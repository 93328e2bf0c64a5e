"""Every page, in both themes and languages: accessible, within the content policy, at every width, without noise."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.pages import page_cases

pytestmark = pytest.mark.browser
WIDTHS = (1440, 1024, 390, 320)
# Where the eye is: rules of WCAG 2.2 A and AA, and the good habits that axe knows besides
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def sideways(page, width):
    """Return what sticks out of a page that scrolls sideways at this width, empty if it doesn't."""
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          return [...document.body.querySelectorAll("*")]
            .filter((node) => node.getBoundingClientRect().right > root.clientWidth + 1)
            .slice(0, 5).map((node) => `${node.tagName.toLowerCase()}.${node.className}`);
        }"""
    )


def violations(page):
    """Return what axe finds, one line for each rule, with the first element it concerns."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{rule['id']} ({len(rule['nodes'])}×): {rule['nodes'][0]['target']} {rule['help']}" for rule in found]


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_page_is_accessible_quiet_and_fits(case, visit):
    found = {}
    address = case.address()
    for language in ("en", "fr"):
        for theme in ("light", "dark"):
            seen = visit(case.role, language=language, theme=theme)
            answer = seen.go(address)
            if "<html" not in answer.text():
                return  # a fragment that a page fetches: looked at as a part of that page
            shift = seen.page.evaluate("window.seen.shift")
            problems = [*violations(seen.page), *seen.problems()]
            if answer.status != 200:
                problems.append(f"status {answer.status}")
            if shift > 0.01:
                problems.append(f"layout shift {shift:.3f}")
            for width in WIDTHS:
                if out := sideways(seen.page, width):
                    problems.append(f"scrolls sideways at {width}: {out}")
            if problems:
                found[language, theme] = problems

    assert found == {}


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_page_is_complete_without_javascript(case, visit):
    seen = visit(case.role, java_script_enabled=False)
    answer = seen.page.goto(seen.server + case.address())

    assert answer.status == 200
    if "<html" not in answer.text():
        return  # a fragment that a page fetches
    assert seen.page.locator("h1").count() == 1
    assert seen.page.locator("main").inner_text().strip()
    if case.name == "home:styleguide":
        return  # its buttons are examples of how buttons look
    # What only a script can do is not offered without one
    dead = seen.page.locator(
        "main a:not([href]):visible, main button[type=button]:not([popovertarget]):not([commandfor]):visible"
    )
    assert [dead.nth(i).inner_text() for i in range(dead.count())] == []
