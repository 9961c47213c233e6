"""Ctrl-C, once or in a row, while a command is importing, starting or stopping: no traceback, and nothing is left."""

import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import free_port, postgres_of, started

STOPPED = (130, -signal.SIGINT)  # a shell shows both as 130


@pytest.mark.parametrize("after", [0.1, 0.25, 0.5, 0.8])
def test_while_it_imports(tmp_path: Path, data_dir: Path, after: float) -> None:
    log = tmp_path / "log"
    with started("owner", "list", log=log, CRM_DATA_DIR=str(data_dir)) as process:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (*STOPPED, 0)
    assert "Traceback" not in log.read_text()


def test_again_and_again(tmp_path: Path, data_dir: Path) -> None:
    log = tmp_path / "log"
    with started("demo", log=log, CRM_DATA_DIR=str(data_dir), PORT=str(free_port())) as process:
        deadline = time.monotonic() + 90
        while "Ctrl-C stops" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
            assert time.monotonic() < deadline
    assert process.returncode in STOPPED
    assert "Traceback" not in log.read_text()
    assert not postgres_of(data_dir)
