"""`.env` in the working folder: where it is, what it sets, and which of its lines can't be what their author wanted."""

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from crm_graph.settings.similar_names import meant

logging.getLogger("dotenv").setLevel("ERROR")  # problems() reports more
ENV_FILE = Path(".env")
ENCODING = "utf-8-sig"


def values() -> Mapping[str, str]:
    """What the file sets, by names in capitals, without empty values. Raises OSError and UnicodeDecodeError."""
    if not ENV_FILE.is_file():  # nor if it is a pipe, which can be read only once
        return {}
    return {name.upper(): value for name, value in dotenv_values(ENV_FILE, encoding=ENCODING).items() if value}


def lines() -> Mapping[str, int]:
    """The line in which each name is set, by names in capitals. Raises OSError and UnicodeDecodeError."""
    return {(one.key or "").upper(): _line_number(one) for one in _bindings() if one.value}


def problems(names: Collection[str]) -> list[str]:
    """A message, without values, for each line that can't be read, that looks like one of `names` but sets none, or
    that sets one of them again. Raises OSError and UnicodeDecodeError.
    """
    found = []
    first: dict[str, int] = {}
    for binding in _bindings():
        line, name = _line_number(binding), (binding.key or "").upper()
        problem = _line_problem(binding, names)
        if problem is None and name in names and first.setdefault(name, line) != line:
            problem = f"{name} is set in line {first[name]} already; delete one of the lines"
        if problem:
            found.append(f"{ENV_FILE} line {line}: {problem}")
    return found


def _bindings() -> list[Binding]:
    if not ENV_FILE.is_file():
        return []
    with ENV_FILE.open(encoding=ENCODING) as file:
        return list(parse_stream(file))


def _line_problem(binding: Binding, names: Collection[str]) -> str | None:
    if binding.error:
        word = re.match(r"\s*(?:export\s+)?(\w+)", binding.original.string)
        name = word[1].upper() if word and word[1].upper() in names else "it"
        return f"{name} can't be read; write NAME=value, and close every quote"
    key = (binding.key or "").upper()
    if key in names and binding.value is None:
        return f"{key} has no = after it"
    if "\n" in (binding.value or "") and _takes_in(binding, names):
        return f"the quote after {key!a} is not closed in its line"
    setting = meant(key, names)
    return f"{key!a} is not a setting; did you mean {setting}?" if setting else None


def _takes_in(binding: Binding, names: Collection[str]) -> bool:
    """Whether a value of several lines is a setting's, or has a setting in it. None of ours needs such a value."""
    words = re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", binding.original.string, re.MULTILINE)
    return any(word.upper() in names for word in words)


def _line_number(binding: Binding) -> int:
    """The number of its first line: python-dotenv counts the empty lines before it as its own."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
