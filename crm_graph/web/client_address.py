"""The address of a client: the peer of its connection, or what a proxy that TRUSTED_PROXIES names says of it."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
CLIENT_NETWORK = 64  # bits of an IPv6 address that name one customer; the others he may choose (RFC 6177)
_FORWARDED_FOR = b"x-forwarded-for"


def client_address(scope: Scope) -> str:
    """The client's IP address in its shortest form, for logs; UNKNOWN when there is none (a UNIX socket)."""
    address = _parsed(scope)
    return UNKNOWN if address is None else str(address)


def client_network(scope: Scope) -> str:
    """What a limit per client counts by: an IPv4 address, or the /64 of an IPv6 address; UNKNOWN if there is none."""
    address = _parsed(scope)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, CLIENT_NETWORK), strict=False))
    return UNKNOWN if address is None else str(address)


def _parsed(scope: Scope) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((scope.get("client") or ("",))[0])
    except ValueError:  # a trusted proxy may write anything
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


class TrustedProxies:
    """Sets the client and the scheme from X-Forwarded-For and X-Forwarded-Proto, if the peer is in `networks`.

    The client is the rightmost address that is not itself a trusted proxy's; uvicorn's ProxyHeadersMiddleware does the
    work. The headers of other peers are ignored, with one warning, because behind a proxy that is not named all clients
    count as one. `Forwarded` (RFC 7239) is never read: a proxy that writes the one header passes the client's own
    version of the other through.
    """

    def __init__(self, app: ASGIApp, networks: Sequence[str]) -> None:
        self._app = app
        self._trusting = ProxyHeadersMiddleware(app, _with_mapped(networks))  # type: ignore[arg-type] # uvicorn's own ASGI types
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve with the client's address in `scope["client"]`."""
        peer = (scope.get("client") or (None,))[0]
        if peer in self._trusting.trusted_hosts:
            await self._trusting(scope, receive, send)  # type: ignore[arg-type]
            return
        if not self._has_warned and any(name == _FORWARDED_FOR for name, _ in scope.get("headers", ())):
            self._has_warned = True
            log.warning(
                "X-Forwarded-For is ignored: if its sender is your proxy, add its address to TRUSTED_PROXIES; until "
                "then all clients behind it count as one",
                extra={"details": {"peer": client_address(scope)}},
            )
        await self._app(scope, receive, send)


def _with_mapped(networks: Sequence[str]) -> list[str]:
    """The networks, and the form in which IPv4 addresses reach a socket for IPv6 and IPv4: ::ffff:10.0.0.1."""
    parsed = [ip_network(network) for network in networks]
    mapped = [
        IPv6Network((f"::ffff:{network.network_address}", 96 + network.prefixlen))
        for network in parsed
        if isinstance(network, IPv4Network)
    ]
    return [str(network) for network in (*parsed, *mapped)]
