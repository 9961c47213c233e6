"""Sheets: CSV files as people have them, read record by record, with the line that something is wrong in."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_graph.errors import SetupError
from crm_graph.import_export import formula_escaping as cells

DELIMITERS = ",;\t"
CELL_MAX = 1_000_000  # characters; a quote that is never closed would swallow the rest of the file
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what a byte that is not UTF-8 is read as
_QUOTED = re.compile('"[^"]*"')
_OTHER_FORMATS = {b"\xff\xfe": "in UTF-16", b"\xfe\xff": "in UTF-16", b"PK\x03\x04": "a workbook"}


@dataclass(frozen=True, slots=True)
class Line:
    """A record: the line that it begins in, and its cells, or the problem with it."""

    number: int
    cells: list[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """An open file behind its header; `position` tells how many bytes of it have been read."""

    header: list[str]
    lines: Iterator[Line]
    position: Callable[[], int]


@contextmanager
def opened(path: Path) -> Iterator[Sheet]:
    """A file in UTF-8, with or without a byte order mark, whose delimiter is the one that its header has most of.

    Raises SetupError for a file without a header, or that is no such file.
    """
    with path.open("rb") as raw:
        start = raw.peek()
        for mark, what in _OTHER_FORMATS.items():
            if start.startswith(mark):
                raise SetupError(f"{path} is {what}: save it as CSV in UTF-8")
        first = _QUOTED.sub("", start.decode("utf-8", "replace").partition("\n")[0])
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        lines = _lines(text, max(DELIMITERS, key=first.count))
        header = next(lines, None)
        if header is None:
            raise SetupError(f"{path} is empty: the first line must name the columns")
        if header.problem:
            raise SetupError(f"{path}, line {header.number}: {header.problem}")
        yield Sheet(header.cells, (_checked(line, header.cells) for line in lines), raw.tell)


def _lines(text: io.TextIOWrapper, delimiter: str) -> Iterator[Line]:
    csv.field_size_limit(CELL_MAX)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            yield Line(number, [], f"from here on this is not CSV: {error}; nothing behind it was read")
            return
        if record is None:
            return
        if any(record):
            yield Line(number, [cells.restored(cell) for cell in record], _undecodable(record))


def _undecodable(record: list[str]) -> str | None:
    for place, cell in enumerate(record, 1):
        if found := _NOT_UTF8.search(cell):
            byte = f"{ord(found[0]) - 0xDC00:#04x}"
            return f"cell {place} has the byte {byte}, which is not UTF-8: save the file as UTF-8"
    return None


def _checked(line: Line, header: list[str]) -> Line:
    """The line with one cell for each column; a line may leave out the last ones."""
    extra = [cell for cell in line.cells[len(header) :] if cell]
    if extra and not line.problem:
        problem = f"it has {len(line.cells)} cells, but the header {len(header)}: is a delimiter in a cell unquoted?"
        return Line(line.number, line.cells, problem)
    missing = [""] * (len(header) - len(line.cells))
    return Line(line.number, line.cells[: len(header)] + missing, line.problem)
