"""Which addresses this server may call: public ones, and those in networks that the operator named.

The ranges are those of IANA's special-purpose registries; `ipaddress.is_global` alone lets multicast, relays and
tunnels through.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "OUTBOUND_ALLOWED_NETWORKS"
LOOPBACK = ("127.0.0.0/8", "::1/128")
# Machines of a cloud ask these for their own credentials. No wider network allows them: each must be named itself.
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
            "2001::/23",  # Teredo and other protocols' own
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Networks:
    """The networks that the operator named; everything public may be called besides."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, named: Iterable[str], *, loopback: bool = False) -> Self:
        """From CIDRs as the setting has them; `loopback` adds this machine. Raises ValueError for what is no CIDR."""
        return cls(tuple(ip_network(one) for one in (*named, *(LOOPBACK if loopback else ()))))

    def names(self, address: Address) -> bool:
        """Whether the operator named a network with this address in it."""
        address = _plain(address)
        if address in METADATA:
            return any(network.num_addresses == 1 and address in network for network in self.allowed)
        return any(address in network for network in self.allowed)

    def refusal(self, host: str, address: str, *, encrypted: bool) -> str | None:
        """Why `host` may not be called at `address`, as a sentence for who set it up; None when it may.

        What isn't encrypted goes to networks that were named, and nowhere else.
        """
        try:
            meant = ip_address(address)
        except ValueError:
            return f"the address of host {host} can't be read"
        if self.names(meant):
            return None
        if not is_public(meant):
            return f"the address {address} of host {host} is not allowed: {SETTING} doesn't name it"
        if not encrypted:
            return f"http:// to {host} is not allowed: use https://, or name {address} in {SETTING}"
        return None


def is_public(address: Address) -> bool:
    """Whether packets to it leave for the internet, whatever notation it is in."""
    address = _plain(address)
    if address in METADATA or address.is_multicast or any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_UNICAST and address.is_global


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped one stands for: the system connects to that."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
