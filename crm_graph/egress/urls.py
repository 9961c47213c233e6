"""URLs that events can be sent to, in one normal form: a host is read as it will be called, whatever its notation."""

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
class Target:
    """A URL in its parts: the host in lower-case ASCII, the port always there, what is asked for percent-encoded."""

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


def read_url(url: str, *, field: str = "url") -> Target:
    """The parts of a URL that events can be sent to, in normal form. Raises ValidationFailed naming `field`."""

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
    except ValueError:  # such as brackets that are no IPv6 address
        raise wrong("is no URL, or its port is none") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong("must begin with https:// and a host")
    if "@" in parts.netloc:
        raise wrong("must not contain a user or password; use headers for a credential")
    if "#" in url:
        raise wrong("must not contain a fragment (#...): servers never see it")
    if port == 0:
        raise wrong("must have a port from 1 to 65535")
    host = _host(parts.hostname, in_brackets="[" in parts.netloc)
    if host is None:
        raise wrong("has no valid host")
    asked = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if "?" in url:
        asked += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    target = Target(parts.scheme, host, port or _default_port(parts.scheme), asked)
    if len(str(target)) > URL_MAX:
        raise wrong(f"is longer than {URL_MAX} characters")
    return target


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _host(given: str, *, in_brackets: bool) -> str | None:
    """A host in the form that is resolved: lower-case ASCII; an IPv4 address in any notation as four numbers."""
    try:
        if in_brackets:
            return None if "%" in given else str(IPv6Address(given))
        host = (given if given.isascii() else idna.encode(given, uts46=True).decode()).lower().removesuffix(".")
    except (ValueError, UnicodeError):  # idna.IDNAError is one
        return None
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return None
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:  # 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are addresses, to this function as to every resolver
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
