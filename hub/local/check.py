"""`make check`: all that can be said about the code without running the suite. Every check runs; any failure counts."""

import os
import subprocess
import sys
import time
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

CHECKS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "templates": ["djlint", "templates", "--lint", "--quiet"],
    "imports": ["importlinter"],
    "types": ["mypy", *PACKAGES],
    "settings": ["django", "check", "--deploy", "--fail-level", "WARNING"],
    "migrations": ["django", "makemigrations", "--check", "--dry-run"],
    "house and French": ["pytest", "tests/test_house.py", "-p", "no:randomly"],
}


def check() -> int:
    """Run every check and return how many failed."""
    failed = []
    for name, arguments in CHECKS.items():
        begun = time.monotonic()
        done = subprocess.run(
            _command(arguments),
            cwd=PROJECT,
            env=_environment(arguments),
            check=False,
            capture_output=True,
            text=True,
        )
        word = "failed" if done.returncode else "ok"
        print(f"  {name:<18} {word:<7} {time.monotonic() - begun:5.1f} s", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    if failed:
        print(f"Not right yet: {', '.join(failed)}.")
    return len(failed)


def _command(arguments: list[str]) -> list[str]:
    if arguments == ["importlinter"]:  # it has no `python -m`
        return [str(Path(PYTHON).with_name("lint-imports"))]
    return [PYTHON, "-m", *arguments]


def _environment(arguments: list[str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    if arguments[0] != "django":
        return inherited  # the suite has settings of its own
    return {**inherited, **COMPANY, "DJANGO_SETTINGS_MODULE": "hub.settings"}


if __name__ == "__main__":
    sys.exit(1 if check() else 0)
