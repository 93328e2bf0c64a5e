"""A real browser on a real server: Chromium that is on the machine, PostgreSQL below, files as they are served."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from hub.people.models import Role
from tests.people.factories import UserFactory

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PEOPLE = {
    "member": {"email": "member@ardoise.example", "name": "Salomé Petit", "role": Role.MEMBER},
    "ops": {"email": "ops@ardoise.example", "name": "Nora Haddad", "role": Role.OPS},
    "leader": {"email": "leader@ardoise.example", "name": "Inès Carpentier", "role": Role.LEADER},
    "admin": {"email": "admin@ardoise.example", "name": "Thomas Weil", "role": Role.MEMBER, "is_staff": True},
}
SPY = """
window.seen = {violations: [], shift: 0, lcp: 0};
document.addEventListener("securitypolicyviolation", (event) =>
  window.seen.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.seen.shift += entry.value;
})).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.seen.lcp = entry.startTime; }))
  .observe({type: "largest-contentful-paint", buffered: true});
"""


def chromium() -> str:
    """Return the browser's path. Raises FileNotFoundError with the way out where the machine has none."""
    chosen = os.environ.get("HUB_BROWSER")  # `make test` names the one it found or installed
    for name in (chosen, *NAMES):
        if name and (found := shutil.which(name)):
            return found
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    if Path(downloaded).exists():
        return downloaded
    raise FileNotFoundError(
        "No Chromium or Chrome on this machine: `make test` installs one, or run `playwright install chromium`."
    )


def launch(playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; Django would refuse the database beside it
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


EXPECTED_IN_CONSOLE = (
    "status of 4",  # the browser logs every 4xx answer; those that a test provokes are judged by the test
    "htmx:sendAbort",  # leaving a page drops its request under way; htmx logs that as if it were an error,
    "htmx:afterRequest",  # and this one beside it; a request that truly fails also logs htmx:sendError
)


@dataclass
class Visit:
    """A page, and everything that went wrong on it."""

    page: Page
    server: str
    wrong: list[str] = field(default_factory=list)
    under_way: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, self._ended)

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"} and not any(part in message.text for part in EXPECTED_IN_CONSOLE):
            self.wrong.append(f"console: {message.text} {message.location.get('url', '')}")

    def _asked(self, request) -> None:
        self.under_way.add(request)
        if not request.url.startswith((self.server, "data:", "about:", "blob:")):
            self.wrong.append(f"leaves the host: {request.url}")

    def _ended(self, request) -> None:
        self.under_way.discard(request)

    def _answered(self, response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.wrong.append(f"{response.status}: {response.url}")

    def go(self, address: str):
        """Open an address of the hub and wait until nothing loads any more."""
        answer = self.page.goto(self.server + address)
        self.settle()
        return answer

    def settle(self) -> None:
        """Wait until nothing is under way, twice in a row; Playwright's own "networkidle" takes half a second more."""
        calm, patience = 0, time.monotonic() + 20
        while calm < 2:
            self.page.wait_for_timeout(60)
            calm = 0 if self.under_way else calm + 1
            assert time.monotonic() < patience, [request.url for request in self.under_way]

    def problems(self) -> list[str]:
        """Return what went wrong so far, violations of the content policy included."""
        return [*self.wrong, *self.page.evaluate("window.seen.violations")]


@pytest.fixture
def people(transactional_db):
    """One person of each role."""
    cache.clear()
    return {role: UserFactory(**fields) for role, fields in PEOPLE.items()}


def new_profile(browser, *, language: str = "en", theme: str = "light", width: int = 1440, **options) -> BrowserContext:
    """Return a browser profile in which nothing was opened yet."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale={"en": "en-GB", "fr": "fr-FR"}[language],
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(8000)
    context.add_init_script(SPY)
    return context


def sign_in(context, person, url, **fields) -> None:
    """Have a person be signed in where a browser profile is used; `fields` are what they chose on their own page."""
    type(person).objects.filter(pk=person.pk).update(**fields)
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])


@pytest.fixture
def visit(browser, live_server, people):
    """Return `visit(role, **context)`: a fresh browser profile, signed in as that role."""
    opened: list[BrowserContext] = []

    def start(role: str = "member", *, language: str = "en", theme: str = "light", **options) -> Visit:
        context = new_profile(browser, language=language, theme=theme, **options)
        opened.append(context)
        if role != "anonymous":
            sign_in(context, people[role], live_server.url, language=language, theme=theme)
        return Visit(context.new_page(), live_server.url)

    yield start
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def kept_pages(browser, live_server):
    """One page of one profile by language and scripts: what makes a page dear is the process that a new one gets."""
    kept = {}
    for language, scripts in product(("en", "fr"), (True, False)):
        context = new_profile(browser, language=language, java_script_enabled=scripts)
        kept[language, scripts] = Visit(context.new_page(), live_server.url)
    yield kept
    for seen in kept.values():
        seen.page.context.close()


@pytest.fixture
def look(kept_pages, people):
    """Return `look(role)`: like `visit`, on a page that others looked at; for what is looked at and left alone."""
    used: list[Visit] = []

    def start(role: str, *, language: str = "en", scripts: bool = True) -> Visit:
        seen = kept_pages[language, scripts]
        used.append(seen)
        seen.wrong.clear()
        seen.under_way.clear()
        seen.page.emulate_media(color_scheme="light")
        seen.page.context.clear_cookies()
        if role != "anonymous":
            sign_in(seen.page.context, people[role], seen.server, language=language, theme="light")
        return seen

    yield start
    for seen in used:  # it asks for nothing while the rows go that it showed
        seen.page.goto("about:blank")
