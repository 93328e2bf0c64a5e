"""Secrets at rest: encrypted with keys that live outside the database, bound to their row, never read back.

A Fernet token has no associated data, so a ciphertext could be moved to another row; the row's name is
therefore inside the token and checked when it is opened (docs/decisions/0004-secrets.md).
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from .models import Connection


class SecretUnreadable(Exception):
    """The secret of a connection can't be opened with the keys this hub has; it must be entered again."""


def box() -> MultiFernet:
    """Return what encrypts with the newest key and decrypts with any."""
    return MultiFernet([Fernet(key) for key in settings.SECRET_KEYS])


def seal(connection: Connection, secret: str) -> None:
    """Put the secret on a connection that has a primary key; the caller saves it."""
    if connection.pk is None:
        raise ValueError("save the connection first: its secret is bound to its row")
    inside = json.dumps({"row": row_name(connection), "secret": secret})
    connection.secret = box().encrypt(inside.encode())
    connection.secret_hint = secret[-4:] if len(secret) >= 12 else ""
    connection.secret_print = fingerprint(secret)


def open_secret(connection: Connection) -> str:
    """Return the secret. Raises SecretUnreadable when no key fits, or when it was sealed for another row."""
    try:
        inside = json.loads(box().decrypt(bytes(connection.secret)))
    except (InvalidToken, ValueError) as error:
        raise SecretUnreadable(f"no key opens the secret of {row_name(connection)}") from error
    if inside["row"] != row_name(connection):
        raise SecretUnreadable(f"the secret of {row_name(connection)} was sealed for another row")
    return str(inside["secret"])


def fingerprint(secret: str) -> str:
    """Return a value that is the same for the same secret and tells nothing about it."""
    return salted_hmac("connectors.secret", secret, algorithm="sha256").hexdigest()


def row_name(connection: Connection) -> str:
    return f"connectors.connection:{connection.pk}:secret"


def is_newest(token: bytes) -> bool:
    """Tell whether the newest key sealed this token."""
    try:
        Fernet(settings.SECRET_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True
