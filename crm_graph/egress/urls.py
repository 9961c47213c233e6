"""URLs that events can be sent to, in one normal form: the host is written as it is resolved, in one notation."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

import idna

from crm_graph.errors import ValidationFailed

URL_MAX = 2048

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True)
class OutboundUrl:
    """The parts of a URL: host in lower-case ASCII, explicit port, percent-encoded path with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """Host and port as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def parse_url(url: str, *, field: str = "url") -> OutboundUrl:
    """Check a URL that events are to be sent to and return its parts. Raises ValidationFailed naming `field`."""

    def wrong(problem: str) -> ValidationFailed:
        return ValidationFailed(f"{field} {problem}", field=field)

    url = url.strip(" ")
    if len(url) > URL_MAX:
        raise wrong(f"is longer than {URL_MAX} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise wrong("contains a space, a backslash or a control character; percent-encode those")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # such as brackets without an IPv6 address
        raise wrong("is not a valid URL or port") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("must begin with https:// and a host")
    if "@" in parts.netloc:
        raise wrong("must not contain a user or password; use headers for a credential")
    if "#" in url:
        raise wrong("must not contain a fragment (#...): it is never sent")
    if port == 0:
        raise wrong("must have a port from 1 to 65535")
    host = _host(parts.hostname, in_brackets="[" in parts.netloc)
    if host is None:
        raise wrong("has no valid host")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if "?" in url:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    target = OutboundUrl(parts.scheme, host, port or _default_port(parts.scheme), path)
    if len(str(target)) > URL_MAX:
        raise wrong(f"is longer than {URL_MAX} characters")
    return target


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _host(raw: str, *, in_brackets: bool) -> str | None:
    """A host in the form that is resolved: lower-case ASCII; an IPv4 address in any notation as four numbers."""
    try:
        if in_brackets:
            return None if "%" in raw else str(IPv6Address(raw))
        host = (raw if raw.isascii() else idna.encode(raw, uts46=True).decode()).lower().removesuffix(".")
    except (ValueError, UnicodeError):  # idna.IDNAError is one
        return None
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return None
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:  # 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are addresses: resolvers accept these notations
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
