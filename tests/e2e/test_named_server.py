"""`make test PG_HOST=...`: a server that can't be used stops the tests at once."""

import subprocess
import sys

from tests.support.commands import clean_environment, free_port
from tests.support.paths import PROJECT


def test_a_server_that_does_not_answer() -> None:
    environment = clean_environment(PG_HOST="127.0.0.1", PG_PORT=str(free_port()), PG_PASSWORD="hidden-word")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/database/test_engine.py"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60)
    printed = done.stdout + done.stderr
    assert done.returncode == 2
    assert "no PostgreSQL for the tests: " in printed
    assert "Traceback" not in printed
    assert "hidden-word" not in printed
