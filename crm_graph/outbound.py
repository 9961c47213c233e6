"""One POST to somebody else's server: what may be asked for, and what came of it, within 15 seconds."""

import asyncio
import codecs
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import IPv6Address
from typing import Self
from urllib.parse import quote, urlsplit

import httpcore
import idna

from crm_graph import dialing
from crm_graph.errors import ValidationFailed
from crm_graph.networks import Networks
from crm_graph.values import clean_text

URL_MAX = 2048
HEADERS_MAX = 20
HEADER_VALUE_MAX = 4096
DEADLINE_SECONDS = 15.0
LOOKUP_SECONDS = 3.0
ANSWER_KEPT = 1024  # bytes
ANSWER_READ = 16 * 1024  # an answer that ends within it leaves its connection usable
CONNECTIONS_MAX = 256
KEEPALIVE_SECONDS = 4.0  # less than the 5 s after which Node.js closes: it must not close while we send
RETRY_AFTER_MAX = timedelta(hours=24)

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_OUR_HEADERS = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    )
)
_OUR_PREFIXES = ("proxy-", "webhook-", "x-signature")


@dataclass(frozen=True)
class Target:
    """A URL in its parts: the host in lower-case ASCII, the port always there, what is asked for percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and port as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def read_url(url: str, *, field: str = "url") -> Target:
    """The parts of a URL that events can be sent to, in normal form. Raises ValidationFailed naming `field`."""

    def wrong(problem: str) -> ValidationFailed:
        return ValidationFailed(f"{field} {problem}", field=field)

    url = url.strip(" ")
    if len(url) > URL_MAX:
        raise wrong(f"is longer than {URL_MAX} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise wrong("contains a space, a backslash or a control character; percent-encode those")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # such as brackets that are no IPv6 address
        raise wrong("is no URL, or its port is none") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("must begin with https:// and a host")
    if "@" in parts.netloc:
        raise wrong("must not contain a user or password; use headers for a credential")
    if "#" in url:
        raise wrong("must not contain a fragment (#...): servers never see it")
    if port == 0:
        raise wrong("must have a port from 1 to 65535")
    host = _host(parts.hostname, in_brackets="[" in parts.netloc)
    if host is None:
        raise wrong("has no valid host")
    asked = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if "?" in url:
        asked += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    target = Target(parts.scheme, host, port or _default_port(parts.scheme), asked)
    if len(str(target)) > URL_MAX:
        raise wrong(f"is longer than {URL_MAX} characters")
    return target


async def check_url(url: str, networks: Networks) -> str:
    """The normal form of a URL that an endpoint may have.

    A name is resolved, so that a mistake shows at once; one that can't be resolved now is taken, since every
    connection is judged again. Raises ValidationFailed with field `url`.
    """
    target = read_url(url)
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await dialing.addresses(target.host)
    except (OSError, TimeoutError):
        found = []
    for address in found:
        if refusal := networks.refusal(target.host, address, encrypted=target.scheme == "https"):
            raise ValidationFailed(f"url can't be called: {refusal}", field="url")
    return str(target)


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The static headers of an endpoint, names in lower case. Raises ValidationFailed with field `headers`.

    No message shows a value: those are credentials.
    """
    if len(headers) > HEADERS_MAX:
        raise ValidationFailed(f"headers has more than {HEADERS_MAX} entries", field="headers")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        key, value = name.lower(), value.strip(" \t")
        if not _TOKEN.fullmatch(name) or len(name) > 100:
            raise ValidationFailed(f"headers: {name[:100]!a} is no name of a header", field="headers")
        if key in _OUR_HEADERS or key.startswith(_OUR_PREFIXES):
            raise ValidationFailed(f"headers: {key} is set by crm-graph itself; leave it out", field="headers")
        if key in checked:
            raise ValidationFailed(f"headers: {key} is there twice", field="headers")
        if len(value) > HEADER_VALUE_MAX or not _VALUE.fullmatch(value):
            message = f"headers: the value of {key} is too long, or not one line of Latin-1 text"
            raise ValidationFailed(message, field="headers")
        checked[key] = value
    return checked


@dataclass(frozen=True)
class Attempt:
    """What came of one POST. Either there is an `error`, or a whole answer (or its first kilobytes) was read."""

    duration_ms: int
    status: int | None = None
    answer: str | None = None
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """Answered with 2xx; a redirect is not."""
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Answered with 410: the receiver wants no more, ever."""
        return self.status == 410


class Sender:
    """Posts, many at a time; reuses connections to the same origin. Proxies of the environment are not used."""

    def __init__(self, networks: Networks) -> None:
        tls = ssl.create_default_context()
        self._pools = {scheme: _pool(networks, encrypted=scheme == "https", tls=tls) for scheme in ("http", "https")}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; a post that is under way fails."""
        for pool in self._pools.values():
            await pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Send `body` and read the answer's beginning. Never raises for what the other side does.

        An idle connection that turns out to be closed is replaced, so a request may arrive twice.
        """
        began = time.monotonic()
        received = _Received()
        error = None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._exchange(read_url(url), headers, body, received)
        except TimeoutError:
            what = "no answer" if received.status is None else "the answer did not end"
            error = f"{what} within {DEADLINE_SECONDS:g} s"
        except ValidationFailed as problem:
            error = problem.message
        except _FAILURES as problem:
            error = dialing.reason(problem)
        return Attempt(
            round((time.monotonic() - began) * 1000), received.status, received.text(), error, received.retry_after()
        )

    async def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes, received: "_Received") -> None:
        response = await self._send(_request(target, headers, body))
        received.status, received.headers = response.status, response.headers
        read = 0
        try:
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if len(received.body) <= ANSWER_KEPT:
                    received.body += chunk[: ANSWER_KEPT + 1]
                if read > ANSWER_READ:
                    break
        finally:
            await response.aclose()  # closes the connection unless the answer ended

    async def _send(self, request: httpcore.Request) -> httpcore.Response:
        pool = self._pools[request.url.scheme.decode()]
        while True:
            dialing.opened.set(False)
            try:
                return await pool.handle_async_request(request)
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                if dialing.opened.get():  # else an idle connection was used, and its other end had closed it
                    raise


_FAILURES = (
    dialing.AddressRefused,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    OSError,
)


@dataclass
class _Received:
    """An answer as far as it came."""

    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    def text(self) -> str | None:
        """Its first kilobyte, without what a terminal would obey and what PostgreSQL doesn't store."""
        if self.status is None:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        whole = len(self.body) <= ANSWER_KEPT
        return clean_text(decoder.decode(bytes(self.body[:ANSWER_KEPT]), final=whole))  # no half character at the cut

    def retry_after(self) -> timedelta | None:
        """How long the receiver wants to be left alone (RFC 9110, 10.2.3), at most 24 h."""
        for name, value in self.headers:
            if name.lower() == b"retry-after":
                return _delay(value.decode("latin-1").strip(), datetime.now(UTC))
        return None


def _delay(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        seconds = int(value[:9])
    else:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    return min(timedelta(seconds=max(seconds, 0)), RETRY_AFTER_MAX)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return httpcore.Request(
        b"POST",
        httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        ),
        headers=[(b"host", target.netloc.encode()), *given, (b"content-length", str(len(body)).encode())],
        content=body,
    )


def _pool(networks: Networks, *, encrypted: bool, tls: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=CONNECTIONS_MAX,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=dialing.Dialer(networks, encrypted),
    )


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _host(given: str, *, in_brackets: bool) -> str | None:
    """A host in the form that is resolved: lower-case ASCII; an IPv4 address in any notation as four numbers."""
    try:
        if in_brackets:
            return None if "%" in given else str(IPv6Address(given))
        host = (given if given.isascii() else idna.encode(given, uts46=True).decode()).lower().removesuffix(".")
    except (ValueError, UnicodeError):  # idna.IDNAError is one
        return None
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return None
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:  # 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are addresses, to this function as to every resolver
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
