"""Addresses that people type: what may be read, settled by where a name leads and not by how it is spelled.

The name is resolved once, every answer is checked, and the connection is made to the checked address; a DNS server
that changes its mind in between changes nothing (reliability.md, SSRF).
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

Ip = IPv4Address | IPv6Address

# Reachable as if public, and yet inside: a cloud's own agent, and networks that carry an IPv4 address within.
NEVER = [
    ip_network(text)
    for text in (
        "168.63.129.16/32",
        "192.88.99.0/24",
        "2002::/16",
        "2001::/32",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "fec0::/10",
        "::/96",
    )
]


class AddressRefused(Exception):
    """The hub does not read there; the message says why, for the log and for whoever typed it."""


@dataclass(frozen=True)
class Place:
    """Where to connect: a checked address, and the name that the certificate must bear."""

    scheme: str
    host: str
    port: int
    ip: Ip
    path: str  # with the query


def settle(url: str) -> Place:
    """Resolve and check an address. Raises AddressRefused, or OSError where the name leads nowhere."""
    scheme, host, port, path = check_spelling(url)
    is_inside = is_allowed_inside(host, port)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ips = [ip_address(str(address[0]).partition("%")[0]) for *_rest, address in found]
    for ip in ips:
        check_ip(ip, is_inside=is_inside)
    return Place(scheme, host, port, ips[0], path)


def check_spelling(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path of an address that is well formed. Raises AddressRefused."""
    if any(letter.isspace() or ord(letter) < 32 or letter == "\\" for letter in url):
        raise AddressRefused("blank or backslash")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused("not an address") from error
    if not host or parts.username is not None or parts.password is not None:
        raise AddressRefused("no host, or a name and password before it")
    if "%" in host or not host.isascii():
        raise AddressRefused("host in another spelling")
    port = port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    is_inside = is_allowed_inside(host, port)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_inside):
        raise AddressRefused("not https")
    if port not in settings.FEED_PORTS and not is_inside:
        raise AddressRefused(f"port {port}")
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return parts.scheme, host, port, path or "/"


def is_allowed_inside(host: str, port: int) -> bool:
    """Tell whether the operator lets the hub read this host of the company's own network, over http if need be."""
    return f"{host}:{port}" in settings.FEED_INSIDE_HOSTS or host in settings.FEED_INSIDE_HOSTS


def check_ip(ip: Ip, *, is_inside: bool = False) -> None:
    """Refuse every address that is not public; one that was allowed inside may be private, never link-local.

    Raises AddressRefused.
    """
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        raise AddressRefused(f"{ip} is no host")
    if any(ip in network for network in NEVER if network.version == ip.version) and not ip.is_loopback:
        raise AddressRefused(f"{ip} leads inside")
    if not is_inside and (not ip.is_global or ip.is_private or ip.is_loopback):
        raise AddressRefused(f"{ip} is not public")
