"""`demo`: what a newcomer sees, that it works as printed, and that nothing is left when it stops."""

import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.commands import Commands, free_port, postgres_of, started


@dataclass(frozen=True)
class Demo:
    """A demo that serves, and what it printed so far."""

    process: subprocess.Popen[str]
    base: str
    printed: str
    environment: dict[str, str]

    def lines_with(self, word: str) -> list[str]:
        """The table rows that hold a word."""
        return [line for line in self.printed.splitlines() if word in line]


@contextmanager
def demo(data_dir: Path, log: Path) -> Iterator[Demo]:
    environment = {"CRM_DATA_DIR": str(data_dir), "PORT": str(free_port())}
    with started("demo", log=log, **environment) as process:
        deadline = time.monotonic() + 90
        while "Ctrl-C stops" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Demo(process, f"http://127.0.0.1:{environment['PORT']}", log.read_text(), environment)


def test_a_demo_from_first_start_to_ctrl_c_and_again(data_dir: Path, tmp_path: Path, crm: Commands) -> None:
    with demo(data_dir, tmp_path / "first") as first:
        shows_what_the_events_changed(first)
        works_as_printed(first)
        assert not first.lines_with("earlier demo")
        others_find_its_secrets(first, data_dir, crm)
        stops(first, signal.SIGTERM, data_dir)
    with demo(data_dir, tmp_path / "second") as second:
        shows_what_the_events_changed(second)
        works_as_printed(second)
        assert second.lines_with("duplicate: an earlier demo posted it; no event is applied twice")
        stops(second, signal.SIGINT, data_dir)
    for log in ("first", "second"):
        assert "Traceback" not in (tmp_path / log).read_text()


def shows_what_the_events_changed(shown: Demo) -> None:
    assert len(shown.lines_with(" 200 ") + shown.lines_with(" 409 ")) == 8  # 409: a key of the caller's, seen before
    (contact,) = [line for line in shown.lines_with("john") if "Intro" not in line and "->" not in line]
    assert re.search("Ana Host|Max Sender", contact)
    assert shown.lines_with("Qualified -> Meeting Scheduled")
    for url in ("/graphql", "/crm/webhooks/instantly/reply", "/crm/webhooks/calcom/booking", "/healthz", "/readyz"):
        assert f"{shown.base}{url}" in shown.printed


def works_as_printed(shown: Demo) -> None:
    (curl,) = shown.lines_with("curl -s")
    answer = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=30, check=True)
    assert '"Meeting Scheduled"' in answer.stdout
    assert "errors" not in answer.stdout
    assert "graphiql" in httpx.get(f"{shown.base}/graphql", headers={"Accept": "text/html"}).text.lower()


def others_find_its_secrets(shown: Demo, data_dir: Path, crm: Commands) -> None:
    assert stat.S_IMODE((data_dir / "demo-secrets.env").stat().st_mode) == 0o600
    (token,) = crm("token", "--owner", "ada@seller.com", **shown.environment).lines()
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{shown.base}/graphql", json={"query": "{ me { name } }"}, headers=headers)
    assert answer.json() == {"data": {"me": {"name": "Ada Admin"}}}
    assert '"duplicate"' in crm("send", "calcom", "booking_created", **shown.environment).lines()[0]


def stops(shown: Demo, how: signal.Signals, data_dir: Path) -> None:
    shown.process.send_signal(how)
    while how is signal.SIGINT and shown.process.poll() is None:  # an impatient user: Ctrl-C again and again
        time.sleep(0.005)
        shown.process.send_signal(how)
    assert shown.process.wait(10) in ((130, -signal.SIGINT) if how is signal.SIGINT else (0,))  # a shell shows 130
    assert not postgres_of(data_dir)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{shown.base}/healthz")
