"""One POST to somebody else's server: what may be asked for, and what came of it, within 15 seconds."""

import asyncio
import codecs
import re
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

import h11

from crm_graph.egress import connections as dialing
from crm_graph.egress.networks import Networks
from crm_graph.egress.urls import Target, read_url
from crm_graph.errors import ValidationFailed
from crm_graph.values import clean_text

HEADERS_MAX = 20
HEADER_VALUE_MAX = 4096
DEADLINE_SECONDS = 15.0
LOOKUP_SECONDS = 3.0
ANSWER_KEPT = 1024  # bytes
ANSWER_READ = 16 * 1024  # an answer that ends within it leaves its connection usable
IDLE_MAX = 16  # connections kept for one origin
KEEPALIVE_SECONDS = 4.0  # less than the 5 s after which Node.js closes: it must not close while we send
RETRY_AFTER_MAX = timedelta(hours=24)

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


class _NoAnswer(ConnectionError):
    pass


@dataclass
class _Connection:
    """A connection and what HTTP/1.1 allows on it next."""

    stream: dialing.Stream
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    kept_at: float = 0.0

    @property
    def is_usable(self) -> bool:
        return not self.stream.has_news and time.monotonic() - self.kept_at < KEEPALIVE_SECONDS

    async def exchange(self, request: h11.Request, body: bytes, received: "_Received") -> bool:
        """Send the request, read the answer; whether another exchange may follow.

        Raises OSError (_NoAnswer at the end of the connection) or h11.RemoteProtocolError when the answer is none.
        """
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        await self.stream.write(b"".join(self.http.send(event) or b"" for event in events))
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                data = await self.stream.read()
                if not data and received.status is None:
                    raise _NoAnswer("connection closed without an answer")
                self.http.receive_data(data)
            elif isinstance(event, h11.Response):
                received.status, received.headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                received.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            if received.size > ANSWER_READ:
                return False
        unasked, _ = self.http.trailing_data  # must not pass for the answer to what is sent next
        if unasked or self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        return True


class Sender:
    """Posts, any number at a time; connections are reused for the same origin.

    It follows no redirect, and knows neither cookies nor the environment's proxies.
    """

    def __init__(self, networks: Networks, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._networks = networks
        self._deadline = deadline_seconds
        self._tls = ssl.create_default_context()
        self._idle: dict[tuple[str, str, int], list[_Connection]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections that are idle. End the posts first, each of which holds its own."""
        for connections in self._idle.values():
            for connection in connections:
                connection.stream.abort()
        self._idle.clear()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Send `body` and read the answer's beginning. Never raises for what the other side does.

        A kept connection that is closed without a byte of an answer is replaced: a request may then arrive twice.
        """
        began = time.monotonic()
        received = _Received()
        error = None
        try:
            async with asyncio.timeout(self._deadline):
                target = read_url(url)
                await self._exchange(target, _request(target, headers, body), body, received)
        except TimeoutError:
            what = "no answer" if received.status is None else "the answer did not end"
            error = f"{what} within {self._deadline:g} s"
        except ValidationFailed as problem:
            error = problem.message
        except h11.LocalProtocolError:
            error = "a header can't be sent as it is"
        except h11.RemoteProtocolError:
            error = "the answer is no HTTP" if received.status is None else "the answer broke off"
        except (dialing.AddressRefused, OSError) as problem:
            error = dialing.reason(problem)
        return Attempt(
            round((time.monotonic() - began) * 1000), received.status, received.text(), error, received.retry_after()
        )

    async def _exchange(self, target: Target, request: h11.Request, body: bytes, received: "_Received") -> None:
        origin = (target.scheme, target.host, target.port)
        tls = self._tls if target.scheme == "https" else None
        while True:
            kept = self._take(origin)
            connection = kept or _Connection(await dialing.connect(target.host, target.port, self._networks, tls))
            try:
                usable = await connection.exchange(request, body, received)
            except BaseException as error:
                connection.stream.abort()
                if kept and isinstance(error, _NoAnswer):
                    continue  # closed while it was idle, most likely; a reset is taken for the answer to this request
                raise
            break
        if usable and len(self._idle[origin]) < IDLE_MAX:
            connection.kept_at = time.monotonic()
            self._idle[origin].append(connection)
        else:
            connection.stream.abort()

    def _take(self, origin: tuple[str, str, int]) -> _Connection | None:
        """The connection that was used last; what is too old, anywhere, is closed on the way."""
        for other, connections in list(self._idle.items()):
            for connection in [one for one in connections if not one.is_usable]:
                connections.remove(connection)
                connection.stream.abort()
            if not connections:
                del self._idle[other]
        return self._idle[origin].pop() if self._idle.get(origin) else None


@dataclass
class _Received:
    """An answer as far as it came."""

    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, data: bytes | bytearray) -> None:
        """Keep a little more than is shown, to know whether there is more."""
        self.size += len(data)
        self.body += data[: max(ANSWER_KEPT + 1 - len(self.body), 0)]

    def text(self) -> str | None:
        """Its first kilobyte, without what a terminal would obey and what PostgreSQL doesn't store."""
        if self.status is None:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        whole = len(self.body) <= ANSWER_KEPT
        text = decoder.decode(bytes(self.body[:ANSWER_KEPT]), final=whole)  # no half character at the cut
        return clean_text(text.replace("\r\n", "\n").replace("\r", " "))

    def retry_after(self) -> timedelta | None:
        """How long the receiver wants to be left alone (RFC 9110, 10.2.3), at most 24 h."""
        for name, value in self.headers:
            if name == b"retry-after":
                return _delay(value.decode("latin-1").strip(), datetime.now(UTC))
        return None


def _delay(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        seconds = int(value[:9])
    else:
        try:
            at = parsedate_to_datetime(value)
            seconds = int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return min(timedelta(seconds=max(seconds, 0)), RETRY_AFTER_MAX)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> h11.Request:
    """Raises h11.LocalProtocolError for headers that are none."""
    try:
        given = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    except UnicodeEncodeError:
        raise h11.LocalProtocolError("not Latin-1") from None
    ours = [(b"host", target.netloc.encode()), (b"content-length", str(len(body)).encode())]
    return h11.Request(method=b"POST", target=target.path.encode(), headers=[*ours, *given])
