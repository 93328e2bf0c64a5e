"""`python -m tests.browser.shots`: pictures of every page for a person to look at, in `shots/`.

Each page × width × theme × language × state of the hub. `--quick` takes 1440 and 390 px, light English and dark French.
"""

import argparse
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

from tests.bench.database import own_database, some_servers

OUT = Path(__file__).resolve().parents[2] / "shots"
WIDTHS, THEMES, LANGUAGES = (1440, 1024, 390), ("light", "dark"), ("en", "fr")
KINDS = ("empty", "demo", "thousands")


def main() -> None:
    """Take the pictures, one process for each state of the hub, for each has a database of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.shots", description=__doc__)
    parser.add_argument("--data", action="append", choices=KINDS)
    parser.add_argument("--only", help="pages whose URL name holds this")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true", help="use the database of the last time")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        take(options)
        return
    with some_servers() as server:
        for kind in options.data or KINDS:
            environment = os.environ | {
                "DATABASE_URL": own_database(server, f"hub_shots_{kind}", keep=options.keep),
                "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
                "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
            }
            arguments = [sys.executable, "-m", "tests.browser.shots", *sys.argv[1:], "--here", kind]
            subprocess.run(arguments, env=environment, check=True)


def take(options: argparse.Namespace) -> None:
    """Fill this process's database and take its pictures."""
    import django

    django.setup()
    from django.core.management import call_command
    from playwright.sync_api import sync_playwright

    from hub.people.models import User
    from tests.bench.pages import whole_pages
    from tests.bench.view import open_page, web_server
    from tests.browser import worlds
    from tests.browser.conftest import launch

    call_command("migrate", verbosity=0)
    if not options.keep:
        worlds.fill(options.here)
    looks = [*product(WIDTHS, THEMES, LANGUAGES)]
    if options.quick:
        looks = [(1440, "light", "en"), (390, "dark", "fr")]
    count = 0
    with web_server() as server, sync_playwright() as playwright:
        browser = launch(playwright)
        for case, address in whole_pages():
            if options.only and options.only not in case.name:
                continue
            for width, theme, language in looks:
                User.objects.filter(email=f"{case.role}@ardoise.example").update(language=language, theme=theme)
                context, page = open_page(
                    browser,
                    server,
                    case.role,
                    address,
                    color_scheme=theme,
                    locale={"en": "en-GB", "fr": "fr-FR"}[language],
                )
                page.set_viewport_size({"width": width, "height": 900 if width > 500 else 844})
                folder = OUT / options.here / f"{width}-{theme}-{language}"
                folder.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=folder / f"{case.name.replace(':', '-')}-{case.role}.png", full_page=True)
                context.close()
                count += 1
        browser.close()
    sys.stdout.write(f"{count} pictures in {OUT / options.here}\n")


if __name__ == "__main__":
    main()
