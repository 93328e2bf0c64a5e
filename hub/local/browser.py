"""The browser that the tests drive: the one on the machine, or one installed the way the machine offers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import CannotStart

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
WAY_OUT = (
    "The browser tests need Chromium or Chrome, none was found and none could be installed: "
    "install one (Debian: apt-get install chromium), or name yours in HUB_BROWSER."
)


def find() -> str | None:
    """Return the path of a Chromium or Chrome on this machine; HUB_BROWSER wins."""
    named = os.environ.get("HUB_BROWSER")
    if named:
        if shutil.which(named):
            return shutil.which(named)
        raise CannotStart(f"HUB_BROWSER names {named}, which can't be run.")
    found = (shutil.which(name) for name in (*PROGRAMS, *APPLICATIONS))
    return next((path for path in found if path), None) or _playwrights_own()


def find_or_install() -> str:
    """Return the path of a browser, after installing one if need be. Raises CannotStart with what to do."""
    found = find()
    if found:
        return found
    for commands in _ways():
        print(f"No Chromium or Chrome here; installing one: {' '.join(commands[-1])}", file=sys.stderr, flush=True)
        if all(_succeeds(command) for command in commands) and (found := find()):
            return found
    raise CannotStart(WAY_OUT)


def _ways() -> list[list[list[str]]]:
    """Return the ways to install a browser here, best first; each is a list of commands."""
    ways = []
    if shutil.which("apt-get"):
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not prefix or (shutil.which("sudo") and _succeeds(["sudo", "-n", "true"])):
            apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
            ways.append([[*apt, "update"], [*apt, "install", "--no-install-recommends", "chromium"]])
    ways.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    return ways


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, stdout=sys.stderr).returncode == 0
    except OSError:
        return False


ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def _playwrights_own() -> str | None:
    """Return the browser that `playwright install` put into the reader's cache, if it did.

    A process of its own asks: Playwright can't be started beside one that runs, as in the suite.
    """
    done = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], check=False, capture_output=True, text=True)
    path = done.stdout.strip()  # nothing where Playwright is not installed
    return path if path and Path(path).exists() else None
