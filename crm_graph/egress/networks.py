"""Which addresses this server may call: public ones, and those in networks that OUTBOUND_ALLOWED_NETWORKS names.

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


@dataclass(frozen=True)
class Networks:
    """The networks that the operator allows in addition to public addresses."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, cidrs: Iterable[str], *, loopback: bool = False) -> Self:
        """From the setting's CIDRs; `loopback` adds this machine. Raises ValueError for an invalid CIDR."""
        return cls(tuple(ip_network(cidr) for cidr in (*cidrs, *(LOOPBACK if loopback else ()))))

    def allows(self, address: Address) -> bool:
        """Whether the address is in a network that the operator allows."""
        address = _plain(address)
        if address in METADATA:
            return any(network.num_addresses == 1 and address in network for network in self.allowed)
        return any(address in network for network in self.allowed)

    def refusal(self, host: str, address: str, *, encrypted: bool) -> str | None:
        """Why `host` may not be called at `address`, as a message for the operator; None when it may.

        Unencrypted requests are allowed to the networks of the setting only.
        """
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"the address of host {host} is not a valid IP address"
        if self.allows(parsed):
            return None
        if not is_public(parsed):
            return f"the address {address} of host {host} is not allowed: add it to {SETTING}"
        if not encrypted:
            return f"http:// to {host} is not allowed: use https://, or add {address} to {SETTING}"
        return None


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet, also when it stands for an embedded IPv4 address."""
    address = _plain(address)
    if address in METADATA or address.is_multicast or any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_UNICAST and address.is_global


def _plain(address: Address) -> Address:
    """An IPv4-mapped address as the IPv4 address that the system connects to; any other address unchanged."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
