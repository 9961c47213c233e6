"""Ctrl-C while a command is importing or starting: no traceback. (In a row, while it stops: test_demo.py.)"""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.commands import heed_ctrl_c, started

PAUSES = """
import sys, time
from crm_graph.__main__ import main
class Pause:
    def find_spec(self, name, *_):
        if name == "crm_graph.cli.app":
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Pause())
main()
"""


def test_while_it_imports() -> None:
    command = [sys.executable, "-c", PAUSES]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heed_ctrl_c
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
    assert process.returncode == -signal.SIGINT


def test_while_it_starts(tmp_path: Path, data_dir: Path) -> None:
    log = tmp_path / "log"
    with started("migrate", log=log, CRM_DATA_DIR=str(data_dir), EMBEDDED_DATABASE="true") as process:
        while not data_dir.exists():  # it makes its database there, which takes longer than the rest
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    printed = log.read_text()
    if code == 0:  # on a machine so busy that it was done before
        assert "has schema" in printed
    else:
        assert code in (130, -signal.SIGINT)  # a shell shows both as 130
        assert "Traceback" not in printed
