"""Which addresses may be called, in any notation."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis.strategies import ip_addresses, sampled_from

from crm_graph.egress.networks import METADATA, PUBLIC_ONLY, Networks, is_public, plain
from crm_graph.settings import Settings

NONE_NAMED = Networks()

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
    refusal = NONE_NAMED.refusal("n8n", address, 5678, encrypted=True)
    assert refusal is not None
    start, entry = refusal.removesuffix(" to OUTBOUND_ALLOWED_NETWORKS").split(": add ")
    assert start == f"the address {address} of host n8n is not allowed on port 5678"
    if "%" not in address:  # of a link that only this machine knows
        assert Networks.of([entry]).refusal("n8n", address, 5678, encrypted=True) is None


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_may_be_called_with_tls_only(address: str) -> None:
    assert NONE_NAMED.refusal("hooks", address, 443, encrypted=True) is None
    refusal = NONE_NAMED.refusal("hooks", address, 80, encrypted=False)
    shown = plain(ip_address(address))
    entry = f"[{shown}]:80" if shown.version == 6 else f"{shown}:80"
    assert refusal == f"http:// to hooks is not allowed: use https://, or add {entry} to OUTBOUND_ALLOWED_NETWORKS"


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


# An IPv4 address in every form of IPv6 that stands for it.
FORMS = {
    "mapped": lambda v4: IPv6Address(0xFFFF << 32 | v4),
    "translated": lambda v4: IPv6Address(0xFFFF << 48 | v4),
    "compatible": lambda v4: IPv6Address(v4),
    "NAT64": lambda v4: IPv6Address(int(IPv6Address("64:ff9b::")) | v4),
    "local NAT64": lambda v4: IPv6Address(int(IPv6Address("64:ff9b:1::")) | v4),
    "local NAT64, 48 bits": lambda v4: IPv6Address(
        int(IPv6Address("64:ff9b:1::")) | v4 >> 16 << 64 | (v4 & 0xFFFF) << 40
    ),
    "6to4": lambda v4: IPv6Address(0x2002 << 112 | v4 << 80 | 1),
    "Teredo": lambda v4: IPv6Address(0x20010000 << 96 | 0x01020304 << 64 | v4 ^ 0xFFFFFFFF),
}


@pytest.mark.parametrize("form", FORMS)
@given(address=ip_addresses(v=4))
def test_each_form_is_judged_as_the_address_within(form: str, address: IPv4Address) -> None:
    assume(int(address) > 1)  # as IPv6, these two are the unspecified address and this machine
    written = FORMS[form](int(address))
    assert plain(written) == address
    assert not is_public(written) or is_public(address)
    named = Networks.of([f"{address}:5678"])
    assert named.refusal("n8n", str(written), 5678, encrypted=False) is None
    assert named.refusal("n8n", str(written), 5679, encrypted=False) is not None
    other = Networks.of([f"{IPv4Address(int(address) ^ 1)}:5678", "::/0"])
    assert other.refusal("n8n", str(written), 5678, encrypted=False) is not None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("service", sorted(str(one) for one in METADATA if one.version == 4))
def test_no_form_of_a_metadata_service_is_allowed_by_a_wider_network(form: str, service: str) -> None:
    written = str(FORMS[form](int(IPv4Address(service))))
    everything = Networks.of(["0.0.0.0/0:*", "[::/0]:*"])
    assert everything.refusal("n8n", written, 80, encrypted=True) is not None
    assert Networks.of([service]).refusal("n8n", written, 80, encrypted=True) is None


@given(ip_addresses())
def test_an_allowed_network_may_be_called(address: IPv4Address | IPv6Address) -> None:
    assume(plain(address) == address)  # it is named in its IPv4 form
    length = 24 if address.version == 4 else 64
    network = ip_network(f"{address}/{length}", strict=False)
    assume(plain(network.network_address) == network.network_address or length == 24)
    named = Networks.of([str(network), str(address)])
    assert named.allows(address, 443)
    assert named.refusal("n8n", str(address), 80, encrypted=False) is None


def test_an_allowed_network_allows_no_other_address() -> None:
    named = Networks.of(["10.1.0.0/16", "fd12::/16"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1"):
        assert named.refusal("n8n", address, 80, encrypted=False) is None
    for address in ("10.2.0.1", "::ffff:10.2.0.1", "64:ff9b::10.2.0.1", "fd13::1", "127.0.0.1"):
        assert named.refusal("n8n", address, 443, encrypted=True) is not None


@pytest.mark.parametrize(
    ("entry", "open_ports"),
    [
        ("10.1.0.0/16", {80, 443}),
        ("10.1.0.0/16:5678", {5678}),
        ("10.1.2.3:5678", {5678}),
        ("10.1.0.0/16:*", {1, 80, 443, 5678, 65535}),
        ("fd12::/32", {80, 443}),
        ("[fd12::/32]", {80, 443}),
        ("[fd12::/32]:5678", {5678}),
        ("[fd12::1]:*", {1, 80, 443, 5678, 65535}),
    ],
)
def test_an_entry_opens_its_ports_only(entry: str, open_ports: set[int]) -> None:
    address = "fd12::1" if "fd12" in entry else "10.1.2.3"
    for port in (1, 80, 443, 5678, 65535):
        is_refused = Networks.of([entry]).refusal("n8n", address, port, encrypted=True) is not None
        assert is_refused == (port not in open_ports)
    assert Networks.of([str(Networks.of([entry]).allowed[0])]) == Networks.of([entry])


@pytest.mark.parametrize(
    "entry",
    [
        *("10.1.0.0/16:", "10.1.0.0/16:0", "10.1.0.0/16:65536", "10.1.0.0/16:http", "10.1.0.0/16:80-90", "n8n:5678"),
        *("[10.1.0.0/16]:80", "[fd12::/32", "fd12::/32:5678", "10.1.2.3/16", "10.0.0.0/33", ":80", "*", "*:80", ""),
        *("::ffff:10.0.0.0/104", "64:ff9b::/96", "[64:ff9b:1::/48]:80", "2002:a00::/24", "2001::/32", "::10.0.0.1"),
    ],
)
def test_another_form_of_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several libraries
        Networks.of([entry])


@pytest.mark.parametrize("address", ["10.1.2.3", "8.8.8.8"])
def test_who_may_call_public_addresses_only_does_not_learn_an_internal_address(address: str) -> None:
    refusal = PUBLIC_ONLY.refusal("n8n", address, 80, encrypted=False)
    assert refusal is not None
    assert address not in refusal


def test_what_is_no_address_is_refused() -> None:
    refusal = NONE_NAMED.refusal("n8n", "not-an-address", 443, encrypted=True)
    assert refusal == "the address of host n8n is not a valid IP address"


def test_who_may_call_public_addresses_only_learns_what_to_do() -> None:
    closed = "the networks of OUTBOUND_ALLOWED_NETWORKS are for endpoints of admins"
    assert (
        PUBLIC_ONLY.refusal("n8n", "8.8.8.8", 80, encrypted=False) == f"n8n may not be called: use https://; {closed}"
    )
    private = f"n8n may not be called: its address is not public; {closed}"
    assert PUBLIC_ONLY.refusal("n8n", "10.1.2.3", 443, encrypted=True) == private


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"])
def test_a_metadata_service_is_allowed_only_by_its_own_address(address: str) -> None:
    everything = Networks.of(["0.0.0.0/0", "::/0", "169.254.0.0/16"])
    assert everything.refusal("n8n", address, 80, encrypted=True) is not None
    named = Networks.of([str(plain(ip_address(address)))])
    assert named.refusal("n8n", address, 80, encrypted=True) is None


def test_loopback_is_allowed_in_development_only() -> None:
    for address in ("127.0.0.1", "::1", "127.9.9.9"):
        assert Settings.load(crm_env="development").networks().allows(ip_address(address), 5678)
        assert not Settings.load().networks().allows(ip_address(address), 5678)
    assert Settings.load(outbound_allowed_networks="10.1.0.0/16").networks() == Networks.of(["10.1.0.0/16"])
