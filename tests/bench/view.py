"""What the reader waits for: largest contentful paint and layout shift in headless Chromium, and axe."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import sync_playwright

from hub.people.models import User
from tests.browser.conftest import SPY, launch

from .pages import whole_pages
from .people import session_of
from .report import Report, free_port, say

LCP_SECONDS, REPEATS = 0.8, 3


@contextlib.contextmanager
def web_server() -> Iterator[str]:
    """Run gunicorn as a company would, files hashed and compressed, and give its address."""
    with tempfile.TemporaryDirectory() as static:
        port = free_port()
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "hub.settings", "STATIC_ROOT": static, "DEBUG": "0", "HTTPS": "0",
            "SECRET_KEY": settings.SECRET_KEY, "SECRET_KEYS": ",".join(settings.SECRET_KEYS),
        }  # fmt: skip
        subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], env=environment, check=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "hub.wsgi", f"-b127.0.0.1:{port}", "--threads=4", "--log-level=error"],
            env=environment,
        )
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def open_page(browser, server: str, role: str, address: str, **options):
    """Open an address in a profile that has never been here, so that nothing is cached."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
    context.add_init_script(SPY)
    if role != "anonymous":
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(role), "url": server}])
    page = context.new_page()
    page.goto(server + address)
    page.wait_for_load_state("networkidle")
    return context, page


def measure(report: Report) -> None:
    """Open every page cold and report the slowest paint and the largest shift."""
    rows = []
    with web_server() as server, sync_playwright() as playwright:
        browser = launch(playwright)
        open_page(browser, server, "member", "/")[0].close()  # the server's own first steps are not the page's
        for case, address in whole_pages():
            paints, shifts = [], []
            for _ in range(REPEATS):
                context, page = open_page(browser, server, case.role, address)
                page.wait_for_timeout(50)
                paints.append(page.evaluate("window.seen.lcp") / 1000)
                shifts.append(page.evaluate("window.seen.shift"))
                context.close()
            rows.append((sorted(paints)[REPEATS // 2], max(shifts), str(case)))
        browser.close()
    if not rows:
        report.add("LCP, layout shift", f"≤ {LCP_SECONDS} s, 0", "no page has a rule", False)
        return
    for row in sorted(rows, reverse=True)[:10]:
        say(f"  LCP {row[0]:.3f} s  shift {row[1]:.4f}  {row[2]}")
    slowest, moved = max(rows), max(rows, key=lambda row: row[1])
    painted = f"{slowest[0]:.2f} s, {slowest[2]}"
    report.add(f"LCP, slowest of {len(rows)} pages", f"≤ {LCP_SECONDS} s", painted, slowest[0] <= LCP_SECONDS)
    report.add("layout shift", "0", f"{moved[1]:.4f}, {moved[2]}", moved[1] < 0.001)


def axe(report: Report) -> None:
    """Run axe on every page in both themes and languages, with the large company in it."""
    found, runs = {}, 0
    with web_server() as server, sync_playwright() as playwright:
        browser = launch(playwright)
        for case, address in whole_pages():
            for language in ("en", "fr"):
                for theme in ("light", "dark"):
                    User.objects.filter(email=f"{case.role}@ardoise.example").update(language=language, theme=theme)
                    locale = {"en": "en-GB", "fr": "fr-FR"}[language]
                    context, page = open_page(
                        browser, server, case.role, address, color_scheme=theme, locale=locale, reduced_motion="reduce"
                    )
                    runs += 1
                    for rule in Axe().run(page).response["violations"]:
                        where = f"{case} {language} {theme}: {rule['id']} {rule['nodes'][0]['target']}"
                        found[where] = len(rule["nodes"])
                    context.close()
        browser.close()
    for line, count in found.items():
        say(f"  {count}× {line}")
    report.add(f"axe, {runs} page views", "0 violations", f"{len(found)}", runs > 0 and not found)
