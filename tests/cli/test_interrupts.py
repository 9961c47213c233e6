"""Ctrl-C while a command is importing or starting: no traceback. (In a row, while it stops: test_demo.py.)"""

import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import started

STOPPED = (130, -signal.SIGINT)  # a shell shows both as 130


@pytest.mark.parametrize("after", [0.1, 0.5])
def test_while_it_imports(tmp_path: Path, data_dir: Path, after: float) -> None:
    log = tmp_path / "log"
    with started("owner", "list", log=log, CRM_DATA_DIR=str(data_dir)) as process:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (*STOPPED, 0)
    printed = log.read_text()
    # Before its first line has run, on a machine that is busy, no program can do anything about it.
    assert "Traceback" not in printed or "    import signal\n" in printed
