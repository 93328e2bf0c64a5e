"""What has to be true of the database and the files before the first page: done in order, safe to do again."""

import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from .errors import CannotStart


def prepare(home: Path) -> None:
    """Migrate, compile the French, collect static files and load what a new hub comes with."""
    django.setup()
    _step("Database schema", lambda: call_command("migrate", interactive=False, verbosity=0))
    _step("French", lambda: call_command("compile_locale", verbosity=0))
    _step("Static files", lambda: _collect_static(home))
    _step("Starter content", lambda: call_command("load_starter", stdout=io.StringIO()))
    welcome = home / "welcome.txt"
    welcome.unlink(missing_ok=True)
    if settings.DEMO:
        _step("Demo company", lambda: call_command("seed_demo", stdout=io.StringIO()))
        _step("First syncs queued", lambda: call_command("first_sync", service="all", stdout=io.StringIO()))
        from hub.demo.databases import map_databases
        from hub.demo.repositories import name_repositories
        from hub.demo.webhooks import turn_webhooks_on

        _step("Databases mapped", map_databases)
        _step("Repositories named", name_repositories)
        _step("Webhooks on", turn_webhooks_on)
        with welcome.open("w") as file:
            call_command("demo_accounts", stdout=file)


def _step(name: str, act: Callable[[], object]) -> None:
    begun = time.monotonic()
    try:
        act()
    except (CommandError, OperationalError) as error:
        raise CannotStart(f"{name}: {error}") from error
    print(f"  {name:<20} {time.monotonic() - begun:5.1f} s", flush=True)


def _collect_static(home: Path) -> None:
    """Collect and compress the static files, unless none changed since the last time."""
    print_of_now = _fingerprint()
    stamp = home / "static.stamp"
    if Path(settings.STATIC_ROOT).exists() and stamp.exists() and stamp.read_text() == print_of_now:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(print_of_now)


def _fingerprint() -> str:
    """Return a mark that changes with any of our static files and with Django's own."""
    files = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file())
    facts = [f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in files]
    return hashlib.sha256("\n".join([django.get_version(), *facts]).encode()).hexdigest()
