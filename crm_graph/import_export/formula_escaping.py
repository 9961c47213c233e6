"""Cells of CSV files that spreadsheets open: a text that one would take for a formula gets an apostrophe in front.

See OWASP, CSV injection. Numbers and telephone numbers stay as they are: a formula without a letter can't call anything
or refer to a cell. `restored` undoes exactly what `safe` does.
"""

import re
import unicodedata

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?[0-9 ().,/-]*", re.ASCII)


def safe(text: str) -> str:
    """The cell for a text; one that looks like such a cell already gets an apostrophe more."""
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def restored(cell: str) -> str:
    """The text of a cell."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


def _is_formula(text: str) -> bool:
    first = unicodedata.normalize("NFKC", text[:1])  # a full-width sign is a sign to spreadsheets
    return first.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
