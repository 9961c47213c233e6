"""Servers for other people's programs to talk to: the installed script on a port and a PostgreSQL of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.conftest import Commands, crm, data_dir, free_port, started, wait_until_it_serves

__all__ = ["crm", "data_dir"]  # the fixtures


@dataclass(frozen=True)
class Served:
    """A server that runs, and the token of an admin."""

    base: str
    token: str


@contextmanager
def serving(crm: Commands, data_dir: Path, log: Path, **environment: str) -> Iterator[Served]:
    """Run `serve` with an admin who has a token; keywords are environment variables."""
    port = str(free_port())
    given = {"JWT_SECRET": "a-secret-for-the-end-to-end-tests-alone", "CRM_DATA_DIR": str(data_dir)} | environment
    base = f"http://127.0.0.1:{port}"
    with started("serve", log=log, PORT=port, **given) as process:
        wait_until_it_serves(process, base, log)
        crm("owner", "add", "--name", "Ada", "--email", "ada@seller.com", "--role", "admin", **given).lines()
        (token,) = crm("token", "--owner", "ada@seller.com", **given).lines()
        yield Served(base, token)
