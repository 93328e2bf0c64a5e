"""The only way out: one HTTP client, with its limits, its retries and its manners.

It follows no redirect, uses no proxy of the environment, speaks to the connector's own hosts alone, and reads no
more than 20 MB nor longer than 90 seconds. It never logs a header or a body. Only headers that trickle, each piece
within the 30 seconds of a read, last longer: the client has no clock for them, so the task's time limit ends them.
"""

import json
import re
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import stamina
import structlog
from django.conf import settings
from pydantic_core import from_json

from .addresses import AddressRefused, settle
from .base import Connector, FailureClass, Json, Request, SourceFailed
from .budget import LONGEST_WAIT, MustWait, Pace

log = structlog.get_logger()

CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 30.0, 90.0
FILE_READ_SECONDS, FILE_SECONDS = 10.0, 60.0
LARGEST_ANSWER = 20 * 1024 * 1024
TRIES, FIRST_WAIT, LAST_WAIT = 6, 1.0, 60.0
LINKS = re.compile(r"<([^>]*)>([^<]*)")
IS_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\b", re.IGNORECASE)


def parse(body: bytes) -> Any:
    """Read JSON: quickly, or with more patience where a text holds half a surrogate pair. Raises ValueError."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        return json.loads(body, parse_constant=refuse_constant)


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass
class HttpAnswer:
    """An answer, whole and unpacked. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    _parsed: Any = None

    def json(self) -> Json:
        """Return the body, parsed once, as an object. Raises SourceFailed(BAD_PAYLOAD), which may pass, otherwise."""
        try:
            parsed = self._parsed = self._parsed or parse(self.body)
        except (ValueError, RecursionError) as error:
            raise SourceFailed(FailureClass.BAD_PAYLOAD, f"not JSON: {error}"[:300], is_final=False) from error
        if not isinstance(parsed, dict):
            raise SourceFailed(FailureClass.BAD_PAYLOAD, "JSON, but not an object", is_final=False)
        return parsed

    def listed(self) -> Json:
        """Return a bare list, and where its Link header says that it goes on, as an object: `items` and `next`.

        Raises SourceFailed(BAD_PAYLOAD), which may pass, where it is something else.
        """
        try:
            items = parse(self.body)
        except (ValueError, RecursionError) as error:
            raise SourceFailed(FailureClass.BAD_PAYLOAD, f"not JSON: {error}"[:300], is_final=False) from error
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise SourceFailed(FailureClass.BAD_PAYLOAD, "JSON, but not a list of objects", is_final=False)
        return {"items": items, "next": next_of(self.headers.get("link", ""))}


@dataclass
class Transport:
    """Requests of one connection, one at a time. Counts what it did in `requests` and `points`."""

    connector: Connector
    base_url: str
    secret: str
    pace: Pace
    requests: int = 0
    points: int = 0
    _client: "httpx2.Client" = field(init=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url or self.connector.base_url
        check_address(self.connector, self.base_url)
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "product-ops-hub", "Accept": "application/json", "Accept-Encoding": "gzip"},
        )

    def close(self) -> None:
        self._client.close()

    def fetch(self, request: Request) -> Json:
        """Send a request and return its JSON, trying again where that helps.

        Raises SourceFailed when it is of no use to go on, MustWait when the next try may only be made much later.
        """
        attempt = 0
        for attempt_context in stamina.retry_context(
            on=when_to_retry, attempts=TRIES, timeout=None, wait_initial=FIRST_WAIT, wait_max=LAST_WAIT, wait_jitter=1.0
        ):
            with attempt_context:
                attempt += 1
                return self.fetch_once(request)
        raise AssertionError("unreachable")

    def fetch_once(self, request: Request) -> Json:
        """Send a request once."""
        self.pace.wait(request.points)
        try:
            answer = self.send(request)
            failed = self.connector.classify(answer, datetime.now(UTC))
            if failed is not None and failed.is_final and answer.status in request.judged:
                return answer.json()
            if failed is None:
                failed = unexpected(answer)
            if failed is not None:
                raise self.with_waiting_time(failed, answer)
            payload = answer.listed() if request.is_list else answer.json()
        except SourceFailed as failed:
            if failed.kind in (FailureClass.SOURCE_DOWN, FailureClass.SOURCE_SLOW, FailureClass.BAD_PAYLOAD):
                self.pace.failed()
            raise
        limits = self.connector.limits(answer)
        self.points += limits.points if limits.points is not None else request.points
        self.pace.learn(limits)
        self.pace.succeeded()
        return payload

    def with_waiting_time(self, failed: SourceFailed, answer: HttpAnswer) -> SourceFailed:
        """Honour `Retry-After`. Raises MustWait when the source asks for more than two minutes."""
        retry_at = failed.retry_at or retry_after(answer)
        if failed.kind == FailureClass.RATE_LIMITED:
            retry_at = retry_at or datetime.now(UTC) + timedelta(seconds=60)
        if retry_at is not None and not failed.is_final:
            self.pace.pause(retry_at)
            if retry_at - datetime.now(UTC) > LONGEST_WAIT:
                raise MustWait(retry_at, failed.kind)
            failed.retry_at = retry_at
        return failed

    def own_path(self, link: str) -> str:
        """Return path and query of a link that an answer holds.

        Raises SourceFailed where it leads to another host than the connection's: our token goes nowhere else.
        """
        parts = urlsplit(urljoin(self.base_url, link))
        if origin(parts.geturl()) != origin(self.base_url) or parts.username or parts.password:
            raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, f"a link to another host: {parts.hostname}")
        return parts._replace(scheme="", netloc="", fragment="").geturl()

    def send(self, request: Request) -> HttpAnswer:
        """Speak HTTP. Every way in which that can go wrong becomes a SourceFailed."""
        address = urljoin(self.base_url, request.path)
        check_address(self.connector, address)
        self.own_path(address)
        started = time.monotonic()
        self.requests += 1
        try:
            with self._client.stream(
                request.method,
                address,
                params=dict(request.params) or None,
                json=request.json,
                headers=dict(self.connector.headers(self.secret)),
            ) as answer:
                body = read_body(answer, started, seconds=TOTAL_SECONDS)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                status = answer.status_code
        except httpx2.TimeoutException as error:
            raise SourceFailed(FailureClass.SOURCE_SLOW, type(error).__name__, is_final=False) from error
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise SourceFailed(FailureClass.SOURCE_DOWN, type(error).__name__, is_final=False) from error
        log.debug(
            "source.answered",
            path=urlsplit(address).path,
            status=status,
            size=len(body),
            ms=int((time.monotonic() - started) * 1000),
        )
        return HttpAnswer(status, headers, body)


def read_body(answer: "httpx2.Response", started: float, *, seconds: float) -> bytes:
    """Read the body piece by piece, and stop when it is too long, too slow, or swells when unpacked."""
    encoding = answer.headers.get("content-encoding", "identity").lower().strip()
    if encoding not in ("identity", "gzip", ""):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, f"content-encoding {encoding[:20]}", is_final=False)
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    pieces: list[bytes] = []
    size = 0
    try:
        for raw in answer.iter_raw():
            piece = raw if unpack is None else unpack.decompress(raw, LARGEST_ANSWER - size + 1)
            size += len(piece)
            pieces.append(piece)
            if size > LARGEST_ANSWER or (unpack is not None and unpack.unconsumed_tail):
                raise SourceFailed(FailureClass.BAD_PAYLOAD, "the answer is larger than 20 MB")
            if time.monotonic() - started > seconds:
                raise SourceFailed(FailureClass.SOURCE_SLOW, f"the answer took over {seconds:.0f} s", is_final=False)
    except zlib.error as error:
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "the answer's gzip is damaged", is_final=False) from error
    if unpack is not None and not unpack.eof:
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "the answer's gzip is cut short", is_final=False)
    return b"".join(pieces)


def unexpected(answer: HttpAnswer) -> SourceFailed | None:
    """Say what is wrong with an answer that the connector had nothing to say about."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if status in (401, 403):
        kind = FailureClass.AUTH_INVALID if status == 401 else FailureClass.SCOPE_MISSING
        return SourceFailed(kind, f"HTTP {status}")
    if status == 429:
        return SourceFailed(FailureClass.RATE_LIMITED, "HTTP 429", is_final=False)
    if status == 408 or status >= 500:
        return SourceFailed(FailureClass.SOURCE_DOWN, f"HTTP {status}", is_final=False)
    if 300 <= status < 400:
        return SourceFailed(FailureClass.SOURCE_MISBEHAVES, f"HTTP {status}: a redirect, which is not followed")
    return SourceFailed(FailureClass.QUERY_REJECTED, f"HTTP {status}")


def next_of(link: str) -> str:
    """Return the address that a Link header (RFC 8288) calls next, "" where it names none."""
    found = (address for address, given in LINKS.findall(link) if IS_NEXT.search(given))
    return next(found, "")


def retry_after(answer: HttpAnswer) -> datetime | None:
    """Read `Retry-After`, in seconds or as a date; None where it is missing or makes no sense."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return datetime.now(UTC) + timedelta(seconds=min(int(text), 86_400))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def when_to_retry(error: Exception) -> bool | float:
    """Tell stamina whether to try again, and how many seconds later where the source said so."""
    if not isinstance(error, SourceFailed) or error.is_final:
        return False
    if error.retry_at is not None:
        return max(0.0, (error.retry_at - datetime.now(UTC)).total_seconds())
    return True


def check_address(connector: Connector, address: str) -> None:
    """Refuse every address but the connector's own hosts over https, and the sandbox.

    Raises SourceFailed(QUERY_REJECTED): such an address is a mistake in the connection or in a page link.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise SourceFailed(FailureClass.QUERY_REJECTED, "this is no address") from error
    own = {origin(url) for url in (settings.SANDBOX_URL, connector.base_url) if url}
    is_own = origin(address) in own
    is_host = parts.scheme == "https" and is_among(parts.hostname, connector.hosts) and port in (None, 443)
    if not (is_own or is_host) or parts.username or parts.password:
        raise SourceFailed(FailureClass.QUERY_REJECTED, f"address not allowed: {parts.scheme}://{parts.hostname}")


def is_among(host: str | None, hosts: Iterable[str]) -> bool:
    """Tell whether a host is one of a service's. "*.atlassian.net" stands for any one name before the dot."""
    name, _dot, domain = (host or "").partition(".")
    return host is not None and bool(name and domain) and (host in hosts or f"*.{domain}" in hosts)


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_sandbox(base_url: str) -> bool:
    """Tell whether an address is our stand-in's: its budget is its own, told in its headers."""
    return bool(settings.SANDBOX_URL) and origin(base_url) == origin(settings.SANDBOX_URL)


# ---------------------------------------------------------------- files of addresses that people typed


def fetch_file(url: str, *, secret: str = "") -> HttpAnswer:
    """Read the file at an address that somebody typed, once: no redirect, 20 MB, 60 seconds.

    The name is resolved and checked at this very moment, and the connection is made to the checked address.
    Raises SourceFailed.
    """
    started = time.monotonic()
    try:
        place = settle(url)
    except AddressRefused as refused:
        raise SourceFailed(FailureClass.QUERY_REJECTED, f"address not allowed: {refused}"[:300]) from refused
    except OSError as error:
        raise SourceFailed(FailureClass.SOURCE_DOWN, "the name leads nowhere", is_final=False) from error
    ip = f"[{place.ip}]" if place.ip.version == 6 else str(place.ip)
    is_usual = place.port == {"https": 443, "http": 80}[place.scheme]
    name = f"[{place.host}]" if ":" in place.host else place.host
    headers = {"Host": name if is_usual else f"{name}:{place.port}", "User-Agent": "product-ops-hub", "Accept": "*/*"}
    headers |= {"Accept-Encoding": "gzip"} | ({"Authorization": f"Bearer {secret}"} if secret else {})
    try:
        with (
            httpx2.Client(
                timeout=httpx2.Timeout(FILE_READ_SECONDS, connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream(
                "GET",
                f"{place.scheme}://{ip}:{place.port}{place.path}",
                headers=headers,
                extensions={"sni_hostname": place.host},  # whose certificate it must be
            ) as answer,
        ):
            found = HttpAnswer(
                answer.status_code,
                {key.lower(): value for key, value in answer.headers.items()},
                read_body(answer, started, seconds=FILE_SECONDS) if answer.status_code == 200 else b"",
            )
    except httpx2.TimeoutException as error:
        raise SourceFailed(FailureClass.SOURCE_SLOW, type(error).__name__, is_final=False) from error
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
        raise SourceFailed(FailureClass.SOURCE_DOWN, type(error).__name__, is_final=False) from error
    if found.status != 200:
        raise unexpected(found) or SourceFailed(FailureClass.BAD_PAYLOAD, f"HTTP {found.status}", is_final=False)
    return found
