"""Markup: the text of a message in HTML as its reader sees it, whole and without what it quotes.

libxml2 reads the HTML, in linear time and to a depth of 2,048 elements. Styles, scripts, comments and hidden text are
left out. Mail clients mark quotations by structure: a blockquote, or an element whose class or id says so.
"""

import re
from itertools import islice
from typing import NamedTuple

from lxml import etree, html

_MAX = 400_000  # characters read
_ELEMENTS_MAX = 12_000
_PARSER = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
_UNSEEN = frozenset(
    (
        "head",
        "title",
        "style",
        "script",
        "template",
        "noscript",
        "object",
        "iframe",
        "svg",
        "math",
        "select",
        "textarea",
    )
)
_BLOCKS = frozenset(
    ("p", "div", "br", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "blockquote", "pre",
     "section", "article", "header", "footer", "address", "dd", "dt")
)  # fmt: skip
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:0(?![.\d])|max-height:0(?![.\d])|opacity:0(?![.\d])"
)
_QUOTATION = re.compile(
    r"(?:gmail_(?:quote|extra|attr)|yahoo_quoted|protonmail_quote|moz-cite-prefix|moz-forward|zmail_extra|tutanota_quote|"
    r"freebirdcanvas-quote|front-blockquote|sh-quoted|hse_quote|airmail_on|quoted-text|gmx-quote|quote-header)[\w-]{0,40}"
)
# Outlook puts its divider before the history, not around it.
_DIVIDER = re.compile(
    r"(?:x_){0,3}(?:divrplyfwdmsg|appendonsend|mail-editor-reference-message-container|ms-outlook-mobile-reference-message|"
    r"outlookmessageheader|orimsghtmlseperator|replyblock)"
)
_BORDER = re.compile(r"border-top:(?:solid|[\d.]{1,4}p[tx]solid)")
_INDENTED = re.compile(r"border:(?:none|0|medium)")  # what Gmail's button makes, by which people indent own words
_LABEL = re.compile(r"\s{0,40}[^\s:][^:]{0,24}:")
_SPACES = re.compile(r"\s+")
_STYLE_MAX = 2_000


class Message(NamedTuple):
    """The text of a message: all that is seen, and what is not quoted."""

    whole: str
    own: str


def read(markup: str) -> Message:
    """The text of a message in HTML, a paragraph or line of a table a line.

    Reads 400,000 characters and 12,000 elements: a reply stands before its history.
    """
    try:
        root = html.document_fromstring(markup[:_MAX].encode("utf-8", "replace"), parser=_PARSER)
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing but comments, for example
        return Message("", "")
    whole, own = _Lines(), _Lines()
    quotations, is_history = 0, False
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in islice(walk, 2 * _ELEMENTS_MAX):
        is_seen = not _is_unseen(element)
        quotes = is_seen and _is_quotation(element)
        if event == "start":
            is_history = is_history or (is_seen and _is_divider(element))
            quotations += quotes
        text = (element.text if is_seen else "") if event == "start" else element.tail
        if event == "end":
            quotations -= quotes
        for lines in (whole, own) if not (quotations or is_history) else (whole,):
            if is_seen and element.tag in _BLOCKS:
                lines.end(is_paragraph=element.tag == "p")
            lines.add(text or "")
        if event == "start" and not is_seen:
            walk.skip_subtree()
    return Message(whole.text(), own.text())


class _Lines:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []

    def add(self, text: str) -> None:
        self._parts.append(text)

    def end(self, *, is_paragraph: bool = False) -> None:
        line = _SPACES.sub(" ", "".join(self._parts)).strip()
        self._parts.clear()
        if line:
            self._lines.append(line)
        if is_paragraph and self._lines and self._lines[-1]:
            self._lines.append("")

    def text(self) -> str:
        self.end()
        return "\n".join(self._lines).strip("\n")


def _is_unseen(element: html.HtmlElement) -> bool:
    tag = element.tag
    if not isinstance(tag, str) or tag in _UNSEEN or element.get("hidden") is not None:
        return True
    style = element.get("style")
    return bool(style) and _HIDDEN.search(_plain(style)) is not None


def _is_quotation(element: html.HtmlElement) -> bool:
    if element.tag == "blockquote":
        is_cited = element.get("type") == "cite" or element.get("cite") is not None or element.get("class")
        return bool(is_cited) or not _INDENTED.search(_plain(element.get("style") or ""))
    names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()[:_STYLE_MAX]
    return any(_QUOTATION.fullmatch(name) for name in names.split())


def _is_divider(element: html.HtmlElement) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()[:_STYLE_MAX]
    if any(_DIVIDER.fullmatch(name) for name in names.split()):
        return True
    if not _BORDER.search(_plain(element.get("style") or "")):
        return False
    beginning = "".join(islice(element.itertext(), 8))
    return _LABEL.match(beginning[:80]) is not None


def _plain(style: str) -> str:
    return style[:_STYLE_MAX].lower().replace(" ", "")
