"""The hub's own secrets on this machine: made once, readable by whoever starts the hub, and nobody else."""

import base64
import os
import secrets
from pathlib import Path

from dotenv import dotenv_values


def own_secrets(path: Path) -> dict[str, str]:
    """Return the secrets kept in `path`; the first time, make them.

    Losing the file signs everybody out and makes the stored secrets of connections unreadable, so it is written
    whole or not at all.
    """
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SECRET_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),  # one Fernet key
        }
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in made.items())
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    return {name: value for name, value in dotenv_values(path).items() if value}
