"""Streams: which address is called, what is read ahead, and what a lost connection leaves."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from crm_graph.egress.connections import Addresses, Stream, connect
from tests.support.commands import free_port
from tests.support.http_receiver import Receiver

READ_AHEAD = 128 * 1024
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def serving(handle: Handler, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A TCP server; yields its port."""
    server = await asyncio.start_server(handle, host, port)  # type: ignore[arg-type]
    async with server:
        yield server.sockets[0].getsockname()[1]


async def whole(stream: Stream) -> bytes:
    """Everything until the end."""
    read = b""
    while data := await stream.read():
        read += data
    return read


class Pausing(asyncio.Transport):
    """A transport that records whether it is being read."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


async def test_it_reads_ahead_up_to_its_limit_and_goes_on_when_that_is_read() -> None:
    transport, stream = Pausing(), Stream()
    stream.connection_made(transport)
    stream.data_received(b"x" * READ_AHEAD)
    assert transport.calls == []
    stream.data_received(b"y")
    stream.data_received(b"z")
    assert transport.calls == ["pause"]
    assert len(await stream.read()) == READ_AHEAD + 2
    assert transport.calls == ["pause", "resume"]
    stream.data_received(b"a")
    assert await stream.read() == b"a"
    assert transport.calls == ["pause", "resume"]


async def test_everything_arrives_in_order_while_the_reader_is_slow() -> None:
    sent = bytes(range(256)) * 8_192  # 2 MB

    async def send(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    async with serving(send) as port:
        stream = await connect(Addresses(["127.0.0.1"], False), "here", port, None)
        await asyncio.sleep(0.05)
        assert stream.is_readable
        assert await whole(stream) == sent


async def test_a_write_waits_while_the_receiver_reads_nothing() -> None:
    may_read = asyncio.Event()
    received = bytearray()

    async def read_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        while data := await reader.read(1 << 16):
            received.extend(data)
        writer.close()

    async with serving(read_later) as port:
        stream = await connect(Addresses(["127.0.0.1"], False), "here", port, None)
        writing = asyncio.create_task(stream.write(b"w" * 20_000_000))
        await asyncio.sleep(0.05)
        assert not writing.done()
        may_read.set()
        await asyncio.wait_for(writing, 5)
        assert not stream.is_readable
        stream.abort()
    assert 0 < len(received) <= 20_000_000


async def test_the_next_address_is_called_when_one_refuses() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(writer.get_extra_info("sockname")[0]).encode())
        writer.close()

    port = free_port()
    async with serving(greet, "127.0.0.3", port), serving(greet, "127.0.0.4", port):
        stream = await connect(Addresses(["127.0.0.2", "127.0.0.3", "127.0.0.4"], False), "here", port, None)
        assert await whole(stream) == b"127.0.0.3"
        stream = await connect(Addresses(["127.0.0.4", "127.0.0.2"], False), "here", port, None)
        assert await whole(stream) == b"127.0.0.4"
    with pytest.raises(ConnectionRefusedError):
        await connect(Addresses(["127.0.0.2", "127.0.0.5"], False), "here", port, None)


async def test_what_had_arrived_is_read_before_the_error_of_a_lost_connection() -> None:
    stream = Stream()
    stream.connection_made(Pausing())
    stream.data_received(b"half")
    stream.connection_lost(ConnectionResetError("gone"))
    await asyncio.wait_for(stream.write(b"too late"), 1)  # does nothing
    assert await stream.read() == b"half"
    with pytest.raises(ConnectionResetError, match="gone"):
        await stream.read()


async def test_another_error_of_a_lost_connection_is_a_reset() -> None:
    stream = Stream()
    stream.connection_made(Pausing())
    stream.connection_lost(ValueError("of the transport"))
    with pytest.raises(ConnectionResetError):
        await stream.read()


async def test_an_address_that_does_not_answer_is_given_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    timeout = asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        waits.append(seconds)
        return timeout(0)

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with serving(greet) as port:
        monkeypatch.setattr(asyncio, "timeout", noted)
        stream = await connect(Addresses(["127.0.0.1", "127.0.0.1"], False), "here", port, None)
        assert await whole(stream) == b"hello"
    assert waits == [5.0]


async def test_a_connection_whose_certificate_is_refused_is_closed() -> None:
    async with Receiver(tls=True) as receiver:
        stream = await connect(Addresses(["127.0.0.1"], False), "here", receiver.port, None)
        plain = stream._transport
        with pytest.raises(ssl.SSLCertVerificationError):
            await stream.start_tls(ssl.create_default_context(), "elsewhere.example")
    assert plain.is_closing()


async def test_an_end_is_no_error_even_when_the_connection_is_lost_afterwards() -> None:
    stream = Stream()
    stream.connection_made(Pausing())
    stream.eof_received()
    stream.connection_lost(ConnectionResetError())
    assert await stream.read() == b""


async def test_a_write_that_waits_ends_when_the_connection_is_lost() -> None:
    stream = Stream()
    stream.connection_made(Writing())
    stream.pause_writing()
    writing = asyncio.create_task(stream.write(b"x"))
    await asyncio.sleep(0)
    assert not writing.done()
    stream.connection_lost(None)
    await asyncio.wait_for(writing, 1)


class Writing(Pausing):
    """A transport that takes what is written."""

    def write(self, data: object) -> None:
        pass


async def test_a_reader_that_waits_learns_of_the_end() -> None:
    stream = Stream()
    stream.connection_made(Pausing())
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    stream.eof_received()
    assert await asyncio.wait_for(reading, 1) == b""
