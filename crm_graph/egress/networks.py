"""Which addresses this server may call: public ones, and those in networks that OUTBOUND_ALLOWED_NETWORKS names.

An IPv6 address that stands for an IPv4 address is judged as that one, because a gateway or the system connects to it.
The ranges are those of IANA's special-purpose registries; `ipaddress.is_global` alone lets multicast, relays and
tunnels through.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "OUTBOUND_ALLOWED_NETWORKS"
LOOPBACK = ("127.0.0.0/8:*", "[::1/128]:*")
DEFAULT_PORTS = frozenset({80, 443})  # of an entry without a port
_ENTRY = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F.]{0,15}+:[0-9a-fA-F:.]{0,45}+(?:/\d{1,3})?)\]|(?P<v4>[\d.]+(?:/\d{1,2})?))(?::(?P<port>\d{1,5}|\*))?"
)
# Metadata services, which give a cloud machine its credentials. A wider network does not allow them: each must be
# named as a single address.
METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
_SPECIAL = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast and reserved
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_UNSPECIFIED_OR_LOOPBACK = IPv6Network("::/127")


def _last_32_bits(address: int) -> int:
    return address & 0xFFFFFFFF


def _in_6to4(address: int) -> int:
    return address >> 80 & 0xFFFFFFFF


def _in_local_nat64(address: int) -> int:
    """RFC 8215: any prefix within the /48. With 96 bits the IPv4 address is at the end; with 48 bits it is in two
    halves around bits 64 to 71 (RFC 6052, 2.2)."""
    if address >> 32 == int(_LOCAL_NAT64.network_address) >> 32:
        return _last_32_bits(address)
    return (address >> 64 & 0xFFFF) << 16 | address >> 40 & 0xFFFF


# Of each form, where the IPv4 address is: v4-mapped, v4-translated, v4-compatible, NAT64, 6to4, Teredo (the client).
_EMBEDDED: tuple[tuple[IPv6Network, Callable[[int], int]], ...] = (
    (IPv6Network("::ffff:0:0/96"), _last_32_bits),
    (IPv6Network("::ffff:0:0:0/96"), _last_32_bits),
    (IPv6Network("::/96"), _last_32_bits),
    (_NAT64, _last_32_bits),
    (_LOCAL_NAT64, _in_local_nat64),
    (IPv6Network("2002::/16"), _in_6to4),
    (IPv6Network("2001::/32"), lambda address: _last_32_bits(address) ^ 0xFFFFFFFF),
)


@dataclass(frozen=True)
class AllowedNetwork:
    """An entry of the setting: a network, and the ports that may be called in it; None means all."""

    network: Network
    ports: frozenset[int] | None = DEFAULT_PORTS

    @classmethod
    def parse(cls, entry: str) -> Self:
        """Read `10.1.0.0/16:5678`, `[fd12::/32]:5678`, `:*` for all ports, or an entry without a port (80 and 443).

        Raises ValueError for any other form, and for IPv6 networks whose addresses stand for IPv4 addresses.
        """
        match = _ENTRY.fullmatch(entry)
        if match is None:  # without a port, IPv6 needs no brackets
            return cls(_named_network(ip_network(entry)))
        network = _named_network(ip_network(match["v6"] or match["v4"]))
        if match["port"] == "*":
            return cls(network, None)
        if match["port"] is None:
            return cls(network)
        if not 1 <= int(match["port"]) <= 65535:
            raise ValueError(f"{entry} has no port from 1 to 65535")
        return cls(network, frozenset({int(match["port"])}))

    def __str__(self) -> str:
        if self.ports == DEFAULT_PORTS:
            return str(self.network)
        port = "*" if self.ports is None else ",".join(map(str, sorted(self.ports)))
        return f"{_bracketed(self.network)}:{port}"

    def allows(self, address: Address, port: int) -> bool:
        """Whether the address, which must be `plain`, may be called on the port."""
        if address not in self.network or (self.ports is not None and port not in self.ports):
            return False
        return address not in METADATA or self.network.num_addresses == 1


def _named_network(network: Network) -> Network:
    if isinstance(network, IPv4Network) or network.subnet_of(_UNSPECIFIED_OR_LOOPBACK):
        return network
    if any(network.subnet_of(form) for form, _ in _EMBEDDED):
        raise ValueError(f"{network} stands for IPv4 addresses: name their IPv4 network")
    return network


def _bracketed(address: Address | Network) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


@dataclass(frozen=True)
class Networks:
    """The networks that may be called in addition to public addresses; `is_open` if the operator can add more."""

    allowed: tuple[AllowedNetwork, ...] = ()
    is_open: bool = True

    @classmethod
    def of(cls, entries: Iterable[str], *, loopback: bool = False) -> Self:
        """From the setting's entries; `loopback` adds this machine. Raises ValueError for an invalid entry."""
        return cls(tuple(AllowedNetwork.parse(entry) for entry in (*entries, *(LOOPBACK if loopback else ()))))

    def allows(self, address: Address, port: int) -> bool:
        """Whether the address is in a network that the operator allows on this port."""
        return any(network.allows(plain(address), port) for network in self.allowed)

    def refusal(self, host: str, address: str, port: int, *, encrypted: bool) -> str | None:
        """Why `host` may not be called at `address`; None when it may.

        Unencrypted requests are allowed to the networks of the setting only. The message is for the operator, unless
        these networks are not open: then it doesn't show what an internal name resolves to.
        """
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"the address of host {host} is not a valid IP address"
        if self.allows(parsed, port) or (encrypted and is_public(parsed)):
            return None
        if not self.is_open:
            problem = "use https://" if is_public(parsed) else "its address is not public"
            return f"{host} may not be called: {problem}; the networks of {SETTING} are for endpoints of admins"
        entry = f"{_bracketed(plain(parsed))}:{port}"
        if not is_public(parsed):
            return f"the address {address} of host {host} is not allowed on port {port}: add {entry} to {SETTING}"
        return f"http:// to {host} is not allowed: use https://, or add {entry} to {SETTING}"


PUBLIC_ONLY = Networks(is_open=False)


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet.

    Of the forms that stand for an IPv4 address, v4-mapped and NAT64 can be; the others are obsolete or local.
    """
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return is_public(plain(address))
    if address in METADATA or address.is_multicast or any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global
    return address in _GLOBAL_UNICAST and address.is_global


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for; any other address unchanged."""
    if isinstance(address, IPv6Address) and address not in _UNSPECIFIED_OR_LOOPBACK:
        for form, embedded in _EMBEDDED:
            if address in form:
                return IPv4Address(embedded(int(address)))
    return address
