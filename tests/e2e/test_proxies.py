"""crm-graph behind nginx and Caddy, with the configurations of the guide: what must pass, and what must not."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.commands import Commands, Served, serving
from tests.support.proxies import CERTIFICATE, CLIENT_CONNECTIONS, NAME, PROGRAMS, missing, running
from tests.support.webhooks import ENDPOINTS, fixture, signature

CLIENT = "127.0.0.2"  # another address of this machine than the proxy's
SECRET = "a-secret-of-the-calendar-for-the-proxies"
SCRAPER = "a-token-of-a-scraper-behind-the-proxies"
SUBSCRIPTION = {"query": "subscription { dealChanged { refetch deal { title } } }"}
CREATE = "mutation ($title: String!) { createDeal(input: {title: $title}) { deal { id } } }"
SPOOFED = {"X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.8.8", "Forwarded": "for=8.8.8.8"}
AT_ONCE_SECONDS = 3


@dataclass(frozen=True)
class Proxied:
    """A server behind a proxy, as a client at another address sees it."""

    program: str
    port: int
    served: Served
    log: Path

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(local_address=CLIENT, verify=trusting())
        headers = {"Authorization": f"Bearer {self.served.token}"}
        return httpx.Client(transport=transport, base_url=f"https://{NAME}:{self.port}", headers=headers, timeout=10)

    @contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        tcp = socket.create_connection(("127.0.0.1", self.port), source_address=(CLIENT, 0))
        protocols = [Subprotocol("graphql-transport-ws")]
        url = f"wss://{NAME}:{self.port}/graphql"
        origin: Any = f"https://{NAME}:{self.port}"  # as a page of this server sends it
        with connect(url, sock=tcp, ssl=trusting(), subprotocols=protocols, origin=origin, proxy=None) as opened:
            yield opened

    def logged_client(self, answer: httpx.Response) -> str:
        """The address of the client of that request, in the server's log."""
        request_id, deadline = answer.headers["x-request-id"], time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in map(json.loads, self.log.read_text().splitlines()):
                if line.get("request_id") == request_id and line["message"] == "request":
                    return str(line["client"])
            time.sleep(0.05)
        raise AssertionError(f"{request_id} is not in the log")


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@pytest.fixture(scope="module")
def served(crm: Commands, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    log = tmp_path_factory.mktemp("served") / "log"
    given = {"TRUSTED_PROXIES": "127.0.0.1", "HMAC_SHARED_SECRET_CALCOM": SECRET, "METRICS_TOKEN": SCRAPER}
    with serving(crm, data_dir, log, **given) as opened:
        yield opened, log


@pytest.fixture(scope="module", params=PROGRAMS)
def proxied(
    request: pytest.FixtureRequest, served: tuple[Served, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    if reason := missing(request.param):
        pytest.skip(reason)
    upstream = int(served[0].base.rpartition(":")[2])
    with running(request.param, tmp_path_factory.mktemp(request.param), upstream) as port:
        yield Proxied(request.param, port, *served)


def create_deal(client: httpx.Client, title: str) -> None:
    answer = client.post("/graphql", json={"query": CREATE, "variables": {"title": title}})
    assert "errors" not in answer.json()


def test_an_operation_with_the_clients_own_address(proxied: Proxied) -> None:
    with proxied.client() as client:
        answer = client.post("/graphql", json={"query": "{ me { email } }"})

    assert answer.json() == {"data": {"me": {"email": "ada@seller.com"}}}
    assert proxied.logged_client(answer) == CLIENT


def test_a_client_can_not_choose_its_address(proxied: Proxied) -> None:
    with proxied.client() as client:
        answer = client.post("/graphql", json={"query": "{ me { email } }"}, headers=SPOOFED)

    assert answer.status_code == 200
    assert proxied.logged_client(answer) == CLIENT


def test_a_subscription_over_a_websocket(proxied: Proxied) -> None:
    with proxied.client() as client, proxied.socket() as live:
        live.send(json.dumps({"type": "connection_init", "payload": dict(client.headers)}))
        assert json.loads(live.recv(timeout=10)) == {"type": "connection_ack"}
        live.send(json.dumps({"type": "subscribe", "id": "1", "payload": SUBSCRIPTION}))
        assert json.loads(live.recv(timeout=10))["payload"]["data"]["dealChanged"]["refetch"] is True
        create_deal(client, "Over a socket")
        changed = json.loads(live.recv(timeout=AT_ONCE_SECONDS))["payload"]["data"]["dealChanged"]

    assert changed["deal"] == {"title": "Over a socket"}


def test_events_of_a_stream_arrive_at_once(proxied: Proxied) -> None:
    asked: dict[str, Any] = {"json": SUBSCRIPTION, "headers": {"Accept": "text/event-stream"}}
    with proxied.client() as client, client.stream("POST", "/graphql", **asked) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert json.loads(next(lines)[6:])["data"]["dealChanged"]["refetch"] is True
        started = time.monotonic()
        with proxied.client() as other:
            create_deal(other, "In a stream")
        changed = json.loads(next(lines)[6:])["data"]["dealChanged"]
        took = time.monotonic() - started

    assert changed["deal"] == {"title": "In a stream"}
    assert took < AT_ONCE_SECONDS


def test_a_signed_webhook_arrives_byte_for_byte(proxied: Proxied) -> None:
    body = fixture("calcom", "booking_created").replace(b"bFJeNb2uX8ANpT3JL5EfXw", f"ş{proxied.port}".encode())
    with proxied.client() as client:
        url, headers = ENDPOINTS["calcom"], {"X-Cal-Signature-256": signature(SECRET, body)}
        arrived = client.post(url, content=body, headers=headers)
        changed = client.post(url, content=body + b" ", headers=headers)
        in_chunks = client.post(url, content=iter([body[:99], body[99:]]), headers=headers)

    assert (arrived.status_code, arrived.json()["status"]) == (200, "ok")
    assert (changed.status_code, in_chunks.json()["status"]) == (401, "duplicate")


@pytest.mark.parametrize("size", [1_000_001, 5_000_000])
def test_a_body_that_is_too_large_is_refused_with_an_error_to_read(proxied: Proxied, size: int) -> None:
    with proxied.client() as client:
        answer = client.post("/graphql", content=b" " * size, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/json")
    [error] = answer.json()["errors"]
    assert error["message"] == "[PAYLOAD_TOO_LARGE] the request body is larger than 1,000,000 bytes"
    assert error["extensions"] == {"code": "PAYLOAD_TOO_LARGE"}


def test_the_largest_body_that_is_accepted_passes(proxied: Proxied) -> None:
    body = b'{"query": "{ me { email } }"}'.ljust(1_000_000)
    with proxied.client() as client:
        answer = client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert answer.json() == {"data": {"me": {"email": "ada@seller.com"}}}


def test_headers_that_are_too_large_are_refused(proxied: Proxied) -> None:
    with proxied.client() as client:
        answer = client.get("/healthz", headers={"X-Large": "x" * 100_000})
    assert answer.status_code in (400, 431)


def test_one_client_can_not_take_every_connection(proxied: Proxied) -> None:
    if proxied.program != "nginx":
        pytest.skip("Caddy can't limit connections of one client, as the guide says")
    with ExitStack() as stack:
        for _ in range(CLIENT_CONNECTIONS):
            stack.enter_context(proxied.socket())
        with proxied.client() as client:
            assert client.get("/healthz").status_code == 429
    with proxied.client() as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/metrics?x=1", "/%6detrics", "//metrics", "/./metrics", "/metrics/"])
def test_the_metrics_are_not_shown(proxied: Proxied, path: str) -> None:
    with proxied.client() as client:
        answer = client.get(path, headers={"Authorization": f"Bearer {SCRAPER}"})  # crm-graph itself would show them
    assert answer.status_code == 404
    assert "crm_graph_" not in answer.text
