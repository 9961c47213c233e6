"""nginx and Caddy on this machine, with the configurations that crm-graph prints; only addresses and paths differ."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_graph.server.proxies import configuration
from tests.support.commands import free_port
from tests.support.paths import PROJECT

CERTIFICATE = PROJECT / "tests" / "support" / "http_receiver.pem"  # for localhost
NAME = "localhost"
CLIENT_CONNECTIONS = 20  # of one client, instead of the 256 of nginx's configuration
_CERTIFICATE_FILES = re.compile(r"/etc/ssl/\S+\.(?:pem|key)\b")


def nginx(folder: Path, port: int, upstream_port: int) -> list[str]:
    """The command that runs nginx at `port`."""
    text = configuration("nginx.conf", name=NAME, port=upstream_port)
    text = re.sub(r"(?m)^ *listen \[::\].*\n", "", text).replace("listen 443", f"listen 127.0.0.1:{port}")
    assert "crm_graph 256;" in text
    text = text.replace("crm_graph 256;", f"crm_graph {CLIENT_CONNECTIONS};")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    paths = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    main = f"daemon off; {user} worker_processes 1; pid {folder / 'pid'}; events {{}}\n"
    main += f"http {{ access_log off;\n{paths}{text}}}\n"
    (folder / "nginx.conf").write_text(_CERTIFICATE_FILES.sub(str(CERTIFICATE), main))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def caddy(folder: Path, port: int, upstream_port: int) -> list[str]:
    """The command that runs Caddy at `port`."""
    text = configuration("Caddyfile", name=f"{NAME}:{port}", port=upstream_port)
    local = f"{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\thttp_port {free_port()}\n"
    text = text.replace("{\n", local, 1).replace("grace_period 10s", "grace_period 1s")
    (folder / "Caddyfile").write_text(_CERTIFICATE_FILES.sub(str(CERTIFICATE), text))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROGRAMS: dict[str, Callable[[Path, int, int], list[str]]] = {"nginx": nginx, "caddy": caddy}


def missing(program: str) -> str | None:
    """Why the program can't be run here, if it can't."""
    return (
        None
        if shutil.which(program, path=_path())
        else f"{program} is not installed (Debian: apt-get install {program})"
    )


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"


@contextmanager
def running(program: str, folder: Path, upstream_port: int) -> Iterator[int]:
    """Run the program in front of a server; the port that it serves HTTPS at."""
    port, log = free_port(), folder / "log"
    environment = {"PATH": _path(), "HOME": str(folder)}
    with log.open("w") as output:
        command = PROGRAMS[program](folder, port, upstream_port)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
