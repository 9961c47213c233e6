"""GraphQL Code Generator with the configuration of the guide: it knows every scalar, and its types can be used."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.node import NodeMissing, node, npm_packages
from tests.support.documents import fenced
from tests.support.paths import PROJECT

DOCUMENTS = """
query Deals { deals(first: 1) { nodes { id amount closeDate createdAt contact { custom } } } }
mutation CreateDeal($input: CreateDealInput!) { createDeal(input: $input) { deal { id amount } } }
"""
USE = """
import type { CreateDealMutationVariables, DealsQuery } from './crm';
export const variables: CreateDealMutationVariables = { input: { title: 'Acme pilot', amount: 1200.5 } };
export const amounts = ({ deals }: DealsQuery): (string | null)[] => deals.nodes.map((deal) => deal.amount);
export const day = ({ deals }: DealsQuery): string | null | undefined => deals.nodes[0]?.closeDate;
"""
MISUSE = """
import type { DealsQuery } from './crm';
export const sum = ({ deals }: DealsQuery): number => deals.nodes.reduce((all, deal) => all + deal.amount!, 0);
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A client's project, with the guide's codegen.ts."""
    try:
        node()
        packages = npm_packages(Path(__file__).with_name("codegen"))
    except NodeMissing as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(PROJECT / "schema.graphql", tmp_path)
    (tmp_path / "codegen.ts").write_text(config())
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "documents.graphql").write_text(DOCUMENTS)
    (tmp_path / "src" / "use.ts").write_text(USE)
    return tmp_path


def config() -> str:
    (text,) = fenced(PROJECT / "docs" / "graphql.md", "ts")
    return text


def run(project: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [node(), project / "node_modules" / ".bin" / program, *arguments]
    environment = {"PATH": os.pathsep.join((str(node().parent), os.defpath)), "HOME": str(project), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)


def type_checked(project: Path) -> subprocess.CompletedProcess[str]:
    options = ("--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck")
    return run(project, "tsc", *options, "src/use.ts")


def test_the_types_can_be_used(project: Path) -> None:
    generated = run(project, "graphql-codegen", "--config", "codegen.ts")
    assert generated.returncode == 0, generated.stdout + generated.stderr

    checked = type_checked(project)
    assert checked.returncode == 0, checked.stdout

    (project / "src" / "use.ts").write_text(MISUSE)  # an amount is text: adding it up as numbers must not pass
    checked = type_checked(project)
    assert checked.returncode != 0
    assert "Type 'string' is not assignable to type 'number'" in checked.stdout


def test_a_scalar_without_a_type_is_an_error(project: Path) -> None:
    (project / "codegen.ts").write_text(config().replace("JSON: 'unknown',", ""))

    generated = run(project, "graphql-codegen", "--config", "codegen.ts")

    assert generated.returncode != 0
    assert "Unknown scalar type JSON" in generated.stdout + generated.stderr
