"""Configurations of reverse proxies in front of crm-graph: one template for each, the same that the guide shows.

A template is a working configuration for the names below, which `configuration` replaces.
"""

from importlib.resources import files
from typing import Literal

NAME, UPSTREAM = "crm.example.com", "127.0.0.1:8000"

Proxy = Literal["nginx.conf", "Caddyfile"]


def configuration(proxy: Proxy, *, name: str = NAME, host: str = "127.0.0.1", port: int = 8000) -> str:
    """The configuration of a proxy that serves `name` and passes requests on to crm-graph at `host` and `port`."""
    template = files(__name__).joinpath(proxy).read_text(encoding="utf-8")
    upstream = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return template.replace(NAME, name).replace(UPSTREAM, upstream)
