"""Where a database may be: never inside the hub's own network, unless whoever runs the hub allows it."""

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from django.conf import settings

from connectors.addresses import AddressRefused, check_ip

from .kinds import Kind, kind_of

# What an address may say beside host and name: nothing that leads elsewhere, to a file or to another program.
OPTIONS = {
    "postgresql": {"sslmode"},
    "mysql": {"charset"},
    "bigquery": {"credentials_base64", "location", "maximum_bytes_billed"},
    "snowflake": {"warehouse", "role"},
}
PORTS = {"postgresql": range(1024, 65536), "mysql": range(1024, 65536)}


class NotAllowed(Exception):
    """The address leads where the hub may not go. `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Place:
    """A checked address: the database, and the only internet addresses a connection to it may use."""

    kind: Kind
    address: str  # as SQLAlchemy wants it, without its password in `shown`
    path: str = ""
    host: str = ""
    numbers: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Where it leads, without user, password or options."""
        return f"{self.kind.key}:{self.path}" if self.path else f"{self.kind.key}://{self.host}"


def check(address: str, *, looks_up: bool = True) -> Place:
    """Return the place an address leads to, looked up now. Raises NotAllowed.

    Called before each connection: a name that led to a public address yesterday may lead inside today. A page that only
    takes an address in does not look it up: a name server may take its time.
    """
    kind = kind_of(address)
    if kind is None:
        raise NotAllowed("kind")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise NotAllowed("spelling") from None
    if set(parse_qs(parts.query, keep_blank_values=True)) - OPTIONS.get(kind.key, set()) or parts.fragment:
        raise NotAllowed("option")
    whole = urlunsplit((kind.driver, *parts[1:]))
    if kind.is_file:
        if parts.netloc:
            raise NotAllowed("spelling")
        path = allowed_file(unquote(parts.path))
        return Place(kind, f"{kind.driver}:///{path}", path=path)
    host = (parts.hostname or "").rstrip(".").lower()
    if kind.hosts:
        return Place(
            kind, whole, host=host
        )  # the driver itself makes the host of the account's name: see `public_only`
    if not host or (port is not None and port not in PORTS[kind.key]):
        raise NotAllowed("spelling")
    return Place(kind, whole, host=host, numbers=numbers_of(host, port or kind.port or 0) if looks_up else ())


def allowed_file(path: str) -> str:
    """Return the real path of a database file inside a folder that SQL_FOLDERS names."""
    real = Path(path[1:] if path.startswith("//") else path).resolve()
    folders = [Path(folder).resolve() for folder in settings.SQL_FOLDERS]
    if not any(real.is_relative_to(folder) for folder in folders):
        raise NotAllowed("folder")
    if not real.is_file():
        raise NotAllowed("file")
    return str(real)


def numbers_of(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host; every one of them must be allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotAllowed("host") from None
    numbers = tuple(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in found))
    if not numbers or not all(may_reach(number, host, port) for number in numbers):
        raise NotAllowed("private")
    return numbers


def may_reach(number: str, host: str, port: int) -> bool:
    """Tell whether an address is public, or one that SQL_HOSTS names: a host, host:port, or a network."""
    ip = ipaddress.ip_address(number)
    try:
        check_ip(ip)
    except AddressRefused:
        inner = getattr(ip, "ipv4_mapped", None) or ip
        return any(_names(entry, inner, host, port) for entry in settings.SQL_HOSTS)
    return True


def _names(entry: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str, port: int) -> bool:
    if entry.lower() in {host, f"{host}:{port}"}:
        return True
    try:
        return ip in ipaddress.ip_network(entry)
    except ValueError:
        return False
