"""History: where the quoted part of a reply begins, in whatever language and mail client; over folded lines.

By structure first: a line, or a group that a mail client wrapped, with an address or a date, that ends in a colon; a
block of `label: value` lines with an address and a date. Then by the words of mail_clients.py. What looks similar in a
reply doesn't count: a list after a colon, times ("From: 10:00"), lines of dashes between answers.
"""

import re
from collections.abc import Iterator, Sequence

from crm_graph.intent.mail_clients import DIVIDERS, OTHERS, SENDER, WROTE

_WRAPPED = 4  # lines of a header that a mail client wrapped, at most
_BLOCK = 8  # lines of a block of labels, empty ones among them
_WROTE = re.compile(rf"(?<![^\W\d_])(?:{WROTE})(?![^\W\d_])")
_YEAR = re.compile(r"(?<!\d)(?:19|20|25)\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)[0-3]?\d(?!\d)")
_SHORT_DATE = re.compile(r"(?<!\d)\d{1,4}[./-] ?\d{1,2}[./-] ?\d{2,4}(?!\d)")
_TIME = re.compile(r"(?<!\d)[0-2]?\d[:.h][0-5]\d(?!\d)")
_ADDRESS_LINE = re.compile(r"\A[^<>@]{0,80}<?[^<>@ ]{1,64}@[^<>@ ]{1,190}>?\)?,?\Z")
_LABELLED = re.compile(r"\A[*_ ]{0,4}(?P<label>[^\W\d_][^:*]{0,24}?)[*_ ]{0,4}:[*_ ]{0,4}(?P<value>[^ ].*)?\Z")
_SENDER = re.compile(rf"(?:{SENDER})")
_OTHER = re.compile(rf"(?:{OTHERS})")
_DIVIDER = re.compile(rf"(?:{DIVIDERS})")
_RULE = re.compile(r"\A[-_*=–—]{10,}\Z")
_DASHES = "-_*=–—>< "


def begins_at(folded: Sequence[str]) -> int:
    """The index of the first line of the history; the number of lines if there is none."""
    return next((i for i in range(len(folded)) if _begins(folded, i)), len(folded))


def is_part_of_header(folded: Sequence[str], i: int) -> bool:
    """Whether a line below the history's beginning belongs to a header, and not to an answer."""
    line = folded[i].lstrip("> ")
    if _begins(folded, i) or _is_header(line) or _ends_wrapped_header(folded, i):
        return True
    labelled = _LABELLED.match(line)
    return bool(labelled and (_SENDER.fullmatch(labelled["label"]) or _OTHER.fullmatch(labelled["label"])))


def _begins(folded: Sequence[str], i: int) -> bool:
    line = folded[i].lstrip("> ")
    if not line:
        return False
    if _is_divider(line) or _is_header(line):
        return True
    if _RULE.match(line) or (line[0] in "-_*=" and line[-1] in "-_*="):
        following = next((j for j in range(i + 1, min(i + 4, len(folded))) if folded[j].strip("> ")), None)
        return following is not None and (_is_block(folded, following) or _names_sender(folded[following]))
    return _is_block(folded, i) or _is_wrapped_header(folded, i)


def _is_divider(line: str) -> bool:
    """Whether a line says "original message", between dashes or before a colon."""
    words = line.strip(_DASHES)
    if words == line and not line.endswith(":"):
        return False
    return bool(_DIVIDER.fullmatch(words.rstrip(": ")))


def _is_header(line: str) -> bool:
    """Whether a line introduces a quotation: who wrote, or when, and a colon (Zoho: dashes on both sides)."""
    text = line.rstrip("* ")
    if not (text.endswith(":") or (text.startswith("--") and text.endswith("--"))):
        return False
    has_address, has_date = "@" in text, _has_date(text)
    if _WROTE.search(text):
        return has_address or has_date or bool(_TIME.search(text))
    return has_address and (has_date or bool(_TIME.search(text[:-1])))


def _has_date(text: str) -> bool:
    return bool(_SHORT_DATE.search(text) or (_YEAR.search(text) and _DAY.search(text)))


def _is_wrapped_header(folded: Sequence[str], i: int) -> bool:
    """Whether a header begins here, on one line or wrapped. It begins where the address, the date or the name is."""
    first = folded[i].lstrip("> ")
    if _is_header(first):
        return True
    if not (_has_date(first) or _ADDRESS_LINE.match(first) or first.endswith("<")):
        return False
    joined = first
    for following in folded[i + 1 : i + _WRAPPED]:
        line = following.lstrip("> ")
        if not line or _stands_alone(line):
            return False
        joined = f"{joined} {line}"
        if _is_header(joined):
            return True
    return False


def _ends_wrapped_header(folded: Sequence[str], i: int) -> bool:
    starts = range(max(0, i + 1 - _WRAPPED), i)
    return any(_begins(folded[j : i + 1], 0) and not _begins(folded[j:i], 0) for j in starts)


def _stands_alone(line: str) -> bool:
    return _is_header(line) and _has_date(line) and ("@" in line or bool(_WROTE.search(line)))


def _is_block(folded: Sequence[str], i: int) -> bool:
    """Whether a block of labels begins here that says from whom, to whom, when and about what."""
    if not _LABELLED.match(folded[i].lstrip("> ")):
        return False
    labels = list(_labels(folded, i))
    values = [value for _, value in labels]
    has_address = any("@" in value for value in values)
    has_date = any(_has_date(value) and "@" not in value for value in values)
    if len(labels) >= 3 and has_address and has_date:
        return True
    known = [_OTHER.fullmatch(label) is not None or _SENDER.fullmatch(label) is not None for label, _ in labels]
    is_sender = _SENDER.fullmatch(labels[0][0]) is not None and any(c.isalpha() for c in labels[0][1])
    # "From: Berlin, To: Munich" is no header; neither are short words that other languages have too.
    is_telling = has_address or has_date or min(len(label) for label, _ in labels[:2]) > 3
    return is_sender and (sum(known) >= 3 or (sum(known) == 2 and is_telling))


def _names_sender(line: str) -> bool:
    labelled = _LABELLED.match(line.lstrip("> "))
    return bool(labelled and _SENDER.fullmatch(labelled["label"]))


def _labels(folded: Sequence[str], i: int) -> Iterator[tuple[str, str]]:
    """The labels and values from a line on; values may be wrapped, and lines empty."""
    misses = 0
    for line in folded[i : i + _BLOCK]:
        plain = line.lstrip("> ")
        if found := _LABELLED.match(plain):
            misses = 0
            yield found["label"].strip(), found["value"] or ""
        elif plain:
            misses += 1
            if misses > 1:
                return
