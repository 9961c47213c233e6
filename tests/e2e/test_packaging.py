"""The wheel: it carries the migrations, SQL files, workflows and sample events, and works where no checkout is."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_graph.database import migrations, sql_files
from tests.support.paths import PROJECT

# What the script `crm-graph` does, from the unpacked wheel and not from the checkout that this Python has installed.
MAIN = """
import os, crm_graph, webhooks
assert all(package.__file__.startswith(os.environ["PYTHONPATH"]) for package in (crm_graph, webhooks))
from crm_graph.cli.app import main
main()
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that the embedded server's user may enter, too."""
    made = Path(tempfile.mkdtemp(prefix="crm-graph-wheel-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def installed(folder: Path) -> Path:
    """The wheel, built from a copy (a build must not write into the checkout) and unpacked as pip does."""
    source = folder / "source"
    shutil.copytree(
        PROJECT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules", "tests", "dist")
    )
    shutil.copy(PROJECT / ".gitignore", source)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=source)
    (wheel,) = (folder / "dist").iterdir()
    assert wheel.name.startswith("crm_graph-")
    target = folder / "installed"
    offline = ("--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(wheel), cwd=folder)
    return target


def run(*command: str, cwd: Path, **environment: str) -> str:
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
    done = subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: Path, pattern: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.glob(pattern)}


def test_the_wheel_has_everything_that_runs(installed: Path) -> None:
    for package in ("crm_graph", "webhooks"):
        assert files(installed / package, "**/*.py") >= files(PROJECT / package, "**/*.py")
        assert (installed / package / "py.typed").is_file()
    for pattern in ("**/*.py", "**/*.sql"):
        assert files(installed / "crm_graph/_migrations", pattern) == files(PROJECT / "alembic", pattern) != set()
    sql = files(PROJECT / "crm_graph/database/sql", "**/*.sql")
    assert files(installed / "crm_graph/database/sql", "**/*.sql") == sql >= {*sql_files.definitions()}
    assert files(installed / "crm_graph/_workflows", "*.json") == files(PROJECT / "n8n_workflows", "*.json")
    for data in ("graphql/transport/graphiql/files/*", "server/proxies/[!_]*"):
        assert files(installed / "crm_graph", data) == files(PROJECT / "crm_graph", data) != set()
    samples = files(PROJECT / "webhooks", "*/fixtures/*.json")
    assert len(samples) > 50
    assert files(installed / "webhooks", "*/fixtures/*.json") == samples


def test_the_wheel_has_nothing_else(installed: Path) -> None:
    at_the_top = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert at_the_top - {"bin"} == {"crm_graph", "webhooks"}


def test_it_migrates_outside_the_checkout(installed: Path, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    given = {"PYTHONPATH": str(installed), "CRM_DATA_DIR": str(folder / "data"), "EMBEDDED_DATABASE": "true"}
    printed = run(sys.executable, "-c", MAIN, "migrate", cwd=elsewhere, **given)
    assert printed == f"the embedded database in {folder / 'data'} has schema {migrations.head()}\n"
