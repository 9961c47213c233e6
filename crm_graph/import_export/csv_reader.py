"""Reads CSV files as other programs write them, record by record, with the number of the line that a problem is in."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_graph.errors import SetupError
from crm_graph.import_export import formula_escaping

DELIMITERS = ",;\t"
CELL_MAX = 1_000_000  # characters; without a limit, an unclosed quote would swallow the rest of the file
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how a byte that is not UTF-8 is decoded
_QUOTED = re.compile('"[^"]*"')
_OTHER_FORMATS = {b"\xff\xfe": "in UTF-16", b"\xfe\xff": "in UTF-16", b"PK\x03\x04": "a workbook"}


@dataclass(frozen=True, slots=True)
class Line:
    """A record: the number of its first line, and its cells or the problem with it."""

    number: int
    cells: list[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """An open file whose header was read. `position` returns how many bytes of the file were read."""

    header: list[str]
    lines: Iterator[Line]
    position: Callable[[], int]


@contextmanager
def open_csv(path: Path) -> Iterator[CsvFile]:
    """Open a file in UTF-8, with or without a byte order mark. The most frequent delimiter in its header is taken.

    Raises SetupError for a file without a header, and for one in another format.
    """
    with path.open("rb") as raw:
        start = raw.peek()
        for mark, format_name in _OTHER_FORMATS.items():
            if start.startswith(mark):
                raise SetupError(f"{path} is {format_name}: save it as CSV in UTF-8")
        first_line = _QUOTED.sub("", start.decode("utf-8", "replace").partition("\n")[0])
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        lines = _lines(text, max(DELIMITERS, key=first_line.count))
        header = next(lines, None)
        if header is None:
            raise SetupError(f"{path} is empty: the first line must name the columns")
        if header.problem:
            raise SetupError(f"{path}, line {header.number}: {header.problem}")
        yield CsvFile(header.cells, (_fitted(line, header.cells) for line in lines), raw.tell)


def _lines(text: io.TextIOWrapper, delimiter: str) -> Iterator[Line]:
    csv.field_size_limit(CELL_MAX)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            yield Line(number, [], f"from here on, this is not CSV: {error}; the rest of the file was not read")
            return
        if record is None:
            return
        if any(record):
            yield Line(number, [formula_escaping.unescape(cell) for cell in record], _not_utf8(record))


def _not_utf8(record: list[str]) -> str | None:
    for place, cell in enumerate(record, 1):
        if found := _NOT_UTF8.search(cell):
            byte = f"{ord(found[0]) - 0xDC00:#04x}"
            return f"cell {place} has the byte {byte}, which is not UTF-8: save the file as UTF-8"
    return None


def _fitted(line: Line, header: list[str]) -> Line:
    """The line with one cell for each column; empty cells at the end may be missing, or too many."""
    extra = [cell for cell in line.cells[len(header) :] if cell]
    if extra and not line.problem:
        counts = f"{len(line.cells)} cells, but the header has {len(header)}"
        return Line(line.number, line.cells, f"it has {counts}: is there an unquoted delimiter in a cell?")
    missing = [""] * (len(header) - len(line.cells))
    return Line(line.number, line.cells[: len(header)] + missing, line.problem)
