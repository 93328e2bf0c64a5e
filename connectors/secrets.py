"""Secrets at rest: encrypted with keys that live outside the database, bound to their row, never read back.

A Fernet token has no associated data, so a ciphertext could be moved to another row; the row's name is
therefore inside the token and checked when it is opened (docs/decisions/0004-secrets.md).
"""

import json
from typing import Any, ClassVar, Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from .models import Connection


class Holder(Protocol):
    """A row of any room that keeps a sealed `secret`; `rotate_secrets` knows them all."""

    pk: Any
    secret: Any
    _meta: ClassVar[Any]


class SecretUnreadable(Exception):
    """The secret of a connection can't be opened with the keys this hub has; it must be entered again."""


def box() -> MultiFernet:
    """Return what encrypts with the newest key and decrypts with any."""
    return MultiFernet([Fernet(key) for key in settings.SECRET_KEYS])


def seal(connection: Connection, secret: str) -> None:
    """Put the secret on a connection that has a primary key; the caller saves it."""
    connection.secret = sealed(secret, connection)
    connection.secret_hint = hint(secret)
    connection.secret_print = fingerprint(secret)


def sealed(secret: str, row: Holder) -> bytes:
    """Return the secret encrypted and bound to a row, which must have a primary key."""
    if row.pk is None:
        raise ValueError("save the row first: its secret is bound to it")
    return box().encrypt(json.dumps({"row": row_name(row), "secret": secret}).encode())


def hint(secret: str) -> str:
    """Return the last four characters, nothing of a short secret."""
    return secret[-4:] if len(secret) >= 12 else ""


def open_secret(row: Holder) -> str:
    """Return the secret. Raises SecretUnreadable when no key fits, or when it was sealed for another row."""
    try:
        inside = json.loads(box().decrypt(bytes(row.secret)))
    except (InvalidToken, ValueError) as error:
        raise SecretUnreadable(f"no key opens the secret of {row_name(row)}") from error
    if inside["row"] != row_name(row):
        raise SecretUnreadable(f"the secret of {row_name(row)} was sealed for another row")
    return str(inside["secret"])


def fingerprint(secret: str) -> str:
    """Return a value that is the same for the same secret and tells nothing about it."""
    return salted_hmac("connectors.secret", secret, algorithm="sha256").hexdigest()


def row_name(row: Holder) -> str:
    return f"{row._meta.label_lower}:{row.pk}:secret"


def is_newest(token: bytes) -> bool:
    """Tell whether the newest key sealed this token."""
    try:
        Fernet(settings.SECRET_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True
