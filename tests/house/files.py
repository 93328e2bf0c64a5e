"""The project's own files, found without git: the suite also runs from an unpacked archive."""

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "tooling", "frameworks", "kpis", "onboarding", "connectors")
# What .gitignore leaves out, and what was written by others
NOT_OURS = {
    ".git", ".venv", ".hub", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache",
    ".hypothesis", "staticfiles", "shots", ".env", "node_modules", "vendor", ".idea", ".vscode",
}  # fmt: skip


@cache
def own_files() -> tuple[Path, ...]:
    """Return every file of the project, sorted, but no cache and nothing vendored."""
    found: list[Path] = []
    waiting = [ROOT]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.name in NOT_OURS or path.suffix in {".pyc", ".mo"}:
                continue
            (waiting if path.is_dir() else found).append(path)
    return tuple(sorted(found))


@cache
def text(path: Path) -> str:
    """Return a file's text; empty for one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def templates() -> list[Path]:
    return [
        path for path in own_files() if path.is_relative_to(ROOT / "templates") and path.suffix in {".html", ".txt"}
    ]


def product_python() -> list[Path]:
    """Python of the product: neither tests nor migrations."""
    return [
        path
        for path in own_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in PACKAGES
        and "migrations" not in path.relative_to(ROOT).parts
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
