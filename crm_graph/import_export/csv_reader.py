"""Reads CSV files as other programs write them, record by record, with the number of the line that a problem is in."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_graph.errors import SetupError
from crm_graph.import_export import csv_dialect, formula_escaping

CELL_MAX = 1_000_000  # characters; without a limit, an unclosed quote would swallow the rest of the file
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how a byte that is not UTF-8 is decoded


@dataclass(frozen=True, slots=True)
class Line:
    """A record: the number of its first line, and its cells or the problem with it."""

    number: int
    cells: list[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """An open file whose header was read. `position` returns how many bytes of the file were read.

    `remark` says, for people, which encoding was guessed.
    """

    header: list[str]
    lines: Iterator[Line]
    position: Callable[[], int]
    remark: str | None = None


@contextmanager
def open_csv(path: Path, encoding: str | None = None) -> Iterator[CsvFile]:
    """Open a file in `encoding` or, without one, in UTF-8, UTF-16 with its mark, or windows-1252 or -1254.

    The delimiter is the one that yields a column of addresses and records of equal length; a line `sep=;` names it.
    Raises SetupError for a file without a header, and for one in another format.
    """
    with io.BufferedReader(path.open("rb", buffering=0), csv_dialect.SAMPLE_BYTES) as raw:
        found = csv_dialect.dialect(path, raw.peek(), encoding)
        text = io.TextIOWrapper(raw, found.encoding, errors="surrogateescape", newline="")
        if found.has_sep_line:
            text.readline()
        lines = _lines(text, found.delimiter, 1 + found.has_sep_line)
        header = next(lines, None)
        if header is None:
            raise SetupError(f"{path} is empty: the first line must name the columns")
        if header.problem:
            raise SetupError(f"{path}, line {header.number}: {header.problem}")
        yield CsvFile(header.cells, (_fitted(line, header.cells) for line in lines), raw.tell, found.guess)


def _lines(text: io.TextIOWrapper, delimiter: str, first: int) -> Iterator[Line]:
    csv.field_size_limit(CELL_MAX)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + first
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
            return f"cell {place} has the byte {byte}, which is not UTF-8: save the file as UTF-8, or use --encoding"
    return None


def _fitted(line: Line, header: list[str]) -> Line:
    """The line with one cell for each column; empty cells at the end may be missing, or too many."""
    extra = [cell for cell in line.cells[len(header) :] if cell]
    if extra and not line.problem:
        counts = f"{len(line.cells)} cells, but the header has {len(header)}"
        return Line(line.number, line.cells, f"it has {counts}: is there an unquoted delimiter in a cell?")
    missing = [""] * (len(header) - len(line.cells))
    return Line(line.number, line.cells[: len(header)] + missing, line.problem)
