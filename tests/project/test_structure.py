"""The tests' own floor plan: what several files need is in tests/support."""

import ast

from tests.support.paths import PROJECT


def imported_modules(source: str) -> set[str]:
    """Everything that a file imports, as dotted names; of `from a import b` both a and a.b, as b may be a module."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def test_imports_are_seen_however_they_are_written() -> None:
    source = "import a.test_b\nfrom a import test_c\nfrom a.conftest import d\ndef f():\n    from .test_e import g\n"

    assert imported_modules(source) >= {"a.test_b", "a.test_c", "a.conftest", ".test_e"}


def test_no_file_imports_a_test_file_or_a_conftest() -> None:
    wrong = [
        f"{file.relative_to(PROJECT)} imports {module}"
        for file in (PROJECT / "tests").rglob("*.py")
        for module in imported_modules(file.read_text(encoding="utf-8"))
        if any(part == "conftest" or part.startswith("test_") for part in module.split("."))
    ]

    assert not wrong
