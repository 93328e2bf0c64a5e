"""Every page, in both themes and languages: accessible, within the content policy, at every width, without noise."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.pages import page_cases

pytestmark = pytest.mark.browser
WIDTHS = (1440, 1024, 390, 320)
WRONG_ALONE = {"resultTypes": ["violations"]}  # what passes is not told node by node
# Where the eye is: rules of WCAG 2.2 A and AA, and the good habits that axe knows besides
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]} | WRONG_ALONE
# All that colours decide
IN_THE_DARK = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}} | WRONG_ALONE


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


def scrolls(page):
    """Return the widths at which a page scrolls sideways; it is left as wide as it came."""
    found = [f"scrolls sideways at {width}: {out}" for width in WIDTHS if (out := sideways(page, width))]
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return found


def go_dark(page):
    """Change the theme as the page's own switch does (static/js/theme.js); the server writes nothing else for it."""
    page.emulate_media(color_scheme="dark")
    page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.dataset.theme) root.dataset.theme = "dark";
          for (const button of document.querySelectorAll("[data-theme-form] button"))
            button.setAttribute("aria-pressed", String(button.value === "dark"));
        }"""
    )


def violations(page, options=AXE):
    """Return what axe finds, one line for each rule, with the first element it concerns."""
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']} ({len(rule['nodes'])}×): {rule['nodes'][0]['target']} {rule['help']}" for rule in found]


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_page_is_accessible_quiet_and_fits(case, look):
    found = {}
    address = case.address()
    for language in ("en", "fr"):
        seen = look(case.role, language=language)
        answer = seen.go(address)
        if "<html" not in answer.text():
            return  # a fragment that a page fetches: looked at as a part of that page
        shift = seen.page.evaluate("window.seen.shift")
        problems = [*violations(seen.page), *scrolls(seen.page)]
        if answer.status != 200:
            problems.append(f"status {answer.status}")
        if shift > 0.01:
            problems.append(f"layout shift {shift:.3f}")
        go_dark(seen.page)
        problems += [f"in the dark: {wrong}" for wrong in (*violations(seen.page, IN_THE_DARK), *scrolls(seen.page))]
        if problems := [*problems, *seen.problems()]:
            found[language] = problems

    assert found == {}


@pytest.mark.parametrize("case", page_cases(), ids=str)
def test_page_is_complete_without_javascript(case, look):
    seen = look(case.role, scripts=False)
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
