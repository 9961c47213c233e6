"""The house keeps its shape: small files, short chains of imports, and a place in the contract for every room."""

import tomllib
from functools import cache

import grimp

from tests.support.paths import PROJECT

LINES_MAX = 300
CHAIN_MAX = 19  # modules, from the first importer to the last imported
VOCABULARIES = "intent/languages/"  # lists of words, which read better in one piece


def test_files_stay_small() -> None:
    folders = ("crm_graph", "webhooks", "tests", "bench")
    files = [file for folder in folders for file in (PROJECT / folder).rglob("*.py")]
    lengths = {str(file.relative_to(PROJECT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}

    assert len(files) > 100
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX and VOCABULARIES not in name} == {}


def test_chains_of_imports_stay_short() -> None:
    graph = grimp.build_graph("crm_graph", "webhooks", cache_dir=None)

    @cache
    def longest_from(module: str) -> tuple[str, ...]:
        imported = graph.find_modules_directly_imported_by(module)
        return (module, *max(map(longest_from, sorted(imported)), key=len, default=()))

    longest = max(map(longest_from, sorted(graph.modules)), key=len)
    assert len(longest) <= CHAIN_MAX, " -> ".join(longest)


def test_every_room_has_a_place_in_the_contract() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    placed = {room.strip() for layer in contracts[0]["layers"] for room in layer.split("|")}
    package = PROJECT / "crm_graph"
    files = {file.stem for file in package.glob("*.py") if not file.stem.startswith("__")}
    rooms = {f"crm_graph.{name}" for name in files | {init.parent.name for init in package.glob("*/__init__.py")}}

    assert placed == rooms | {"webhooks"}
