"""Checks and normal forms of single values: e-mail, domain, text, money, time. Pure functions."""

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import idna
from iso4217 import Currency

from crm_graph.errors import ValidationFailed

EMAIL_MAX = 254  # RFC 5321, 4.5.3.1.3: a path of 256 octets less its angle brackets
LINE_MAX = 500  # names, titles, addresses
TEXT_MAX = 100_000  # notes and message bodies
AMOUNT_MAX = Decimal(10) ** 12  # numeric(14,2)
CLOCK_SKEW = timedelta(minutes=5)

_ASCII_LOWER = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})
_PLAIN_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NOT_IN_LOCAL_PART = re.compile(r'[\s"(),:;<>@\[\\\]]')
_PADDING = "\ufeff\u200b\u200c\u200d\u2060"  # invisible characters that are copied along with an address
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WEB = re.compile(r"\Ahttps?://[^\s\x00-\x1f\x7f-\x9f]+\Z", re.IGNORECASE)
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{10,}|[xX][0-9a-fA-F]{10,});?")
_LINE_BREAK = re.compile(r"[\t\n\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

# Mail hosts where anyone can have an address: such a domain does not identify a company.
TELEPHONE_DOMAIN = "sms.cal.com"
"""Of the addresses that Cal.com makes for those who book by telephone: no mail gets there."""

FREE_MAIL_DOMAINS = frozenset(
    """
    aol.com fastmail.com gmail.com gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.com hotmail.co.uk hotmail.fr
    icloud.com live.com mac.com mail.com mail.ru me.com msn.com mynet.com outlook.com outlook.com.tr pm.me proton.me
    protonmail.com qq.com rocketmail.com t-online.de tutanota.com web.de windowslive.com yahoo.co.uk yahoo.com
    yahoo.com.tr yahoo.de yahoo.fr yandex.com yandex.com.tr yandex.ru ymail.com zoho.com 163.com 126.com
    """.split()
) | {TELEPHONE_DOMAIN}


def normal_email(raw: str, *, field: str = "email") -> str:
    """The form in which addresses are stored and compared.

    Without outer space and in NFC; the domain in IDNA lower case, the local part in ASCII lower case (Turkish rules
    would turn `INFO@` into another address). Plus-tags are kept: only the host knows whether they mean the same
    mailbox. Raises ValidationFailed with `field`, also for control characters.
    """
    if len(raw) > 4 * EMAIL_MAX:  # before normalizing, which takes quadratic time in the number of combining marks
        raise ValidationFailed(f"{field} is not an e-mail address", field=field)
    address = unicodedata.normalize("NFC", raw.strip().strip(_PADDING).strip())
    local, at, domain = address.rpartition("@")
    hidden = any(
        unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in address[: EMAIL_MAX * 4]
    )
    if not (at and local and domain) or len(address) > EMAIL_MAX or hidden or _NOT_IN_LOCAL_PART.search(local):
        raise ValidationFailed(f"{field} is not an e-mail address", field=field)
    normal = f"{local.translate(_ASCII_LOWER)}@{normal_domain(domain, field=field)}"
    if len(normal) > EMAIL_MAX:  # IDNA makes a name longer
        raise ValidationFailed(f"{field} is not an e-mail address", field=field)
    return normal


def normal_domain(raw: str, *, field: str = "domain") -> str:
    """A host name in IDNA (UTS 46) lower case. Raises ValidationFailed with `field`."""
    domain = raw.strip().rstrip(".")[: EMAIL_MAX + 1].translate(_ASCII_LOWER)
    try:
        if not domain.isascii() and len(domain) <= EMAIL_MAX:
            domain = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        domain = ""
    if len(domain) > 253 or not _PLAIN_DOMAIN.fullmatch(domain):
        raise ValidationFailed(f"{field} is not a domain, or has none, such as acme.com", field=field)
    return domain


def company_domain(email: str) -> str | None:
    """The domain that identifies the company of an address in normal form; None for a free-mail host."""
    domain = email.rpartition("@")[2]
    return None if domain in FREE_MAIL_DOMAINS or "." not in domain else domain


def check_company_domain(raw: str, *, field: str = "domain") -> str:
    """The normal form of a domain that can identify a company. Raises ValidationFailed with `field`."""
    domain = normal_domain(raw, field=field)
    if domain in FREE_MAIL_DOMAINS:
        message = f"{field} {domain} is a free-mail host, which does not identify a company"
        raise ValidationFailed(message, field=field)
    if "." not in domain:
        raise ValidationFailed(f"{field} is not an internet domain, such as acme.com", field=field)
    return domain


def name_key(name: str) -> str:
    """The form in which names of companies without a domain are compared: without case, accents, İ/ı and spacing.

    Only LINE_MAX characters count: no name is longer, and normalizing takes quadratic time in a run of accents.
    """
    name = name[:LINE_MAX]
    plain = unicodedata.normalize("NFKD", name.replace("İ", "i").replace("I", "i").replace("ı", "i"))
    folded = unicodedata.normalize("NFKD", plain.casefold())  # the first turns ™ into TM, which then folds to tm
    letters = (c for c in folded if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())[:200].rstrip()


def check_text(value: str, *, field: str, max_length: int = LINE_MAX) -> str:
    """Check a caller's text, which may have several lines, and return it.

    Raises ValidationFailed with `field` if it can't be stored, is too long, or has a control character other than tab
    and line break.
    """
    if UNSTORABLE.search(value):
        raise ValidationFailed(f"{field} contains a NUL character or half of a surrogate pair", field=field)
    if len(value) > max_length:
        message = f"{field} is longer than {max_length} characters: it has {len(value):,}"
        raise ValidationFailed(message, field=field)
    if _CONTROL.search(value):
        raise ValidationFailed(f"{field} contains a control character other than tab and line break", field=field)
    return value


def check_line(value: str, *, field: str, max_length: int = LINE_MAX) -> str:
    """Check a caller's text of one line, such as a title, and return it. Raises ValidationFailed as `check_text`, and
    for a tab or a line break."""
    check_text(value, field=field, max_length=max_length)
    if _LINE_BREAK.search(value):
        raise ValidationFailed(f"{field} contains a tab or a line break; it must be one line of text", field=field)
    return value


def check_prose(value: str, *, field: str) -> str:
    """Check a text as `check_text` does, of at most TEXT_MAX characters and not blank, and return it."""
    check_text(value, field=field, max_length=TEXT_MAX)
    if not value.strip():
        raise ValidationFailed(f"{field} is empty", field=field)
    return value


def check_name(value: str | None, *, field: str = "name") -> str:
    """Check a name, which is one line of text, and return it without outer space. Raises ValidationFailed."""
    name = check_text(value or "", field=field).strip()
    if not name or not name.isprintable():
        raise ValidationFailed(f"{field} must be one line of text", field=field)
    return name


def check_url(value: str, *, field: str) -> str:
    """Check the URL of a web page and return it. Raises ValidationFailed unless it is http or https with a host."""
    try:
        is_page = bool(_WEB.match(check_text(value, field=field)) and urlsplit(value).hostname)
    except ValueError:  # such as brackets without an IPv6 address
        is_page = False
    if not is_page:
        raise ValidationFailed(f"{field} must be a URL that begins with https:// or http://", field=field)
    return value


def check_timezone(value: str, *, field: str = "timezone") -> str:
    """Check the IANA name of a time zone and return it. Raises ValidationFailed."""
    if value not in _zones():
        message = f"{field} {value[:50]!r} is not an IANA time zone, such as Europe/Istanbul"
        raise ValidationFailed(message, field=field)
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def clean_line(value: object, max_length: int = LINE_MAX) -> str | None:
    """One line of text from a webhook, without control characters, cut to `max_length`; None if empty or not text."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    return " ".join(_CONTROL.sub("", str(value)).split())[:max_length].rstrip() or None


def clean_text(value: object, max_length: int = TEXT_MAX) -> str:
    """Text of several lines from a webhook, without control characters, cut to `max_length`; empty if not text."""
    return _CONTROL.sub("", value)[:max_length].strip() if isinstance(value, str) else ""


def unescape_html(text: str) -> str:
    """The text with its character references replaced (HTML, "named character references" and numbers).

    `html.unescape` raises ValueError for a number with more digits than Python reads; no character has that many.
    """
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", text))


def check_money(amount: Decimal | None, currency: str) -> None:
    """Check an ISO 4217 code, and that the amount has no more decimals than its currency (JPY: none; at most two).

    Raises ValidationFailed naming `currency` or `amount`.
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        message = f"currency {currency[:20]!r} is not an ISO 4217 code in capitals, such as USD"
        raise ValidationFailed(message, field="currency") from None
    if amount is None:
        return
    if not amount.is_finite() or amount < 0 or amount >= AMOUNT_MAX:
        raise ValidationFailed(f"amount must be at least 0 and below {AMOUNT_MAX:,}", field="amount")
    decimals = min(exponent or 0, 2)
    if amount != round(amount, decimals):
        raise ValidationFailed(f"amount may have at most {decimals} decimals in {currency}", field="amount")


def parse_time(value: object, *, now: datetime) -> datetime:
    """An ISO 8601 time from a webhook, in UTC and not later than `now`; `now` itself when it can't be parsed.

    A time without an offset is UTC, as the providers document.
    """
    if not isinstance(value, str):
        return now
    try:
        parsed = datetime.fromisoformat(value)
        parsed = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return min(parsed, now) if parsed.year > 1970 else now


def utc_now() -> datetime:
    """The current time. Entry points read it once and pass it down."""
    return datetime.now(UTC)
