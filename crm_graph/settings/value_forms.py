"""The forms that values of settings may have: each function returns the value to use, or raises ValueError."""

import re
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from iso4217 import Currency

from crm_graph.egress.networks import Networks
from crm_graph.values import utc_now

CLOCK_TOLERANCE = timedelta(hours=1)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(:\d{1,5})?")

_DOMAIN = re.compile(r"[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)+")


def comma_separated(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def split(value: object) -> object:
    return comma_separated(value) if isinstance(value, str) else value


def text(value: object) -> str:
    """A default, as it is written in the environment."""
    return "" if value in (None, ()) else str(value).lower() if isinstance(value, bool) else str(value)


def lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def past_time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ValueError("must be a time with an offset (RFC 3339), such as 2026-01-05T09:00:00Z")
    if time > utc_now() + CLOCK_TOLERANCE:
        raise ValueError("must not be in the future")
    return time


def currency(code: str) -> str:
    try:
        return Currency(code).code
    except ValueError:
        raise ValueError("must be an ISO 4217 code in capitals, such as EUR") from None


def public_url(url: str) -> str:
    """The URL without a slash at its end. The paths below it are fixed, so it has none."""
    origin = url.removesuffix("/")
    if not re.match(r"https?://", url) or not _ORIGIN.fullmatch(origin.lower()):
        raise ValueError("must be a URL without a path, such as https://crm.example.com")
    return origin


def origins(values: tuple[str, ...]) -> tuple[str, ...]:
    origins = tuple(origin.lower().rstrip("/") for origin in values)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("must be origins, comma-separated: scheme://host or scheme://host:port without a path")
    return origins


def domains(values: tuple[str, ...]) -> tuple[str, ...]:
    domains = tuple(domain.removeprefix("@").lower() for domain in values)
    if not all(_DOMAIN.fullmatch(domain) for domain in domains):
        raise ValueError("must be mail domains, comma-separated: example.com, example.co.uk")
    return domains


def folder(value: object) -> object:
    """A path as it is written: only a shell reads ~ as the home folder, and not in `.env`."""
    if isinstance(value, str) and value.startswith("~"):
        raise ValueError("must be a path without ~: write the home folder out")
    return value


def networks(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(map(str, Networks.of(values).allowed))
    except ValueError:
        forms = "10.1.0.0/16 (ports 80 and 443), 192.168.7.20:5678, [fd12:3456::/32]:5678, 10.1.0.0/16:* (all ports)"
        raise ValueError(
            f"must be networks or addresses, IPv4 by its own name, with or without a port: {forms}"
        ) from None


def proxies(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        networks = tuple(map(ip_network, values))
    except ValueError:
        raise ValueError("must be addresses or networks, without host bits: 127.0.0.1, 10.1.0.0/16") from None
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("must not name every address: any client could then choose its own")
    return tuple(map(str, networks))


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach a server that listens on this address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
