"""Phrases: the notation of the vocabularies, compiled to regular expressions with bounded repeats only.

One phrase a line, over folded words; a comma may stand between two words of a phrase, but not in a gap: `(a|b)`
alternatives, `word*` and `(a|b)*` stems with any ending, `(x)?` an optional word, `(a|b)~` up to four of these words,
`…` up to four words between, `<name>` a class of words or endings, `^` and `$` the ends of the clause, `#` a comment;
within a word, regular expressions. A line that ends in | goes on in the next.
"""

import re
from collections.abc import Mapping

from crm_graph.intent.folding import WORD_MAX

_PLAIN = r"\x20"
_GAP = rf"(?:{_PLAIN}\w+){{0,4}}"  # no comma: what is behind it is said of something else
_SPACE = re.compile(" ")
_CLASS = re.compile(r"<(\w+)>")
_STEM = re.compile(r"(?<=[\w)\]])\*")
_CONTINUED = re.compile(r"\|\n\s+")
_GROUP = re.compile(r"\((?!\?)")


def compile_phrases(block: str, classes: Mapping[str, str]) -> re.Pattern[str]:
    """Compile the phrases of a block into one expression.

    Raises KeyError for an unknown class, ValueError for a phrase whose parentheses don't match.
    """
    lines = (line.split("#")[0].strip() for line in _CONTINUED.sub("|", block).splitlines())
    phrases = [_phrase(line, classes) for line in lines if line]
    return re.compile(_bounded(rf"\b(?:{'|'.join(phrases)})(?!\w)"))


def _bounded(pattern: str) -> str:
    """The same over folded words, which have at most WORD_MAX letters: open repeats in a row take quadratic time."""
    return pattern.replace(r"\w*", rf"\w{{0,{WORD_MAX}}}").replace(r"\w+", rf"\w{{1,{WORD_MAX}}}")


def _phrase(line: str, classes: Mapping[str, str]) -> str:
    if line.count("(") != line.count(")"):
        raise ValueError(f"the parentheses don't match in the phrase: {line}")
    pattern, led, space = "", False, " "
    for part in _split(line.removeprefix("^").removesuffix("$").strip()):
        if part == "…":
            pattern += _GAP
            space = _PLAIN
            continue
        if _is_optional(part):
            often = "{0,4}" if part.endswith("~") else "?"
            pattern += f"(?:{space}{part[:-1]}){often}" if led else f"(?:{part[:-1]} ){often}"
            continue
        pattern += f"{space}({part})" if led else f"({part})"
        led, space = True, " "
    pattern = _CLASS.sub(lambda name: f"({classes[name[1]]})", pattern)
    pattern = _SPACE.sub(",? ", pattern)
    pattern = _GROUP.sub("(?:", _STEM.sub(r"\\w*", pattern))
    return ("^" if line.startswith("^") else "") + f"(?:{pattern})" + ("$" if line.endswith("$") else "")


def _split(line: str) -> list[str]:
    """Split at spaces outside parentheses."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(line):
        depth += (c == "(") - (c == ")")
        if c == " " and depth == 0:
            parts.append(line[start:i])
            start = i + 1
    return [part for part in [*parts, line[start:]] if part]


def _is_optional(part: str) -> bool:
    """Whether a part is one group that may be missing: "(very)?" or "(so|very)~" but not "(ask)(ing)?"."""
    return part.startswith("(") and part.endswith((")?", ")~")) and _closes_at(part) == len(part) - 2


def _closes_at(part: str) -> int:
    depth = 0
    for i, c in enumerate(part):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i
    return -1
