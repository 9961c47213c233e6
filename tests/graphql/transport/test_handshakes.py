"""WebSocket upgrades that come to nothing: a clear answer, and no error in the log."""

import asyncio
import logging

import pytest

pytestmark = pytest.mark.slow

UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: crm.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
PROTOCOL = b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
REFUSED = {
    "no subprotocol": (UPGRADE + b"\r\n", b"400"),
    "another subprotocol": (UPGRADE + PROTOCOL.replace(b"transport-", b"") + b"\r\n", b"400"),
    "another site": (UPGRADE + PROTOCOL + b"Origin: https://evil.example\r\n\r\n", b"403"),
    "an origin that is no URL": (UPGRADE + PROTOCOL + b"Origin: http://[\r\n\r\n", b"403"),
    "a token in the URL": (UPGRADE.replace(b"/graphql", b"/graphql?access_token=x") + b"\r\n", b"401"),
    "another path": (UPGRADE.replace(b"/graphql", b"/nowhere") + PROTOCOL + b"\r\n", b"403"),
    "no key": (UPGRADE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"") + PROTOCOL + b"\r\n", b"400"),
}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_upgrade_is_answered_and_is_no_error(
    host: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    request, status = REFUSED[name]
    reader, writer = await asyncio.open_connection(*host.split(":"))

    writer.write(request)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()

    assert answer.split(b" ")[1] == status, answer
    assert warnings(caplog) == []


@pytest.mark.parametrize("request_", [UPGRADE[:60], UPGRADE + b"\r\n", UPGRADE + PROTOCOL + b"\r\n"], ids=len)
async def test_an_abandoned_handshake_is_no_error(host: str, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection(*host.split(":"))

    writer.write(request_)
    await writer.drain()
    writer.transport.abort()
    await asyncio.sleep(0.1)

    assert warnings(caplog) == []
