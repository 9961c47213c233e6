"""Quoting: what the lead wrote, without quoted history, signature, disclaimer and phone footer.

mail-parser-reply 1.36 and quotequail 0.5 were measured and rejected (docs/decisions.md). This module reads line by
line, in linear time. history.py knows how history begins; lines of our own e-mails are known wherever they recur.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from crm_graph.intent import history
from crm_graph.intent.folding import fold
from crm_graph.intent.languages import alternatives
from crm_graph.intent.recurrence import recurring

_MAX_TEXT = 100_000  # characters read of a body; history is below the reply
_MAX_LINES = 2_000
_MAX_REPLY = 20_000
_MAX_LINE = 400  # characters read of a line; header lines are shorter

_DEVICE = re.compile(rf"\A(?:{alternatives('DEVICES')})")
_DISCLAIMER = re.compile(alternatives("DISCLAIMERS"))
_SIGN_OFF = re.compile(alternatives("SIGN_OFFS"))
_AFTERTHOUGHT = re.compile(alternatives("AFTERTHOUGHTS"))
_SIGNATURE = re.compile(r"[*_]{0,2} ?(?:--|---|__|–|—) ?[*_]{0,2}")
# A snippet arrives as one line: "Yes please! On Mon, Jan 5, 2026 Max <max@sender.com> wrote: > Would you ..."
_FLAT_HEADER = re.compile(
    r"(?<=\s)(?:On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|\d)[^\n]{5,200}? wrote:"
    r"|(?:\S{1,40} ){1,2}<[^<>\s]{1,80}@[^<>\s]{1,80}>,? [^\n]{5,60}? tarihinde[^\n]{0,20}? yazd[ıi]:"
    r"|\d{1,2}[ .]\w{1,7}[ .]\d{4}[^\n]{5,120}? tarihinde[^\n]{1,120}? yazd[ıi]:"
    r"|(?:Am|Le|El|Il|Em|Op|Den|W dniu) [^\n:]{0,40}\d{4}[^\n]{5,160}?"
    r"(?:schrieb|écrit|escribió|scritto|escreveu|schreef|skrev|napisał)[^\n:]{0,100}:)"
)
_SEE_BELOW = re.compile(rf"\A.{{0,60}}\b(?:{alternatives('SEE_BELOW')})\b.{{0,30}}$")


class Cut(NamedTuple):
    """The visible text. `certain` is False if it was collected from below the history."""

    text: str
    certain: bool


def visible_reply(text: str, sent: tuple[str, ...] = ()) -> str:
    """The reply alone. If it is below the history, the unquoted lines there; "" if all of it is history.

    `sent` are e-mails that the reply may quote without saying so.
    """
    return cut(text, sent).text


@lru_cache(maxsize=16)  # the timeline and the rules both need it
def cut(text: str, sent: tuple[str, ...] = ()) -> Cut:
    """Remove history, signature, disclaimer and footer.

    Reads 100,000 characters and 2,000 lines at most, and keeps 20,000 characters.
    """
    plain = text[:_MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\xa0", " ")
    plain = _FLAT_HEADER.sub(lambda header: f"\n{header[0]}\n", plain, count=1)
    lines = [line.strip(" \t\ufeff\u200b") for line in plain.split("\n", _MAX_LINES)[:_MAX_LINES]]
    folded = [_folded(line) for line in lines]
    if sent:
        recur = recurring(folded, [_folded(text[:_MAX_TEXT], _MAX_TEXT) for text in sent])
        lines, folded = ([one for i, one in enumerate(both) if i not in recur] for both in (lines, folded))
    start = history.begins_at(folded)
    above = _without_signature(lines[:start], folded[:start])
    below, is_between = _unquoted(lines[start:], folded[start:])
    if above and not (below and (is_between or _SEE_BELOW.match(fold(above)[:120]))):
        return Cut(above[:_MAX_REPLY], True)
    return Cut(f"{above}\n{below}".strip()[:_MAX_REPLY], False)


def _folded(line: str, length: int = _MAX_LINE) -> str:
    return fold(line[:length]).replace("'", "")


def _without_signature(lines: Sequence[str], folded: Sequence[str]) -> str:
    kept: list[str] = []
    signed = False
    for i, (line, plain) in enumerate(zip(lines, folded, strict=True)):
        if plain.startswith(">") or _DEVICE.match(plain) or not (line or kept):
            continue
        if kept and (_SIGNATURE.fullmatch(plain) or _DISCLAIMER.match(plain.lstrip("* "))):
            break
        if signed and not _AFTERTHOUGHT.match(plain):
            continue
        signed = signed or (bool(kept) and _signs_off(folded, i))
        kept.append(line)
    return "\n".join(kept).strip()


def _signs_off(folded: Sequence[str], i: int) -> bool:
    """Whether a closing stands alone on its line, with at most a name after it, unlike "Thanks,\\nplease remove me"."""
    if not _SIGN_OFF.fullmatch(folded[i].rstrip(",.! ")):
        return False
    following = next((other for other in folded[i + 1 :] if other), "")
    return len(following.split()) <= 5 and not _AFTERTHOUGHT.match(following)


def _unquoted(lines: Sequence[str], folded: Sequence[str]) -> tuple[str, bool]:
    """The lines below a history header that are neither quoted nor header lines, and whether they answer quoted ones.

    Answers stand between quoted lines, after an empty one; a quoted line that was wrapped follows at once.
    """
    kept: list[str] = []
    answers = 0
    for i, (line, plain) in enumerate(zip(lines, folded, strict=True)):
        if plain.startswith(">") or history.is_part_of_header(folded, i):
            continue
        is_quoted_above = any(other.startswith(">") for other in folded[max(0, i - 4) : max(0, i - 1)])
        is_answer = is_quoted_above and not folded[i - 1]
        answers += bool(line) and is_answer
        kept.append(line)
    text = _without_signature(kept, [_folded(line) for line in kept])
    return text, bool(answers)
