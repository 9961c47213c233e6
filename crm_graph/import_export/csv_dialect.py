"""What a CSV file is written in: its encoding, and the character between its cells."""

import codecs
import csv
import re
from dataclasses import dataclass
from pathlib import Path

from crm_graph.errors import SetupError

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 1 << 20
_SAMPLE_RECORDS = 50
_SEP_LINE = re.compile(r'\A"?sep=(.)"?\r?\n', re.IGNORECASE)  # Excel's own
_ADDRESS = re.compile(r"\A\s*(?:mailto:)?[^@\s,;]{1,64}@[^@\s,;]{1,190}\s*\Z")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_TURKISH = frozenset("ğĞşŞıİ".encode("cp1254"))  # in windows-1252 these bytes are Icelandic


@dataclass(frozen=True, slots=True)
class Dialect:
    """An encoding, a delimiter, and whether the first line only names that (`sep=;`).

    `guess` says, for people, which encoding was guessed because the file is not UTF-8; None if it is.
    """

    encoding: str
    delimiter: str
    has_sep_line: bool
    guess: str | None = None


def dialect(path: Path, sample: bytes, encoding: str | None = None) -> Dialect:
    """How a file is written, by its beginning. Raises SetupError for a workbook and an unknown `encoding`."""
    if sample.startswith(b"PK\x03\x04"):
        raise SetupError(f"{path} is a workbook: save it as CSV in UTF-8")
    name, guess = _encoding(sample, encoding)
    text = sample.decode(name, "replace")
    if found := _SEP_LINE.match(text):
        return Dialect(name, found[1], True, guess)
    return Dialect(name, max(DELIMITERS, key=lambda one: _fitness(text, one)), False, guess)


def _encoding(sample: bytes, given: str | None) -> tuple[str, str | None]:
    if given is not None:
        try:
            return codecs.lookup(given).name, None
        except LookupError:
            raise SetupError(f"there is no encoding {given!r}; windows-1252 and windows-1254 are common") from None
    for mark, name in _MARKS.items():
        if sample.startswith(mark):
            return name, None
    # The sample may end within a character. In a file that is UTF-8 but for a line, that line fails alone.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    foreign = {c for c in text if c > "\x7f"}
    if not foreign or not all("\udc80" <= c <= "\udcff" for c in foreign):
        return "utf-8-sig", None
    guess = "cp1254" if _TURKISH & set(sample) else "cp1252"
    return guess, f"the file is not UTF-8: it is read as windows-{guess[2:]}; --encoding names another"


def _fitness(text: str, delimiter: str) -> tuple[bool, float, int]:
    """How well a delimiter fits: whether a column has addresses, and how many records are as long as the header."""
    try:
        lines = text.splitlines(keepends=True)[: 20 * _SAMPLE_RECORDS]
        records = [one for one in csv.reader(lines, delimiter=delimiter) if any(one)][: _SAMPLE_RECORDS + 1]
    except csv.Error:
        return False, 0.0, 0
    header, *body = records or [[]]
    width = len(header)
    columns = zip(*(record for record in body if len(record) == width), strict=True)
    has_addresses = any(2 * sum(map(bool, map(_ADDRESS.match, cells))) > len(cells) for cells in columns)
    equal = sum(len(record) == width for record in body) / len(body) if body else 1.0
    return has_addresses, equal if width > 1 else 0.0, width
