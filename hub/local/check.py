"""`make check`: all that can be said about the code without running the suite. Every check runs; any failure counts."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
PACKAGES = ("hub", "connectors", "tooling", "frameworks", "kpis", "onboarding")

# No check opens a database; the addresses only have to be well formed. `check --deploy` judges a company's settings.
COMPANY = {
    "SECRET_KEY": "only-for-the-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "SECRET_KEYS": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMDE=",
    "DATABASE_URL": "postgres://hub@db.example/hub",
    "REDIS_URL": "redis://redis.example/0",
    "ALLOWED_HOSTS": "hub.example",
    "HTTPS": "1",
    "DEBUG": "0",
    "DEMO": "0",
}

# The longest first: then the last to end doesn't end alone.
CHECKS: dict[str, list[str]] = {
    "types": ["mypy", *PACKAGES],
    "house and French": ["pytest", "tests/test_house.py", "-p", "no:randomly", "-k", "not migrations_agree"],
    "settings": ["django", "check", "--deploy", "--fail-level", "WARNING"],
    "migrations": ["django", "makemigrations", "--check", "--dry-run"],
    "templates": ["djlint", "templates", "--lint", "--quiet"],
    "imports": ["importlinter"],
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
}


def check() -> int:
    """Run every check, as many at once as there are processors, and return how many failed."""
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for under_way in as_completed([pool.submit(_run, name) for name in CHECKS]):
            name, seconds, problems = under_way.result()
            print(f"  {name:<18} {'ok' if problems is None else 'failed':<7} {seconds:5.1f} s", flush=True)
            if problems is not None:
                failed.append(name)
                print(problems, flush=True)
    if failed:
        print(f"Not right yet: {', '.join(failed)}.")
    return len(failed)


def _run(name: str) -> tuple[str, float, str | None]:
    """Run one check; return its name, how long it took, and what it said if it failed."""
    begun = time.monotonic()
    done = subprocess.run(
        _command(CHECKS[name]),
        cwd=PROJECT,
        env=_environment(CHECKS[name]),
        check=False,
        capture_output=True,
        text=True,
    )
    return name, time.monotonic() - begun, done.stdout + done.stderr if done.returncode else None


def _command(arguments: list[str]) -> list[str]:
    if arguments == ["importlinter"]:  # it has no `python -m`
        return [str(Path(PYTHON).with_name("lint-imports"))]
    return [PYTHON, "-m", *arguments]


def _environment(arguments: list[str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    if arguments[0] != "django":
        # The suite has settings of its own, and starts no servers where it has an address; "migrations" asks the rest
        return {**inherited, "DATABASE_URL": COMPANY["DATABASE_URL"]}
    return {**inherited, **COMPANY, "DJANGO_SETTINGS_MODULE": "hub.settings"}


if __name__ == "__main__":
    sys.exit(1 if check() else 0)
