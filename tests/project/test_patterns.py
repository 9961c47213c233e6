"""Every regular expression is linear: for 1 MB of the worst text that its form suggests, too (`make fuzz`)."""

import ast
import importlib
import os
import pkgutil
import re
from collections.abc import Callable, Iterator
from time import thread_time

import pytest

import crm_graph
import webhooks
from crm_graph.intent.cues import KINDS
from crm_graph.intent.languages import LANGUAGES
from crm_graph.intent.phrases import compile_phrases
from tests.support.paths import PROJECT
from tests.support.regex_attacks import attacks

OPERATORS_TEXT = "crm_graph.settings"  # what the operator writes is short, and only read at start
FUZZ = "FUZZ_EXAMPLES" in os.environ
SIZE = 1_000_000 if FUZZ else 4_000
SIZES = {"simple": SIZE, "phrases": 50_000}  # phrases are read in clauses of 1,000 characters
UNITS = {"simple": 60 if FUZZ else 20, "phrases": 4}
SECONDS = {"simple": 1.5 if FUZZ else 0.01, "phrases": 1.0}  # for one text
# What a text of SIZE may cost more than four times a text of a fourth of it, before the difference is no noise.
GROWTH = 2.5


def modules() -> Iterator[str]:
    for package in (crm_graph, webhooks):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and not module.name.startswith(OPERATORS_TEXT):
                yield module.name


def patterns() -> dict[str, re.Pattern[str]]:
    """The compiled patterns of all modules, by their names."""
    return {
        f"{name}.{variable}": value
        for name in modules()
        for variable, value in vars(importlib.import_module(name)).items()
        if isinstance(value, re.Pattern)
    }


def vocabularies() -> dict[str, re.Pattern[str]]:
    """The phrases of all languages, compiled as cues.py does."""
    return {
        f"{language.name}.{kind}": compile_phrases(block, language.classes)
        for language in LANGUAGES
        for kind, block in language.phrases.items()
        if kind in {name for name, _, _ in KINDS}
    }


def seconds(use: Callable[[str], object], text: str) -> float:
    started = thread_time()
    use(text)
    return thread_time() - started


def uses(pattern: re.Pattern[str]) -> tuple[Callable[[str], object], ...]:
    return (lambda text: sum(1 for _ in pattern.finditer(text)), pattern.fullmatch)


def is_linear(use: Callable[[str], object], text: str, limit: float) -> bool:
    """Whether a text takes less than `limit`, or else about four times what its fourth takes."""
    if seconds(use, text) < limit:
        return True
    fourth = text[: len(text) // 4] + text[-2:]
    whole, part = (min(seconds(use, one) for _ in range(3)) for one in (text, fourth))
    return whole < limit or (whole < 5 * limit and whole < 4 * GROWTH * part)


def slow_text(pattern: re.Pattern[str], kind: str) -> str | None:
    """The first attack that takes more than linear time."""
    for text in attacks(pattern, SIZES[kind], UNITS[kind]):
        if not all(is_linear(use, text, SECONDS[kind]) for use in uses(pattern)):
            return f"{text[:80]!r}...{text[-20:]!r}"
    return None


def test_patterns_are_linear() -> None:
    slow = {name: text for name, pattern in patterns().items() if (text := slow_text(pattern, "simple"))}

    assert not slow


def test_phrases_have_only_bounded_words() -> None:
    assert not [name for name, pattern in vocabularies().items() if re.search(r"\\w[*+]", pattern.pattern)]


@pytest.mark.skipif(not FUZZ, reason="takes minutes: see make fuzz")
def test_phrases_are_linear() -> None:
    slow = {name: text for name, pattern in vocabularies().items() if (text := slow_text(pattern, "phrases"))}

    assert not slow


@pytest.mark.parametrize(
    "pattern",
    [
        r"[^\s@]+@[^\s@]+",  # a search begins again at each letter
        r"\s*(?:hi|hello),",
        r"on (?=.*\d)",
    ],
)
def test_a_pattern_that_is_not_linear_is_found(pattern: str) -> None:
    assert any(
        not is_linear(use, text, 0.01)
        for use in uses(re.compile(pattern))
        for text in attacks(re.compile(pattern), 4_000, 20)
    )


def test_patterns_are_compiled_where_this_test_finds_them() -> None:
    """At module level; phrases.py compiles the vocabularies, which are taken from there."""
    wrong = [
        f"{file.relative_to(PROJECT)}:{node.lineno}"
        for package in ("crm_graph", "webhooks")
        for file in (PROJECT / package).rglob("*.py")
        if file.name != "phrases.py"
        and file.parent.name != "settings"
        and "import re\n" in file.read_text(encoding="utf-8")
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr != "escape"
    ]

    assert not wrong
