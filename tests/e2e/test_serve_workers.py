"""`serve --workers 2`: processes that share the port, the metrics, the traces and PostgreSQL."""

import json
import signal
import time
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families as metrics_in

from tests.support.commands import Commands, free_port, serving, started, wait_until_it_serves
from tests.support.otel_collector import Collector

SECRETS = {
    "JWT_SECRET": "a-secret-for-the-tests-of-serve-itself",
    "PUBLIC_URL": "https://crm.example.com",
    "EMBEDDED_DATABASE": "true",
    "HMAC_SHARED_SECRET_CALCOM": "cal-secret-for-the-tests-of-serve-itself",
    "HMAC_SHARED_SECRET_INSTANTLY": "new-secret-for-the-tests-of-serve-itself,old-secret-for-the-tests-of-serve-itself",
}


def test_workers_share_the_port(crm: Commands, data_dir: Path, tmp_path: Path) -> None:
    port, metrics_port, log = free_port(), str(free_port()), tmp_path / "log"
    arguments = ("serve", "--port", str(port), "--workers", "2")
    base = f"http://127.0.0.1:{port}"
    with (
        serving(crm, data_dir, tmp_path / "beside") as beside,
        Collector() as collector,
        started(
            *arguments,
            log=log,
            CRM_DATA_DIR=str(data_dir),
            METRICS_PORT=metrics_port,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            **SECRETS,
        ) as process,
    ):
        wait_until_it_serves(process, base, log)
        deadline = time.monotonic() + 30
        while log.read_text().count("Application startup complete") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        counted = [httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text for _ in range(2)]
        assert httpx.get(f"{base}/metrics").status_code == 404
        httpx.get(f"{base}/nothing-there")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert httpx.get(f"{beside.base}/readyz").status_code == 200  # the shared PostgreSQL is still there
    assert len(workers) == 2
    assert not [worker for worker in workers if worker.is_running()]
    for text in counted:
        shown = [sample for family in metrics_in(text) for sample in family.samples]
        assert {s.labels["process"] for s in shown if "process" in s.labels} == {str(w.pid) for w in workers}
        assert [s.value for s in shown if s.name == "crm_graph_processes"] == [2, 0]
        assert [s.labels for s in shown if s.name == "crm_graph_database_up"] == [{}]  # the same for all
    assert [span.name for span in collector.spans] == ["GET unmatched"], "the last spans are sent at the end"
    assert all(json.loads(line) for line in log.read_text().splitlines())


def test_a_worker_process_that_starts_later_has_the_settings_that_serve_read(data_dir: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    file, base = tmp_path / ".env", f"http://127.0.0.1:{port}"
    file.write_text("LOG_LEVEL=info\n")
    arguments = ("serve", "--port", str(port), "--workers", "2")
    with started(*arguments, log=log, CRM_DATA_DIR=str(data_dir), **SECRETS) as process:
        wait_until_it_serves(process, base, log)
        wait_for_processes(log, 2)
        file.write_text("LOG_LEVLE=info\n")
        workers = psutil.Process(process.pid).children(recursive=True)
        next(worker for worker in workers if "spawn_main" in " ".join(worker.cmdline())).kill()
        wait_for_processes(log, 3)
        assert httpx.get(f"{base}/readyz").status_code == 200
    assert "Traceback" not in log.read_text()


def wait_for_processes(log: Path, started: int) -> None:
    deadline = time.monotonic() + 60
    while log.read_text().count("Application startup complete") < started:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
