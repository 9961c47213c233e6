"""The machine and versions of a run."""

import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.databases import ROOT, Database
from bench.node import NodeMissing, node

SETTINGS = """
SELECT current_setting('server_version'),
       (SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes'))
"""


def describe(database: Database) -> list[tuple[str, str]]:
    """The names and values of everything that the figures depend on."""
    with database.connect() as connection:
        row = connection.execute(SETTINGS).fetchone()
    assert row
    versions = (
        f"{name} {importlib.metadata.version(name)}" for name in ("strawberry-graphql", "sqlalchemy", "uvicorn")
    )
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("CPU", f"{_cpu()}, {os.cpu_count()} cores"),
        ("load before the run", f"{os.getloadavg()[0]:.2f}"),
        ("PostgreSQL", f"{row[0]}, the embedded one with its settings, over its Unix socket"),
        ("durability, for all contestants", row[1]),
        ("Python", f"{platform.python_version()}, {', '.join(versions)}"),
        ("Node", f"{_node()}, PostGraphile {_postgraphile()}"),
    ]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _node() -> str:
    try:
        return subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except NodeMissing as error:
        return f"none ({error})"


def _postgraphile() -> str:
    manifest = json.loads((ROOT / "bench" / "postgraphile" / "package.json").read_text())
    return str(manifest["dependencies"]["postgraphile"])
