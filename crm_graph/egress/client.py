"""HttpClient: posts to servers that other people run, and the check of a URL that they configure."""

import asyncio
import codecs
import ssl
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

import h11

from crm_graph.egress.connections import AddressRefused, Stream, connect, describe_error, permitted
from crm_graph.egress.lookups import LookupsBusy
from crm_graph.egress.networks import Networks
from crm_graph.egress.urls import OutboundUrl, parse_url
from crm_graph.errors import ValidationFailed
from crm_graph.values import clean_text

DEADLINE_SECONDS = 15.0
LOOKUP_SECONDS = 3.0
RESPONSE_KEPT = 1024  # bytes
RESPONSE_READ = 16 * 1024  # bytes; after a longer response the connection is closed
IDLE_MAX = 16  # idle connections per origin
KEEPALIVE_SECONDS = 4.0  # below the 5 s after which Node.js closes: it must not close while we send
RETRY_AFTER_MAX = timedelta(hours=24)


@dataclass(frozen=True)
class CheckedUrl:
    """A URL in its normal form; `is_internal` if only the setting allows to call it."""

    url: str
    is_internal: bool = False


async def check_url(url: str, networks: Networks, owner_id: uuid.UUID | None = None) -> CheckedUrl:
    """Check an endpoint's URL; the lookup counts in the share of `owner_id`.

    A name is resolved, so that a mistake shows at once. An https:// URL whose name can't be resolved now is accepted,
    since the address of every connection is checked again; with http:// it is refused, since only internal names may be
    called so, and these can be resolved here. Raises ValidationFailed with field `url`.
    """
    target = parse_url(url)
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            encrypted = target.scheme == "https"
            checked = await permitted(target.host, target.port, networks, encrypted=encrypted, owner_id=owner_id)
    except AddressRefused as refused:
        raise ValidationFailed(f"url can't be called: {refused}", field="url") from None
    except (OSError, TimeoutError):
        if target.scheme == "http":
            problem = f"{target.host} can't be resolved, and http:// is allowed to internal networks only: use https://"
            raise ValidationFailed(f"url can't be called: {problem}", field="url") from None
        return CheckedUrl(str(target))
    return CheckedUrl(str(target), checked.is_internal)


@dataclass(frozen=True)
class PostResult:
    """The result of one POST: an `error`, or a response that was read to its end or to RESPONSE_READ bytes.

    `response` is the beginning of the body, for people to read. `is_internal` if only the setting allowed the call.
    `is_postponed` if nothing was tried, for a reason that is not the receiver's.
    """

    duration_ms: int
    status: int | None = None
    response: str | None = None
    error: str | None = None
    retry_after: timedelta | None = None
    is_internal: bool = False
    is_postponed: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx; a redirect is no success."""
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the status is 410 Gone: the receiver wants no more events."""
        return self.status == 410


_Origin = tuple[str, str, int, Networks]  # scheme, host, port, and what may be called there


@dataclass(frozen=True)
class _Target:
    url: OutboundUrl
    networks: Networks
    owner_id: uuid.UUID | None


class _NoResponse(ConnectionError):
    pass


@dataclass
class _Connection:
    """A connection and the state of HTTP/1.1 on it."""

    stream: Stream
    is_internal: bool
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    idle_since: float = 0.0

    @property
    def is_usable(self) -> bool:
        return not self.stream.is_readable and time.monotonic() - self.idle_since < KEEPALIVE_SECONDS

    async def exchange(self, request: h11.Request, body: bytes, received: "_Received") -> bool:
        """Send the request and read the response. Returns whether the connection can be used again.

        Raises OSError when the connection fails (_NoResponse when it is closed first), h11.RemoteProtocolError when
        the response is not valid HTTP.
        """
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        await self.stream.write(b"".join(self.http.send(event) or b"" for event in events))
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                data = await self.stream.read()
                if not data and received.status is None:
                    raise _NoResponse("connection closed without a response")
                self.http.receive_data(data)
            elif isinstance(event, h11.Response):
                received.status, received.headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                received.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            if received.size > RESPONSE_READ:
                return False
        extra, _ = self.http.trailing_data  # must not be read as the response to the next request
        if extra or self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        return True


class HttpClient:
    """Sends POST requests, any number at a time, and reuses connections to the same origin.

    It follows no redirects and ignores cookies and the environment's proxies.
    """

    def __init__(self, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline_seconds
        self._tls = ssl.create_default_context()
        self._idle: dict[_Origin, list[_Connection]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the idle connections. Posts in progress hold their own: end them first."""
        for connections in self._idle.values():
            for connection in connections:
                connection.stream.abort()
        self._idle.clear()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, networks: Networks, owner_id: uuid.UUID | None = None
    ) -> PostResult:
        """Send `body` and read the beginning of the response. Never raises for what the server does.

        It calls public addresses, and those in `networks`; a lookup counts in the share of `owner_id`. A connection is
        reused for the same networks only. If the server closes a reused connection without a response, the request is
        sent again: it may arrive twice.
        """
        began = time.monotonic()
        received = _Received()
        error, is_postponed = None, False
        try:
            async with asyncio.timeout(self._deadline):
                target = _Target(parse_url(url), networks, owner_id)
                await self._exchange(target, _request(target.url, headers, body), body, received)
        except TimeoutError:
            problem = "no response" if received.status is None else "the response did not end"
            error = f"{problem} within {self._deadline:g} s"
        except ValidationFailed as refused:
            error = refused.message
        except h11.LocalProtocolError:
            error = "a header is not valid HTTP"
        except h11.RemoteProtocolError:
            error = "the response is not valid HTTP" if received.status is None else "the response was cut off"
        except (AddressRefused, OSError) as failure:
            error, is_postponed = describe_error(failure), isinstance(failure, LookupsBusy)
        return PostResult(
            round((time.monotonic() - began) * 1000),
            received.status,
            received.text(),
            error,
            received.retry_after(),
            received.is_internal,
            is_postponed,
        )

    async def _exchange(self, target: _Target, request: h11.Request, body: bytes, received: "_Received") -> None:
        origin = (target.url.scheme, target.url.host, target.url.port, target.networks)
        while True:
            idle = self._take_idle(origin)
            connection = idle or await self._connect(target, received)
            received.is_internal = connection.is_internal
            try:
                usable = await connection.exchange(request, body, received)
            except BaseException as error:
                connection.stream.abort()
                if idle and isinstance(error, _NoResponse):
                    continue  # most likely closed while it was idle; a reset counts as an answer to this request
                raise
            break
        if usable and len(self._idle[origin]) < IDLE_MAX:
            connection.idle_since = time.monotonic()
            self._idle[origin].append(connection)
        else:
            connection.stream.abort()

    async def _connect(self, target: _Target, received: "_Received") -> _Connection:
        tls = self._tls if target.url.scheme == "https" else None
        host, port = target.url.host, target.url.port
        checked = await permitted(host, port, target.networks, encrypted=tls is not None, owner_id=target.owner_id)
        received.is_internal = checked.is_internal  # also when no connection is made
        return _Connection(await connect(checked, host, port, tls), checked.is_internal)

    def _take_idle(self, origin: _Origin) -> _Connection | None:
        """The idle connection that was used last, if any. Also closes the unusable ones of every origin."""
        for other, connections in list(self._idle.items()):
            for connection in [one for one in connections if not one.is_usable]:
                connections.remove(connection)
                connection.stream.abort()
            if not connections:
                del self._idle[other]
        return self._idle[origin].pop() if self._idle.get(origin) else None


@dataclass
class _Received:
    """What has arrived of a response."""

    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    is_internal: bool = False

    def add(self, data: bytes | bytearray) -> None:
        """Add a part of the body; a byte more than is shown is kept, to know whether there is more."""
        self.size += len(data)
        self.body += data[: max(RESPONSE_KEPT + 1 - len(self.body), 0)]

    def text(self) -> str | None:
        """The first kilobyte of the body, without control characters and what PostgreSQL can't store."""
        if self.status is None:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        is_whole = len(self.body) <= RESPONSE_KEPT
        text = decoder.decode(bytes(self.body[:RESPONSE_KEPT]), final=is_whole)  # no half character at the cut
        return clean_text(text.replace("\r\n", "\n").replace("\r", " "))

    def retry_after(self) -> timedelta | None:
        """The delay that the header Retry-After asks for (RFC 9110, 10.2.3), at most 24 h."""
        for name, value in self.headers:
            if name == b"retry-after":
                return _parse_delay(value.decode("latin-1").strip(), datetime.now(UTC))
        return None


def _parse_delay(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        seconds = int(value[:9])
    else:
        try:
            at = parsedate_to_datetime(value)
            seconds = int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return min(timedelta(seconds=max(seconds, 0)), RETRY_AFTER_MAX)


def _request(target: OutboundUrl, headers: Mapping[str, str], body: bytes) -> h11.Request:
    """Raises h11.LocalProtocolError for headers that HTTP does not allow."""
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    except UnicodeEncodeError:
        raise h11.LocalProtocolError("not Latin-1") from None
    own = [(b"host", target.netloc.encode()), (b"content-length", str(len(body)).encode())]
    return h11.Request(method=b"POST", target=target.path.encode(), headers=[*own, *encoded])
