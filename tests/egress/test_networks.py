"""Which addresses may be called, in any notation."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis.strategies import ip_addresses, sampled_from

from crm_graph.egress.networks import Networks, is_public
from crm_graph.settings import Settings

PUBLIC_ONLY = Networks()

FORBIDDEN = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.0.8"),
    *("192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *(
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
    ),
    *("100::1", "2001::1", "2001:0:4136:e378::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1"),
    *("3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_refused_private_address_names_the_setting_that_allows_it(address: str) -> None:
    assert PUBLIC_ONLY.refusal("n8n", address, encrypted=True) == (
        f"the address {address} of host n8n is not allowed: add it to OUTBOUND_ALLOWED_NETWORKS"
    )


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_may_be_called_with_tls_only(address: str) -> None:
    assert PUBLIC_ONLY.refusal("hooks", address, encrypted=True) is None
    refusal = PUBLIC_ONLY.refusal("hooks", address, encrypted=False)
    assert refusal == (f"http:// to hooks is not allowed: use https://, or add {address} to OUTBOUND_ALLOWED_NETWORKS")


@given(ip_addresses())
def test_nothing_that_python_considers_private_is_public(address: IPv4Address | IPv6Address) -> None:
    embedded = isinstance(address, IPv6Address) and address.ipv4_mapped
    if is_public(address) and not embedded and not str(address).startswith("64:ff9b::"):
        assert address.is_global
        assert not any(
            (address.is_private, address.is_multicast, address.is_reserved, address.is_loopback, address.is_link_local)
        )


@given(ip_addresses(v=4), sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_an_embedded_address_is_checked_as_its_ipv4_address(address: IPv4Address, prefix: str) -> None:
    assert is_public(IPv6Address(int(IPv6Address(prefix)) + int(address))) == is_public(address)


@given(ip_addresses())
def test_an_allowed_network_may_be_called(address: IPv4Address | IPv6Address) -> None:
    assume(getattr(address, "ipv4_mapped", None) is None)  # it is listed in its IPv4 form
    length = 24 if address.version == 4 else 64
    named = Networks.of([str(ip_network(f"{address}/{length}", strict=False)), str(address)])
    assert named.allows(address)
    assert named.refusal("n8n", str(address), encrypted=False) is None


def test_an_allowed_network_allows_no_other_address() -> None:
    named = Networks.of(["10.1.0.0/16", "fd12::/16"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1"):
        assert named.refusal("n8n", address, encrypted=False) is None
    for address in ("10.2.0.1", "::ffff:10.2.0.1", "64:ff9b::10.1.2.3", "fd13::1", "127.0.0.1"):
        assert named.refusal("n8n", address, encrypted=True) is not None


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"])
def test_a_metadata_service_is_allowed_only_by_its_own_address(address: str) -> None:
    everything = Networks.of(["0.0.0.0/0", "::/0", "169.254.0.0/16"])
    assert everything.refusal("n8n", address, encrypted=True) is not None
    plain = str(getattr(ip_address(address), "ipv4_mapped", None) or address)
    assert Networks.of([plain]).refusal("n8n", address, encrypted=True) is None


def test_loopback_is_allowed_in_development_only() -> None:
    for address in ("127.0.0.1", "::1", "127.9.9.9"):
        assert Settings.load(crm_env="development").networks().allows(ip_address(address))
        assert not Settings.load().networks().allows(ip_address(address))
    assert Settings.load(outbound_allowed_networks="10.1.0.0/16").networks() == Networks.of(["10.1.0.0/16"])
