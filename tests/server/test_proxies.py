"""The proxies' configurations: the guide shows the templates; a server's name and port replace the example's."""

import pytest

from crm_graph.errors import PayloadTooLarge
from crm_graph.server.connections import LIMITS
from crm_graph.server.proxies import Proxy, configuration
from crm_graph.web.requests import BODY_MAX
from tests.support.documents import fenced
from tests.support.paths import PROJECT

GUIDE = PROJECT / "docs" / "server-setup.md"
BOTH = pytest.mark.parametrize(("proxy", "language"), [("nginx.conf", "nginx"), ("Caddyfile", "caddyfile")])


@BOTH
def test_the_guide_shows_the_template(proxy: Proxy, language: str) -> None:
    assert fenced(GUIDE, language) == [configuration(proxy)]


@BOTH
def test_nothing_of_the_example_is_left(proxy: Proxy, language: str) -> None:
    text = configuration(proxy, name="sales.acme.org", host="::1", port=8123)
    assert "sales.acme.org" in text
    assert "[::1]:8123" in text
    assert "example" not in text
    assert ":8000" not in text


@BOTH
def test_its_limit_of_bodies_is_crm_graphs(proxy: Proxy, language: str) -> None:
    assert str(BODY_MAX) in configuration(proxy)
    assert PayloadTooLarge.code in configuration(proxy)


def test_its_limit_of_connections_is_crm_graphs() -> None:
    assert f"limit_conn                  crm_graph {LIMITS.client_connections};" in configuration("nginx.conf")
