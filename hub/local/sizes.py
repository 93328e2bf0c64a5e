"""`make sizes`: what the hub weighs, on disk and over the wire."""

import gzip
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = (".venv", ".hub/boot", ".hub/postgres", ".hub/redis", ".hub/static")
FIRST_VIEW_LIMIT_KB = 60


def sizes() -> None:
    """Print each folder of a first run, then our CSS and JavaScript as a browser gets them."""
    for name in FOLDERS:
        folder = PROJECT / name
        if folder.exists():
            print(f"  {name:<24} {_weight(folder) / 1e6:8.1f} MB")
    for suffix in ("css", "js"):
        found = sorted((PROJECT / "static").rglob(f"*.{suffix}"))
        packed = sum(len(gzip.compress(path.read_bytes())) for path in found)
        print(f"  all our {suffix:<16} {packed / 1e3:8.1f} kB gzip, {len(found)} files")


def _weight(folder: Path) -> int:
    """Return what a folder takes on disk in bytes, counting a file with several names once."""
    seen = {}
    for path in folder.rglob("*"):
        facts = path.lstat()
        seen[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
    return sum(seen.values())
