"""The mutations: cosmic-ray's operators, and two of our own for what those leave alone.

Three things are not mutated, because the result says nothing: annotations (most such mutants can't be imported), the
decorator of a dataclass, and log lines.
"""

import difflib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider
from parso.tree import NodeOrLeaf

Position = tuple[tuple[int, int], tuple[int, int]]

CONDITIONS = {"where", "and_", "or_", "filter"}
LOGGERS = {"log", "logger"}
# They need a configuration that says which names to put in.
UNUSED = {"VariableReplacer", "VariableInserter"}


class Operator(Protocol):
    """What cosmic-ray asks of an operator; positions are counted through the whole module, in order."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """Where it can change this node, as (line, column) of the start and the end."""

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """The node with the change at one of its positions."""


class RemoveStatement:
    """Puts `pass` in place of a `raise`, a call whose result is dropped, or an assignment to an attribute or item."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """The statement, if it is one of those."""
        if node.type == "simple_stmt" and _has_an_effect(node.children[0]):
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put `pass` there."""
        prefix = node.children[0].get_first_leaf().prefix
        node.children[0] = parso.parse(f"{prefix}pass").children[0]
        return node


class RemoveCondition:
    """Leaves one condition out of a `where(...)`, `and_(...)` or `or_(...)` that has several."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """Each condition."""
        for argument in self._conditions(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Remove the condition with the comma after it."""
        arguments = node.children[1]
        at = arguments.children.index(self._conditions(node)[index])
        del arguments.children[at : at + 2]
        return node

    @staticmethod
    def _conditions(node: NodeOrLeaf) -> list[NodeOrLeaf]:
        if node.type != "trailer" or len(node.children) < 3 or node.children[1].type != "arglist":
            return []
        if node.get_previous_leaf().value not in CONDITIONS:
            return []
        return [child for child in node.children[1].children if child.type not in ("operator", "argument")]


@dataclass(frozen=True)
class Mutant:
    """A module with one change: `source` is its whole text, and `removed` and `added` are the lines that differ."""

    module: str
    line: int
    operator: str
    source: str
    diff: str
    removed: str
    added: str


@dataclass(frozen=True)
class Place:
    """Where something can be changed; each candidate is an operator and the number of the change within the module."""

    module: str
    line: int
    candidates: tuple[tuple[str, int], ...]

    def draw(self, source: str, chance: random.Random) -> Mutant | None:
        """One of the changes; None if none of them makes a program that Python can parse."""
        for name, occurrence in chance.sample(self.candidates, len(self.candidates)):
            try:
                mutated = mutate_code(source, _operators()[name](), occurrence)
            except AttributeError:  # cosmic-ray 8.7 can't replace every comparison of two words
                continue
            if mutated is not None and mutated != source and _compiles(mutated):
                return _mutant(self, name, source, mutated)
        return None


def places(module: str, source: str) -> list[Place]:
    """Every place of a module's source that can be changed, in order."""
    nodes = list(ast_nodes(get_ast(source)))
    ignored = [(node.start_pos, node.end_pos) for node in nodes if _is_ignored(node)]
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name, operator in _operators().items():
        positions = (position for node in nodes for position in operator().mutation_positions(node))
        for occurrence, (start, _end) in enumerate(positions):
            if not any(first <= start < last for first, last in ignored):
                found.setdefault(start, []).append((name, occurrence))
    return [Place(module, start[0], tuple(candidates)) for start, candidates in sorted(found.items())]


def _operators() -> dict[str, type[Operator]]:
    provider = OperatorProvider()
    library = {name: provider[name] for name in provider if name not in UNUSED}
    return library | {"RemoveStatement": RemoveStatement, "RemoveCondition": RemoveCondition}


def _has_an_effect(statement: NodeOrLeaf) -> bool:
    if statement.type == "raise_stmt":
        return True
    if statement.type == "expr_stmt":  # a local name would only be missing where it is read
        return bool(statement.children[0].type == "atom_expr")
    return bool(statement.type == "atom_expr" and statement.children[-1].get_code().startswith("("))


def _is_ignored(node: NodeOrLeaf) -> bool:
    """Whether it is an annotation, the decorator of a dataclass, a log line, or a bare `*` among parameters."""
    parent, before = node.parent, node.get_previous_leaf()
    if parent is None or before is None:
        return False
    is_annotation = (parent.type, before.value) in {("tfpdef", ":"), ("annassign", ":"), ("funcdef", "->")}
    is_dataclass = node.type == "decorator" and node.get_code().strip().startswith("@dataclass")
    is_log = node.type == "atom_expr" and node.get_first_leaf().value in LOGGERS
    is_star = node.type == "operator" and parent.type in ("parameters", "param", "argument")
    return is_annotation or is_dataclass or is_log or is_star


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _mutant(place: Place, operator: str, before: str, after: str) -> Mutant:
    diff = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    removed, added = (" ".join(line[1:].strip() for line in diff if line[0] == sign) for sign in "-+")
    return Mutant(place.module, place.line, operator, after, "\n".join(diff), removed, added)
