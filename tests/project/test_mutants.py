"""The table of `make mutants` names what exists, and its list of equivalent mutants describes the present code."""

import tomllib

import pytest

from tests.mutants.targets import TARGETS, Target
from tests.support.paths import PROJECT


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.module)
def test_targets_exist(target: Target) -> None:
    assert not [path for path in (target.module, *target.tests) if not (PROJECT / path).exists()]


def test_equivalent_mutants_change_lines_that_exist_and_say_why() -> None:
    listed = tomllib.loads((PROJECT / "tests" / "mutants" / "equivalent.toml").read_text(encoding="utf-8"))
    modules = {target.module for target in TARGETS}

    for mutant in listed.get("mutant", []):
        assert mutant["module"] in modules
        lines = (PROJECT / mutant["module"]).read_text(encoding="utf-8").splitlines()
        assert mutant["removed"] in " ".join(line.strip() for line in lines), mutant
        assert len(mutant["reason"].split()) >= 4, mutant
