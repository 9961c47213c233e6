"""Spellings of an e-mail address: as mail programs, web pages and scripts write it, by which an erasure finds it.

Known are: upper case, plus-tags, international domains in both forms, HTML entities, percent-encoding,
quoted-printable, JSON escapes, invisible characters, and "at" and "dot" in brackets. Not known are pictures, other
encodings such as Base64, and an address that is described in words.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

import idna

from crm_graph.values import unescape_html

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_WORD = re.compile(r"\w+")
_IS_INVISIBLE = re.compile(f"[{_INVISIBLE}]|=\r?\n")
_IN_BRACKETS = re.compile(r"\s{0,5}[\[({]\s{0,5}(at|dot|et|nokta|punkt)\s{0,5}[\])}]\s{0,5}", re.IGNORECASE)
_QUOTED_PRINTABLE = re.compile(r"=([23][0-9A-Fa-f]|40)")
_JSON_ESCAPE = re.compile(r"\\{1,8}u00([23][0-9A-Fa-f]|40)")
_JSON_BREAK = re.compile(r"\\{1,8}[nrt]")
_MAY_BE_SPELLED = re.compile(rf"[&%=\\{_INVISIBLE}]|[\[({{]\s{{0,5}}(?:at|et)\s", re.IGNORECASE)
_AT_WORDS = frozenset({"at", "et"})


def decoded(text: str) -> str:
    """A text in which addresses are spelled plainly. What is no spelling of an address may be decoded wrongly."""
    if not _MAY_BE_SPELLED.search(text) and not _IN_BRACKETS.search(text):
        return text
    plain = _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)), unescape_html(text))
    plain = _JSON_BREAK.sub(" ", plain)
    plain = _IS_INVISIBLE.sub("", _QUOTED_PRINTABLE.sub(lambda match: chr(int(match[1], 16)), unquote(plain)))
    return _IN_BRACKETS.sub(lambda match: "@" if match[1].lower() in _AT_WORDS else ".", plain)


def without_tag(address: str) -> str:
    """The address without its plus-tag, which most mail hosts deliver to the same person."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def with_untagged(addresses: Iterable[str]) -> list[str]:
    """The addresses, and those of them that have a tag without it."""
    known = set(addresses)
    return sorted(known | {without_tag(address) for address in known})


def pattern(addresses: Iterable[str]) -> str:
    """A regular expression of PostgreSQL's, for any case, that matches every known spelling of the addresses."""
    forms = {form for address in addresses for form in _domain_forms(without_tag(address))}
    return f"{_BEFORE}(?:{'|'.join(sorted(map(_spelled, forms)))}){_AFTER}"


def words(addresses: Iterable[str]) -> list[str]:
    """For each address, a part of it that every known spelling has, but for invisible characters; in lower case."""
    return sorted({_longest_word(without_tag(address)) for address in addresses})


def _longest_word(address: str) -> str:
    local, _, domain = address.rpartition("@")
    found = _WORD.findall(local)
    longest = max(found, key=len, default="")
    return longest if len(longest) >= 3 or "xn--" in domain else max(domain.split("."), key=len)


def _domain_forms(address: str) -> set[str]:
    """The address with its domain in ASCII and, if that stands for other letters, in those."""
    local, _, domain = address.rpartition("@")
    try:
        return {address, f"{local}@{idna.decode(domain)}"}
    except (idna.IDNAError, UnicodeError):
        return {address}


# In the regular expressions of PostgreSQL. A text of JSON is matched as it is stored, with its backslashes.
_GAP = rf"[{_INVISIBLE}]*(?:=(?:\r?\n|(?:\\+r)?\\+n))?"
_SPACE = r"\s{0,5}"
_PLUS = r"(?:\+|%2b|=2b|&#0*43;|&#x0*2b;|&plus;|\\+u002b)"
_TAG = rf"(?:{_PLUS}[a-z0-9._=-]{{0,64}})?"
_SIGNS = {
    "@": rf"(?:@|%40|=40|&#0*64;|&#x0*40;|&commat;|\\+u0040|{_SPACE}[\[({{]{_SPACE}(?:at|et){_SPACE}[\])}}]{_SPACE})",
    ".": r"(?:\.|%2e|=2e|&#0*46;|&#x0*2e;|&period;|\\+u002e"
    rf"|{_SPACE}[\[({{]{_SPACE}(?:dot|nokta|punkt){_SPACE}[\])}}]{_SPACE})",
}
# Not within a longer address; what is before may be the end of an escape, such as %3C or \n.
_BEFORE = r"(?:(?<![[:alnum:]._+-])|(?<=[%=][0-9a-f][0-9a-f])|(?<=\\[nrt])|(?<=u003[ce]))"
_AFTER = r"(?![[:alnum:]_-]|\.[[:alnum:]])"


def _spelled(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{_characters(local)}{_TAG}{_GAP}{_SIGNS['@']}{_GAP}{_characters(domain)}"


def _characters(part: str) -> str:
    return _GAP.join(_SIGNS.get(character, re.escape(character)) for character in part)
