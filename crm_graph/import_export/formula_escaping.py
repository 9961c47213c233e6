"""Escapes cells of CSV files: text that a spreadsheet would run as a formula gets an apostrophe in front.

See OWASP, CSV injection. Numbers and telephone numbers stay unchanged: a formula without a letter can neither call a
function nor refer to a cell. `unescape` undoes exactly what `escape` does.
"""

import re
import unicodedata

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?[0-9 ().,/-]*", re.ASCII)


def escape(text: str) -> str:
    """The cell for a text. A text that looks like an escaped cell gets one more apostrophe."""
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def unescape(cell: str) -> str:
    """The text of a cell."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


def _is_formula(text: str) -> bool:
    first = unicodedata.normalize("NFKC", text[:1])  # spreadsheets take a full-width sign for a sign, too
    return first.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
