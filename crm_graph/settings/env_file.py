"""`.env` in the working folder: where it is, and which of its lines can't be what their author wanted."""

import logging
import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import Binding, parse_stream

logging.getLogger("dotenv").setLevel("ERROR")  # problems() reports more
ENV_FILE = Path(".env")


def problems(names: Collection[str]) -> list[str]:
    """A message for each line of `.env` that looks like one of the settings `names` but sets none, without values."""
    if not ENV_FILE.is_file():  # nor if it is a pipe, which can be read only once
        return []
    with ENV_FILE.open(encoding="utf-8-sig") as file:
        found = [(binding, _line_problem(binding, names)) for binding in parse_stream(file)]
    return [f"{ENV_FILE} line {_line_number(binding)}: {problem}" for binding, problem in found if problem]


def _line_problem(binding: Binding, names: Collection[str]) -> str | None:
    if binding.error:
        word = re.match(r"\s*(?:export\s+)?(\w+)", binding.original.string)
        name = word[1].upper() if word and word[1].upper() in names else "it"
        return f"{name} can't be read; write NAME=value, and close every quote"
    key = (binding.key or "").upper()
    close = get_close_matches(key, names, n=1, cutoff=0.8)
    if not close or (key in names and binding.value is not None):
        return None
    return f"{key} has no = after it" if key in names else f"{key!a} is not a setting; did you mean {close[0]}?"


def _line_number(binding: Binding) -> int:
    """The number of its first line: python-dotenv counts the empty lines before it as its own."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
