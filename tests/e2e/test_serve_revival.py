"""`serve` outlives its PostgreSQL: killed, that comes back under the running server, and ends with it."""

import json
import signal
import time
from pathlib import Path

import httpx
import psutil

from tests.support.commands import free_port, postgres_of, started, wait_until_it_serves


def the_postmaster(data_dir: Path) -> psutil.Process:
    found = {process.pid: process for process in psutil.process_iter(["name", "cwd", "ppid"])}
    ours = {
        pid: p
        for pid, p in found.items()
        if p.info["name"] == "postgres" and p.info["cwd"] == str(data_dir / "cluster")
    }
    [server] = [process for process in ours.values() if process.info["ppid"] not in ours]
    return server


def wait_for_readyz(base: str, status: int) -> None:
    deadline = time.monotonic() + 10
    while httpx.get(f"{base}/readyz", timeout=10).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_postgres_comes_back_under_serve(data_dir: Path, tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        "CRM_DATA_DIR": str(data_dir),
        "EMBEDDED_DATABASE": "true",
        "PORT": str(port),
        "PUBLIC_URL": "https://crm.example.com",
        "JWT_SECRET": "a-secret-for-the-test-of-a-revival",
    }
    with started("serve", log=log, **environment) as process:
        wait_until_it_serves(process, base, log)
        killed = the_postmaster(data_dir)
        killed.kill()
        wait_for_readyz(base, 503)
        wait_for_readyz(base, 200)
        assert the_postmaster(data_dir) != killed
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not postgres_of(data_dir)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["url"] for line in lines if line["message"] == "listening"] == [base]
    assert sum(line["message"].startswith("started PostgreSQL") for line in lines) == 2
