"""Runs the tests of one mutant after another, each in a fork of a process that has imported the libraries already.

Started in a copy of the project, first on the path: nothing of the checkout is imported or written. Standard input has
an order per line, standard output its result: `code` is pytest's exit status, or null after the time limit.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIBRARIES = """
import sys, pytest, hypothesis, pytest_asyncio, hypothesis_graphql
import crm_graph.server.app, crm_graph.cli.app, procrastinate.contrib
ours = ("crm_graph", "webhooks", "tests", "__main__")
print("\\n".join(name for name in sys.modules if name.partition(".")[0] not in ours))
"""
POLL_SECONDS = 0.01


def warm_up() -> None:
    """Import every library that the project imports, but nothing of the project: the tests must import the mutant."""
    names = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        with contextlib.suppress(Exception):  # parts of a library that only it can import
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def run(order: dict[str, object]) -> dict[str, object]:
    """Run pytest in a fork; kill it, and what it started, after the time limit."""
    started = time.monotonic()
    child = os.fork()
    if not child:
        _be_pytest(order)
    deadline = started + float(str(order["timeout"]))
    code: int | None = None
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if code is None:
        os.waitpid(child, 0)
    return {"code": code, "seconds": round(time.monotonic() - started, 1)}


def _be_pytest(order: dict[str, object]) -> None:
    os.setsid()
    output = os.open(str(order["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.dont_write_bytecode = True
    tests = order["tests"]
    assert isinstance(tests, list)
    options = (
        "-x",
        "-q",
        "-n",
        "0",
        "--tb=line",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    )
    code = 3
    try:
        code = int(pytest.main([*options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


def main() -> None:
    """Answer orders until the input ends."""
    sys.path.insert(0, str(Path.cwd()))
    warm_up()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
