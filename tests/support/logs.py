"""What the application logs while a test runs."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from crm_graph.telemetry.logs import configure


@contextmanager
def written() -> Iterator[list[str]]:
    """The lines that `serve` writes while the block runs, at its chattiest; complete when the block has ended."""
    root = logging.getLogger()
    loggers = [item for item in logging.Logger.manager.loggerDict.values() if isinstance(item, logging.Logger)]
    before = [(one, vars(one).copy()) for one in (root, *loggers)]
    lines: list[str] = []
    with redirect_stderr(io.StringIO()) as stream:
        configure("debug")
        try:
            yield lines
        finally:
            for one, state in before:
                vars(one).update({name: state[name] for name in ("handlers", "level", "disabled", "propagate")})
                one.setLevel(one.level)  # forgets what it remembers of levels
            lines += stream.getvalue().splitlines()


def records(lines: list[str]) -> list[dict[str, Any]]:
    """Every line is one JSON object of printable ASCII."""
    for line in lines:
        assert line.isascii(), line
        assert line.isprintable(), line
    return [json.loads(line) for line in lines]
