"""The audit suite that the authors of the GraphQL-over-HTTP specification publish, against a server that runs.

The lists below are what it finds and why; nothing else may be found, and nothing less.
"""

import json
import subprocess
from pathlib import Path

import pytest

from bench.node import NodeMissing, node, npm_packages
from tests.support.commands import Commands, Served, serving

AUDIT = Path(__file__).with_name("audit")

# These audits try variables on `__type`, and it is that field which is refused.
INTROSPECTION_IS_OFF = {
    "28B9": ("error", "variables, when accepting application/json"),
    "2EA1": ("warn", "variables, when accepting application/graphql-response+json"),
    "6A70": ("notice", "variables in the URL, when accepting application/json"),
    "D6D5": ("notice", "variables in the URL, when accepting application/graphql-response+json"),
}
EXPECTED: dict[str, dict[str, tuple[str, str]]] = {"development": {}, "production": INTROSPECTION_IS_OFF}


@pytest.fixture(scope="module")
def packages() -> Path:
    try:
        node()
        return npm_packages(AUDIT)
    except NodeMissing as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.mark.parametrize("mode", EXPECTED)
def test_audits(packages: Path, crm: Commands, data_dir: Path, tmp_path: Path, mode: str) -> None:
    with serving(crm, data_dir.with_name(mode), tmp_path / "log", CRM_ENV=mode) as served:
        audits = audited(served, packages)
    unmet = [audit for audit in audits if audit["status"] != "ok"]
    found = {audit["id"]: audit["status"] for audit in unmet}
    assert found == {name: status for name, (status, _) in EXPECTED[mode].items()}, json.dumps(unmet, indent=1)


def audited(served: Served, packages: Path) -> list[dict[str, str]]:
    """What each audit found: id, name, status (ok, notice, warn, error) and, unless ok, reason."""
    given = {"ENDPOINT": f"{served.base}/graphql", "TOKEN": served.token}
    command = [node(), AUDIT / "audit.mjs"]
    done = subprocess.run(command, cwd=packages, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found
