"""Live connections of a server that is stopped: they don't hold it up, whichever way they listen."""

import json
import signal
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.support.commands import Commands, free_port, started, wait_until_it_serves

SUBSCRIPTION = {"query": "subscription { dealChanged { refetch } }"}
REFETCH = '{"data":{"dealChanged":{"refetch":true}}}'


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_stopped_sends_its_listeners_away(
    crm: Commands, data_dir: Path, tmp_path: Path, workers: int
) -> None:
    port, log = str(free_port()), tmp_path / "log"
    given = {
        "JWT_SECRET": "a-secret-for-the-end-to-end-tests-alone",
        "CRM_DATA_DIR": str(data_dir),
        "EMBEDDED_DATABASE": "true",
        "PUBLIC_URL": "https://crm.example.com",
    }
    host = f"127.0.0.1:{port}"
    with started("serve", "--workers", str(workers), log=log, PORT=port, **given) as process:
        wait_until_it_serves(process, f"http://{host}", log)
        crm("owner", "add", "--name", "Ada", "--email", f"ada{workers}@seller.com", "--role", "admin", **given).lines()
        (token,) = crm("token", "--owner", f"ada{workers}@seller.com", **given).lines()
        bearer = {"Authorization": f"Bearer {token}"}
        with (
            connect(f"ws://{host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket,
            httpx.Client(trust_env=False) as client,
            client.stream(
                "POST", f"http://{host}/graphql", json=SUBSCRIPTION, headers=bearer | {"Accept": "text/event-stream"}
            ) as answer,
        ):
            socket.send(json.dumps({"type": "connection_init", "payload": bearer}))
            assert json.loads(socket.recv()) == {"type": "connection_ack"}
            socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": SUBSCRIPTION}))
            assert json.loads(socket.recv())["type"] == "next"
            lines = answer.iter_lines()
            assert [next(lines), next(lines)] == ["event: next", f"data: {REFETCH}"]

            stopped_at = time.monotonic()
            process.send_signal(signal.SIGTERM)

            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012  # service restart: clients come again
            assert [line for line in lines if line] == ["event: complete", "data:"]
        process.wait(20)
        assert process.returncode == 0
        assert time.monotonic() - stopped_at < 7
    failed = [line for line in log.read_text().splitlines() if '"error"' in line]
    assert not [line for line in failed if "uvicorn" in line or "crm_graph" in json.loads(line)["logger"]]
