"""The URLs that an endpoint may have."""

import socket

import pytest

from crm_graph.egress.client import CheckedUrl, check_url
from crm_graph.egress.networks import PUBLIC_ONLY, Networks
from crm_graph.egress.urls import parse_url
from crm_graph.errors import ValidationFailed

NONE_NAMED = Networks()


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Hooks.Example.COM", "https://hooks.example.com/"),
        ("  HTTPS://hooks.example.com:443/a?b=c&d=%20 ", "https://hooks.example.com/a?b=c&d=%20"),
        ("https://hooks.example.com.:8443/", "https://hooks.example.com:8443/"),
        ("https://hooks.example.com:/", "https://hooks.example.com/"),
        ("https://hooks.example.com?a=b", "https://hooks.example.com/?a=b"),
        ("https://hooks.example.com/?", "https://hooks.example.com/?"),
        ("https://müşteri.example/yol/ş?q=ğ", "https://xn--mteri-kva70e.example/yol/%C5%9F?q=%C4%9F"),
        ("http://n8n_main:5678/webhook/x", "http://n8n_main:5678/webhook/x"),
        ("https://[2606:4700:0:0::1]:8443/x", "https://[2606:4700::1]:8443/x"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://①②⑦.0.0.1/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
    ],
)
def test_normal_form(given: str, normal: str) -> None:
    assert str(parse_url(given)) == normal
    assert str(parse_url(normal)) == normal


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must begin with https://"),
        ("hooks.example.com", "must begin with https://"),
        ("ftp://hooks.example.com/", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("gopher://127.0.0.1:6379/_x", "must begin with https://"),
        ("https:///path", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("https://user:word@hooks.example.com/", "must not contain a user"),
        ("https://good.example@127.0.0.1/", "must not contain a user"),
        ("https://hooks.example.com/#top", "must not contain a fragment"),
        ("https://hooks.example.com/#", "must not contain a fragment"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:65536/", "port"),
        ("https://hooks.example.com:-1/", "port"),
        ("https://hooks.example.com:x/", "port"),
        ("https://hooks.example.com/\r\nX: y", "control character"),
        ("https://hooks.example\n.com/", "control character"),
        ("https://hooks.example.com/\x00", "control character"),
        ("https://hooks.example.com/a b", "a space"),
        ("https://good.example\\@127.0.0.1/", "a backslash"),
        ("https://hooks..example.com/", "no valid host"),
        ("https://-hooks.example.com/", "no valid host"),
        ("https://%31%32%37.0.0.1/", "no valid host"),
        ("https://256.0.0.1/", "no valid host"),
        ("https://1.2.3.4.5/", "no valid host"),
        ("https://0x/", "no valid host"),
        ("https://[fe80::1%25eth0]/", "no valid host"),
        ("https://[v1.x]/", "no valid host"),
        ("https://[::1/", "not a valid URL"),
        ("https://" + "a" * 64 + ".com/", "no valid host"),
        ("https://hooks.example.com/" + "a" * 2048, "longer than 2048"),
        ("https://hooks.example.com/" + "ş" * 1000, "longer than 2048"),
        ("https://℀.example.com/", "not a valid URL"),
    ],
)
def test_an_invalid_url_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValidationFailed, match=problem) as error:
        parse_url(url)
    assert error.value.field == "url"
    assert "word" not in str(error.value).removesuffix("use headers for a credential").replace("password", "")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "localhost",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_when_it_is_saved(host: str) -> None:
    with pytest.raises(ValidationFailed, match="OUTBOUND_ALLOWED_NETWORKS") as error:
        await check_url(f"https://{host}/hook", NONE_NAMED)
    assert error.value.field == "url"


async def test_http_is_allowed_to_listed_networks_only() -> None:
    with pytest.raises(ValidationFailed, match="use https://"):
        await check_url("http://8.8.8.8/hook", NONE_NAMED)
    assert await check_url("https://8.8.8.8/hook", NONE_NAMED) == CheckedUrl("https://8.8.8.8/hook")
    here = await check_url("http://127.1:5678/hook", Networks.of((), loopback=True))
    assert here == CheckedUrl("http://127.0.0.1:5678/hook", is_internal=True)


async def test_a_name_with_one_forbidden_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(ValidationFailed, match=r"the address 10\.0\.0\.1 of host two\.example is not allowed"):
        await check_url("https://two.example/", NONE_NAMED)


async def test_a_name_that_can_not_be_resolved_now_needs_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert await check_url("https://soon.example", NONE_NAMED) == CheckedUrl("https://soon.example/")
    for networks in (NONE_NAMED, Networks.of((), loopback=True), PUBLIC_ONLY):
        with pytest.raises(ValidationFailed, match=r"soon\.example can't be resolved, and http:") as error:
            await check_url("http://soon.example", networks)
        assert error.value.field == "url"


@pytest.mark.parametrize(("length", "is_valid"), [(253, True), (254, False)])
def test_a_host_has_at_most_253_characters(length: int, is_valid: bool) -> None:
    host = ("a" * 49 + ".") * 5 + "b" * (length - 250)
    assert len(host) == length
    if is_valid:
        assert parse_url(f"https://{host}/").host == host
    else:
        with pytest.raises(ValidationFailed):
            parse_url(f"https://{host}/")
