"""Mutants that no test can kill, because the program does the same: equivalent.toml has them, with a reason each."""

import tomllib
from functools import cache
from pathlib import Path

from tests.mutants.operators import Mutant


def reason_for(mutant: Mutant) -> str | None:
    """Why a mutant is equivalent; None when it is not known to be."""
    return _listed().get((mutant.module, mutant.removed, mutant.added))


@cache
def _listed() -> dict[tuple[str, str, str], str]:
    listed = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text(encoding="utf-8"))
    return {(one["module"], one["removed"], one["added"]): one["reason"] for one in listed.get("mutant", [])}
