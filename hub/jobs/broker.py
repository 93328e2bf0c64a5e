"""The broker's address in the two spellings that its clients want."""

from urllib.parse import parse_qs, urlsplit


def redis_address(url: str) -> str:
    """Return the address for the Redis client: `redis+socket:///run/r.sock?virtual_host=1` is `unix:///run/r.sock?db=1`."""
    if not url.startswith("redis+socket://"):
        return url
    parts = urlsplit(url)
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return f"unix://{parts.path}?db={database}"


def celery_address(url: str) -> str:
    """Return the address for Celery: the reverse of `redis_address`."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"
