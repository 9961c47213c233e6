"""schemathesis against a server that runs: random requests to GraphQL and to every REST endpoint, valid and not.

It may find nothing. Checks that don't apply stand in NOT_CHECKED, with the reason.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from tests.support import openapi
from tests.support.commands import Commands, Served, clean_environment, serving
from tests.support.paths import PROJECT

PROGRAM = Path(sys.executable).with_name("schemathesis")
RUN_SECONDS = 120
SEED = "1"
NOT_CHECKED = {
    "negative_data_rejection": "a webhook with any JSON object is stored, so that nothing a provider sends is lost",
    "positive_data_acceptance": "a key that was used before is 409, and a bearer is needed for exports alone",
    "missing_required_header": "no header is required that could be described: signatures are checked elsewhere",
    "ignored_auth": "the server runs with DEV_SIGNATURE_BYPASS, so that unsigned payloads are looked at",
}


@pytest.fixture(scope="module")
def served(crm: Commands, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not PROGRAM.exists():
        raise pytest.fail.Exception(
            "schemathesis isn't installed: pip install -r requirements-peers.lock", pytrace=False
        )
    log = tmp_path_factory.mktemp("schemathesis") / "log"
    with serving(crm, data_dir, log, CRM_ENV="development", DEV_SIGNATURE_BYPASS="true") as running:
        yield running


def run(folder: Path, *arguments: str, **environment: str) -> None:
    """Run it, and fail with its report if it finds something."""
    command = [str(PROGRAM), "run", *arguments, "--seed", SEED, "--no-color"]
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(**environment), capture_output=True, text=True, timeout=RUN_SECONDS
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr


def test_graphql(served: Served, tmp_path: Path) -> None:
    hooks = PROJECT / "tests" / "e2e" / "schemathesis"
    arguments = (str(PROJECT / "schema.graphql"), "--url", f"{served.base}/graphql", "--max-examples", "10")
    checks = ("--checks", "errors_have_a_reason")
    run(tmp_path, *arguments, *checks, *as_admin(served), SCHEMATHESIS_HOOKS="graphql_checks", PYTHONPATH=str(hooks))


@pytest.mark.parametrize("part", ["include", "exclude"])
def test_rest(served: Served, tmp_path: Path, part: str) -> None:
    """Webhooks without a bearer, which Instantly's endpoint would take for its own token; the others as an admin."""
    (tmp_path / "openapi.json").write_text(json.dumps(openapi.document()))
    paths = (f"--{part}-path-regex", "^/crm/webhooks/")
    arguments = ("openapi.json", "--url", served.base, *paths, "--max-examples", "30", "--max-time", "20")
    bearer = as_admin(served) if part == "exclude" else ()
    run(tmp_path, *arguments, *bearer, "--exclude-checks", ",".join(NOT_CHECKED))


def as_admin(served: Served) -> tuple[str, str]:
    """The options that send the admin's token."""
    return ("--header", f"Authorization: Bearer {served.token}")


def test_every_rest_endpoint_is_described(app: FastAPI) -> None:
    parts = [app, *(route.original_router for route in app.routes if hasattr(route, "original_router"))]
    served = {route.path for part in parts for route in part.routes if isinstance(route, Route)}
    assert served - {"/graphql"} == set(openapi.document()["paths"])
