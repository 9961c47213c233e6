"""n8n without crm-graph, if it is installed: the ingest as a workflow of n8n's own nodes.

Webhook -> Crypto (HMAC of the raw body) -> IF -> Postgres (one statement) -> Respond. Successful executions are not
saved, as n8n's documentation advises for speed.
"""

import json
import os
import secrets
import subprocess
from pathlib import Path

from bench.databases import ROOT, Database, bench_dir
from bench.figures import ContestantFailed
from bench.node import NodeMissing, cache_dir, node

VERSION = "2.40.7"
FOLDER = ROOT / "bench" / "n8n_alone"
WORKFLOW = "benchIngest00000"
PATH = "/webhook/bench-ingest"
COMMAND_SECONDS = 180
OFF = (
    "DIAGNOSTICS_ENABLED",
    "VERSION_NOTIFICATIONS_ENABLED",
    "VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED",
    "TEMPLATES_ENABLED",
    "PERSONALIZATION_ENABLED",
    "HIRING_BANNER_ENABLED",
    "DYNAMIC_BANNERS_ENABLED",
    "LICENSE_AUTO_RENEW_ENABLED",
    "COMMUNITY_PACKAGES_ENABLED",
    "SECURE_COOKIE",
)


def command(database: Database, port: int, secret: str) -> tuple[list[str], dict[str, str]]:
    """Import the workflow and credentials; returns how to start n8n. Raises NodeMissing, ContestantFailed."""
    program = cache_dir() / f"n8n-{VERSION}" / "node_modules" / "n8n" / "bin" / "n8n"
    if not program.is_file():
        raise NodeMissing(f"n8n {VERSION} is not installed here (npm packages in {program.parents[3]})")
    folder = bench_dir() / "n8n"
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(folder, port)
    credentials = folder / "credentials.json"
    credentials.touch(mode=0o600)
    credentials.write_text(json.dumps(_credentials(database, secret)))
    start = [str(node()), str(program)]
    for arguments in (
        ["import:credentials", f"--input={credentials}"],
        ["import:workflow", f"--input={FOLDER / 'ingest.json'}"],
        ["publish:workflow", f"--id={WORKFLOW}"],
    ):
        _run([*start, *arguments], environment)
    return [*start, "start"], environment


def _run(line: list[str], environment: dict[str, str]) -> None:
    inherited = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home())}
    try:
        done = subprocess.run(
            line, env=inherited | environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ContestantFailed(f"n8n {line[2]} took longer than {COMMAND_SECONDS} s") from error
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        raise ContestantFailed(f"n8n {line[2]} failed: {output[-1] if output else done.returncode}"[:200])


def _environment(folder: Path, port: int) -> dict[str, str]:
    own = {
        "PORT": str(port),
        "RUNNERS_BROKER_PORT": str(port + 1 if port < 65_535 else port - 1),
        "LISTEN_ADDRESS": "127.0.0.1",
        "HOST": "127.0.0.1",
        "USER_FOLDER": str(folder),
        "ENCRYPTION_KEY": "of-the-benchmark",
        "DISABLED_MODULES": "mcp-registry,instance-ai,insights",
        "LOG_LEVEL": "warn",
    }
    off = dict.fromkeys(OFF, "false")
    saved = {"EXECUTIONS_DATA_SAVE_ON_SUCCESS": "none", "NODE_ENV": "production"}
    return {f"N8N_{name}": value for name, value in (own | off).items()} | saved


def _credentials(database: Database, secret: str) -> list[dict[str, object]]:
    place = database.conninfo
    postgres = {
        "host": place["host"],
        "port": int(place["port"]),
        "database": place["dbname"],
        "user": place["user"],
        "password": secrets.token_hex(8),  # n8n requires one, the socket does not
        "ssl": "disable",
        "maxConnections": 10,
    }
    return [
        {"id": "benchSecret00000", "name": "Signing secret", "type": "crypto", "data": {"hmacSecret": secret}},
        {"id": "benchPostgres000", "name": "CRM database", "type": "postgres", "data": postgres},
    ]
