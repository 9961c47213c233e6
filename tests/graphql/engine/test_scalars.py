"""What code generators learn of the scalars: each names its specification, and the guide has a type for each."""

import re

from graphql import GraphQLScalarType, build_schema, is_specified_scalar_type

from tests.support.documents import fenced
from tests.support.paths import PROJECT

SCHEMA = build_schema((PROJECT / "schema.graphql").read_text(encoding="utf-8"))
CUSTOM = {
    name: scalar
    for name, scalar in SCHEMA.type_map.items()
    if isinstance(scalar, GraphQLScalarType) and not is_specified_scalar_type(scalar)
}


def test_every_scalar_names_its_specification() -> None:
    assert CUSTOM
    assert not [name for name, scalar in CUSTOM.items() if not (scalar.specified_by_url or "").startswith("https://")]


def test_the_guide_has_a_type_for_every_scalar() -> None:
    (config,) = fenced(PROJECT / "docs" / "graphql.md", "ts")
    mapped = re.findall(r"^ {10}(\w+): ", config, re.MULTILINE)

    assert sorted(mapped) == sorted(CUSTOM)
