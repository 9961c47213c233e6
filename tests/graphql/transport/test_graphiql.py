"""GraphiQL from this package's own files: in development only, and nothing of it from another server."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from crm_graph.database.engine import Database
from crm_graph.graphql.transport import graphiql
from crm_graph.server.app import create_app
from crm_graph.settings import Settings

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
OWN = {"page.html", "page.css", "page.js"}
PACKAGES = json.loads((graphiql.FOLDER / ".." / "packages.json").read_text())


@pytest.fixture
async def browser(settings: Settings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update={"crm_env": "development"}), database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://crm.test") as client:
        yield client


async def test_the_page_loads_files_of_this_server_only(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphql", headers=BROWSER)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(loaded) > 5
    assert [url for url in loaded if not url.startswith("/graphiql/")] == ["data:,"]  # no icon
    for url in loaded[1:]:
        assert (await browser.get(url)).status_code == 200


async def test_the_browser_is_told_to_load_nothing_else(browser: httpx.AsyncClient) -> None:
    for url in ("/graphql", "/graphiql/page.js"):
        answer = await browser.get(url, headers=BROWSER)
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert (policy["script-src"], policy["connect-src"]) == ("'self'", "'self'")
        assert not re.search(r"[*]|https?:|unsafe", answer.headers["content-security-policy"])
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["nothing.js", "__init__.py", "..%2fpackages.json", "%2e%2e/packages.json", "packages.json"]
)
async def test_no_other_file_is_served(browser: httpx.AsyncClient, name: str) -> None:
    assert (await browser.get(f"/graphiql/{name}")).status_code == 404


async def test_in_production_there_is_neither_page_nor_file(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://crm.test") as client:
        assert (await client.get("/graphql", headers=BROWSER)).status_code == 401
        for file in graphiql.FOLDER.iterdir():
            assert (await client.get(f"/graphiql/{file.name}")).status_code == 404


def test_the_files_are_those_of_the_packages_that_are_pinned() -> None:
    pinned = {file["to"]: file["integrity"] for package in PACKAGES for file in package["files"]}
    found = {file.name: file.read_bytes() for file in graphiql.FOLDER.iterdir()}

    assert found.keys() == pinned.keys() | OWN
    for name, integrity in pinned.items():
        digest = base64.b64encode(hashlib.sha512(found[name]).digest()).decode()
        assert integrity == f"sha512-{digest}", name
    assert all(package["integrity"].startswith("sha512-") for package in PACKAGES)
    assert sum(map(len, found.values())) < 3_000_000
