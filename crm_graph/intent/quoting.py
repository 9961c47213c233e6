"""Quoting: removes quoted history, signature, disclaimer and phone footer from a reply.

mail-parser-reply 1.36 was measured and rejected: its header and signature expressions need over 17 s for 20 kB of "On
On On" or blank lines. It also reads a line that starts with "Thanks," or "- " as the signature, so that "Hi,\nThanks,
but please remove me from your list" lost its second line. This module reads line by line, in linear time, and knows the
headers of Gmail, Apple Mail, Outlook and Yahoo in English and Turkish.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from crm_graph.intent.folding import fold
from crm_graph.intent.languages import alternatives

_MAX_TEXT = 100_000  # characters read of a body; history is below the reply
_MAX_LINES = 2_000
_MAX_REPLY = 20_000
_MAX_LINE = 400  # characters read of a line; header lines are shorter

_WROTE = re.compile(r"(?:\bwrote|\byazdi|\bschrieb|\ba ecrit|\bescribio)(?: ?\([^()]{0,60}\))? ?:$")
_HEADER_START = re.compile(r"\A(?:on (?=.*\d)|\d{1,4}[./ -]\w{1,10}[./ -]|[^<>]{0,80}<[^<>@ ]{1,80}@)")
_SEPARATOR = re.compile(
    r"\A(?:[-_*= ]{2,}(?:original (?:message|mail)|forwarded message|ozgun (?:ileti|mesaj)|"
    r"orijinal (?:ileti|mesaj|e-?posta)|(?:iletilen|yonlendirilen|yonlendirilmis) (?:ileti|mesaj|e-?posta)|ilk mesaj|"
    r"ursprungliche nachricht)"
    r"[-_*= ]{2,}$|begin forwarded message:|_{20,}$)"
)
_SENDER_LABEL = re.compile(r"\A[* ]*+(?:from|kimden|gonderen|von)[* ]*+:")
_OTHER_LABEL = re.compile(
    r"\A[* ]*+(?:sent|date|to|cc|subject|gonderil\w*|gonder(?:me|im) tarihi|tarih|kime|alici|bilgi|konu|an|betreff)"
    r"[* ]*+:"
)
_DEVICE = re.compile(rf"\A(?:{alternatives('DEVICES')})")
_DISCLAIMER = re.compile(alternatives("DISCLAIMERS"))
_SIGN_OFF = re.compile(alternatives("SIGN_OFFS"))
_AFTERTHOUGHT = re.compile(alternatives("AFTERTHOUGHTS"))
# A snippet arrives as one line: "Yes please! On Mon, Jan 5, 2026 Max <max@sender.com> wrote: > Would you ..."
_FLAT_HEADER = re.compile(
    r"(?<=\s)(?:On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|\d)[^\n]{5,200}? wrote:"
    r"|(?:\S{1,40} ){1,2}<[^<>\s]{1,80}@[^<>\s]{1,80}>,? [^\n]{5,60}? tarihinde[^\n]{0,20}? yazd[ıi]:"
    r"|\d{1,2}[ .]\w{1,7}[ .]\d{4}[^\n]{5,120}? tarihinde[^\n]{1,120}? yazd[ıi]:)"
)
_SEE_BELOW = re.compile(rf"\A.{{0,60}}\b(?:{alternatives('SEE_BELOW')})\b.{{0,30}}$")


class Cut(NamedTuple):
    """The visible text. `certain` is False if it was collected from below the history."""

    text: str
    certain: bool


def visible_reply(text: str) -> str:
    """The reply alone. If it is below the history, the unquoted lines there; "" if all of it is history."""
    return cut(text).text


@lru_cache(maxsize=16)  # the timeline and the rules both need it
def cut(text: str) -> Cut:
    """Remove history, signature, disclaimer and footer.

    Reads 100,000 characters and 2,000 lines at most, and keeps 20,000 characters.
    """
    plain = text[:_MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\xa0", " ")
    plain = _FLAT_HEADER.sub(lambda header: f"\n{header[0]}\n", plain, count=1)
    lines = [line.strip(" \t\ufeff\u200b") for line in plain.split("\n", _MAX_LINES)[:_MAX_LINES]]
    folded = [fold(line[:_MAX_LINE]).replace("'", "") for line in lines]
    start = next((i for i in range(len(lines)) if _opens_history(folded, i)), len(lines))
    above = _without_signature(lines[:start], folded[:start])
    below = _unquoted(lines[start:], folded[start:])
    if above and not (below and _SEE_BELOW.match(fold(above)[:120])):
        return Cut(above[:_MAX_REPLY], True)
    return Cut(f"{above}\n{below}".strip()[:_MAX_REPLY], False)


def _opens_history(folded: Sequence[str], i: int) -> bool:
    line = folded[i].lstrip("> ")
    if _SEPARATOR.match(line) or _is_wrote_line(line):
        return True
    if _SENDER_LABEL.match(line):
        return any(_OTHER_LABEL.match(other.lstrip("> ")) for other in folded[i + 1 : i + 5])
    return bool(_HEADER_START.match(line)) and _wraps_to_wrote(folded, i)


def _is_wrote_line(line: str) -> bool:
    return bool(_WROTE.search(line[-120:])) and any(c.isdigit() or c in "@." for c in line)


def _wraps_to_wrote(folded: Sequence[str], i: int) -> bool:
    """Whether an "On ... wrote:" line starts here, which mail clients wrap over at most three lines."""
    joined = folded[i]
    for following in folded[i + 1 : i + 3]:
        if not following or (_HEADER_START.match(following) and _is_wrote_line(following)):
            return False
        joined = f"{joined} {following}"
        if _is_wrote_line(joined):
            return True
    return False


def _without_signature(lines: Sequence[str], folded: Sequence[str]) -> str:
    kept: list[str] = []
    signed = False
    for i, (line, plain) in enumerate(zip(lines, folded, strict=True)):
        if plain.startswith(">") or _DEVICE.match(plain) or not (line or kept):
            continue
        if kept and (plain in ("--", "---", "__") or _DISCLAIMER.match(plain.lstrip("* "))):
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


def _unquoted(lines: Sequence[str], folded: Sequence[str]) -> str:
    """The lines below a history header that are neither quoted nor header lines."""
    kept: list[str] = []
    for i, (line, plain) in enumerate(zip(lines, folded, strict=True)):
        header = _SENDER_LABEL.match(plain) or _OTHER_LABEL.match(plain) or _opens_history(folded, i)
        wrapped = i > 0 and (_is_wrote_line(plain) or bool(_WROTE.search(plain)))
        if not (plain.startswith(">") or header or wrapped):
            kept.append(line)
    return _without_signature(kept, [fold(line[:_MAX_LINE]).replace("'", "") for line in kept])
