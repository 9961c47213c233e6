"""Every shell command of the README and the guides, run as a reader runs it: block after block, in one shell per page.

Ports, and the paths of another machine, are replaced. What can't be run here stands in NOT_RUN, with the reason.
"""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from crm_graph.embedded.runner import Runner, find_programs
from crm_graph.settings.demo_secrets import read_demo_secrets
from tests.support.commands import clean_environment, free_port, heed_ctrl_c
from tests.support.documented_output import BACKUP, ERRORS, FAILING, NOT_RUN, PRINTED, SETUP
from tests.support.documents import PAGES, name_of, sh_blocks
from tests.support.paths import PROJECT

BLOCK_SECONDS = 90
UNTIL_READY = "until curl -sf http://127.0.0.1:PORT/readyz >/dev/null 2>&1; do sleep 0.2; done"
FIRST_IDS = """{
  deals(first: 1) { nodes { id } } pipeline { stages { id } } webhooksLog(first: 1) { nodes { id } }
  webhookEndpoints(first: 1) { nodes { id } } webhookDeliveries(first: 1) { nodes { id } }
}"""


@dataclass
class Shell:
    """A bash that runs one block after the other, as a terminal does; it says which commands failed."""

    process: subprocess.Popen[str]
    log: Path
    failed: list[str] = field(default_factory=list)

    def run(self, block: str) -> str:
        """What a block prints, and what the jobs of earlier blocks print meanwhile."""
        before, mark = len(self.log.read_text()), uuid.uuid4().hex
        self.send(f"{block}\necho {mark}")
        deadline = time.monotonic() + BLOCK_SECONDS
        while mark not in (printed := self.log.read_text()[before:]):
            assert time.monotonic() < deadline, f"{block}\n{printed}"
            assert self.process.poll() is None, f"{block}\n{printed}"
            time.sleep(0.05)
        printed = printed.replace(mark, "")
        self.failed += re.findall("^FAILED: (.*)$", printed, re.MULTILINE)
        return printed

    def send(self, text: str) -> None:
        """Type lines, and don't wait for them."""
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()


@contextmanager
def shell(folder: Path, **environment: str) -> Iterator[Shell]:
    """A shell in a folder that looks like a clone of the project; all that it started ends with it."""
    for name in (".env.example", "webhooks", "n8n_workflows"):
        (folder / name).symlink_to(PROJECT / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    log = folder / "shell.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=clean_environment(**environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            opened = Shell(process, log)
            opened.send("set -E; trap 'echo \"FAILED: $BASH_COMMAND\" >&2' ERR")
            yield opened
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@dataclass(frozen=True)
class Demo:
    """A demo that serves, and where."""

    port: str
    data_dir: Path
    printed: str

    def ids(self) -> dict[str, str]:
        """The ids that the pages' placeholders stand for: the newest of each kind, and a stage."""
        found = re.search(r"Bearer (\S+)'", self.printed)
        assert found
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/graphql",
            json={"query": FIRST_IDS},
            headers={"Authorization": f"Bearer {found[1]}"},
        )
        data: dict[str, Any] = answer.json()["data"]
        kinds = {
            "DEAL_ID": "deals",
            "WEBHOOK_ID": "webhooksLog",
            "ENDPOINT_ID": "webhookEndpoints",
            "DELIVERY_ID": "webhookDeliveries",
        }
        first = {name: row["id"] for name, kind in kinds.items() for row in data[kind]["nodes"]}
        return {"STAGE_ID": data["pipeline"]["stages"][2]["id"], **first}


@pytest.fixture(scope="module")
def demo(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`make demo`, as the README says it, until Ctrl-C."""
    port, log = str(free_port()), tmp_path_factory.mktemp("demo") / "log"
    installed = f"{PROJECT}/.venv/installed"  # never installed again under the feet of the tests that run in it
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "demo", f"PORT={port}", f"--old-file={installed}"],
            cwd=PROJECT,
            env=clean_environment(CRM_DATA_DIR=str(data_dir)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=heed_ctrl_c,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while "Ctrl-C stops" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Demo(port, data_dir, log.read_text())
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def run_page(page: Path, opened: Shell, replaced: Mapping[str, str], demo: Demo | None = None) -> str:
    """What the page's commands print; those that can't be run are left out."""
    printed = ""
    for block in sh_blocks(page):
        if any(text in block for text in NOT_RUN):
            continue
        for text, other in {**replaced, **(demo.ids() if demo else {})}.items():
            block = block.replace(text, other)
        # A busy machine gets more time than a reader needs.
        printed += opened.run(re.sub(r"\bsleep (\d)\b", lambda found: f"sleep {3 * int(found[1])}", block))
    return printed


def check(page: Path, opened: Shell, printed: str) -> None:
    """The page's commands did what the page says."""
    name, place = name_of(page), 0
    for text in PRINTED[name]:
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        found = pattern.search(printed, place)
        assert found, f"{text!r} is not in:\n{printed[place:]}"
        place = found.end()
    expected = FAILING.get(name, [])
    assert len(opened.failed) == len(expected), printed
    assert all(text in command for text, command in zip(expected, opened.failed, strict=True)), opened.failed
    assert len(re.findall(r'"errors":\[', printed)) == ERRORS.get(name, 0), printed


def is_run(page: Path) -> bool:
    """Whether a page has commands that are run."""
    return any(not any(text in block for text in NOT_RUN) for block in sh_blocks(page))


WITH_A_DEMO = [page for page in PAGES if is_run(page) and name_of(page) not in (SETUP, BACKUP)]


@pytest.mark.parametrize("page", WITH_A_DEMO, ids=name_of)
def test_a_pages_commands_do_what_it_says(page: Path, demo: Demo, tmp_path: Path) -> None:
    secrets = read_demo_secrets(demo.data_dir) if name_of(page).startswith("webhooks/") else {}
    replaced = {"127.0.0.1:8000": f"127.0.0.1:{demo.port}", "9000": str(free_port())}
    with shell(tmp_path, PORT=demo.port, CRM_DATA_DIR=str(demo.data_dir), **secrets) as opened:
        if name_of(page).startswith("webhooks/"):
            opened.run("export PATH=$PWD/.venv/bin:$PATH")
        printed = run_page(page, opened, replaced, demo)
    check(page, opened, printed)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL such as an operator has: the superuser on a socket, everybody else by password over TCP."""

    programs: Path
    socket: Path
    port: str


@pytest.fixture
def server(data_dir: Path) -> Iterator[Server]:
    folder, port = data_dir.with_name("server"), str(free_port())
    folder.mkdir(mode=0o700)
    runner = Runner.choose(folder / "data")
    programs = find_programs(runner, folder)
    runner.own(folder)
    control = (str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w")
    options = f"-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c fsync=off"
    access = ("--auth-local=trust", "--auth-host=scram-sha-256", "--username=postgres")
    made = runner.run(str(programs / "initdb"), "-D", str(folder / "data"), "--no-sync", *access)
    assert made.returncode == 0, made.stdout
    assert runner.run(*control, "-l", str(folder / "log"), "-o", options, "start").returncode == 0
    yield Server(programs, folder, port)
    assert runner.run(*control, "-m", "fast", "stop").returncode == 0


def test_a_server_is_set_up_backed_up_and_restored_as_the_guides_say(server: Server, tmp_path: Path) -> None:
    port, page = str(free_port()), PROJECT / SETUP
    as_superuser = f"-h {server.socket} -p {server.port} -U postgres"
    replaced = {
        "127.0.0.1:5432": f"127.0.0.1:{server.port}",
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "sudo -u postgres psql": f"psql {as_superuser}",
        "sudo -u postgres createdb": f"createdb {as_superuser}",
        "crm-graph serve --workers 2": f"crm-graph serve --workers 2 &\n{UNTIL_READY}".replace("PORT", port),
    }
    with shell(tmp_path, PORT=port) as opened:
        opened.run(f"export PATH=$PWD/.venv/bin:{server.programs}:$PATH")
        printed = run_page(page, opened, replaced)
        opened.run("kill %1; wait")
        check(page, opened, printed)
        check(PROJECT / BACKUP, opened, run_page(PROJECT / BACKUP, opened, replaced))
    assert (tmp_path / "crm.dump").stat().st_size > 10_000
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_everything_that_is_not_run_is_still_there() -> None:
    everything = "".join(block for page in PAGES for block in sh_blocks(page))

    assert [text for text in NOT_RUN if text not in everything] == []
