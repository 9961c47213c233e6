"""Attacks on a regular expression, derived from its parsed form: texts that make a backtracking matcher try again.

Backtracking costs more than linear time where a repeat can give back what it took, or where a search can start at many
places: each unit of the expression (the sample of a part, of what leads to a repeat, of a repeat's body) is therefore
repeated to the whole length, alone and after what leads to it, and followed by something that can't match.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]  # public as sre_constants, which is deprecated
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Node = tuple[Any, Any]  # an opcode and its arguments, as re's parser makes them

ENDINGS = ("\x00", "!\n")
# Tried in this order as a sample of a set of characters: what several sets share is the most dangerous.
LETTERS = "a1 -.@<\n>(x0'\"/:,_=+é İ\u0301\t\r!?#%&;[]{}|\\~$^*`"
SPECIALS = ("a", " ", "\n", "1", "a ", "1 ", "-", "\u0301", "<", "@")
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
MANY = 8  # a repeat of at most this is no danger


def attacks(pattern: re.Pattern[str], size: int, units: int) -> Iterator[str]:
    """Texts of `size` characters; of the pattern's units, at most `units` are used, spread over the pattern."""
    derived = list(dict.fromkeys(_units(_parse(pattern), pattern.flags)))
    step = max(1, len(derived) // units)
    for lead, unit in [*derived[::step], *(("", special) for special in SPECIALS)]:
        body = unit * (size // len(unit) + 1)
        for ending in ENDINGS:
            yield lead + body[: max(0, size - len(lead) - len(ending))] + ending


@lru_cache(maxsize=1)  # the same pattern is attacked at several sizes
def _parse(pattern: re.Pattern[str]) -> Sequence[Node]:
    return list(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))


def _units(nodes: Sequence[Node], flags: int, lead: str = "") -> Iterator[tuple[str, str]]:
    """What leads to each part, and the part's sample, to be repeated."""
    for op, args in nodes:
        for body in _bodies(op, args):
            sample = _sample(body, flags)
            if op in REPEATS and args[1] > MANY:
                for unit in _variants(body, flags):
                    yield lead, unit
                    yield "", unit
                if lead:
                    yield "", lead + sample
            yield from _units(body, flags, lead)
        lead += _sample([(op, args)], flags)
    if lead:
        yield "", lead


def _bodies(op: Any, args: Any) -> Iterable[Sequence[Node]]:
    """The sequences inside a part."""
    if op in REPEATS:
        return [list(args[2])]
    if op is ops.BRANCH:
        return [list(branch) for branch in args[1]]
    if op is ops.SUBPATTERN:
        return [list(args[3])]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [list(args[1])]
    return [list(args)] if op is ops.ATOMIC_GROUP else []


def _variants(body: Sequence[Node], flags: int) -> Iterator[str]:
    """Samples of a repeat's body; of a single set of characters, several."""
    if len(body) == 1 and not list(_bodies(*body[0])):
        yield from [letter for letter in LETTERS if _matches(body, letter, flags)][:6]
    elif sample := _sample(body, flags):
        yield sample


def _sample(nodes: Sequence[Node], flags: int) -> str:
    """A short text that the sequence matches, or nearly: assertions are not looked at."""
    return "".join(_sample_of(op, args, flags) for op, args in nodes)


def _sample_of(op: Any, args: Any, flags: int) -> str:
    if op is ops.LITERAL:
        return chr(args)
    if op in REPEATS:
        return _sample(list(args[2]), flags) * int(max(args[0], min(1, args[1])))
    if op in (ops.IN, ops.ANY, ops.NOT_LITERAL):
        return next((letter for letter in LETTERS if _matches([(op, args)], letter, flags)), "a")
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return ""
    return next((_sample(body, flags) for body in _bodies(op, args)), "")


def _matches(nodes: Sequence[Node], letter: str, flags: int) -> bool:
    """Whether a sequence of one character matches a letter."""
    op, args = nodes[0]
    if op is ops.LITERAL:
        return bool(args == ord(letter))
    if op is ops.NOT_LITERAL:
        return bool(args != ord(letter))
    if op is ops.ANY:
        return letter != "\n" or bool(flags & re.DOTALL)
    if op is not ops.IN:
        return False
    found = any(_is_in(item, value, letter) for item, value in args if item is not ops.NEGATE)
    return found is not bool(args[0][0] is ops.NEGATE)


def _is_in(item: Any, value: Any, letter: str) -> bool:
    if item is ops.LITERAL:
        return bool(value == ord(letter))
    if item is ops.RANGE:
        return bool(value[0] <= ord(letter) <= value[1])
    kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rpartition("_")[2]]
    return bool(re.match(kind, letter)) != ("_NOT_" in str(value))
