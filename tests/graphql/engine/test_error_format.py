"""What errors reveal: in production nothing about the schema, and of internal errors only the request id."""

import time
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.deals import records as deals
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask, bearer, reason, refusal, send
from tests.support.database import unchanged
from tests.support.factories import add_owner

ADA = "ada@seller.com"
ME = "{ me { email } }"
CREATE = 'mutation { createDeal(input: {title: "secret title"}) { deal { id } } }'
INTROSPECTION = "{ __schema { types { name } } }"
TYPOS = (
    "{ mee { id } }",
    "{ me { emial } }",
    "{ deals(frist: 1) { totalCount } }",
    'mutation { createDeal(input: {tittle: "x", title: "x"}) { deal { id } } }',
    "query ($in: CreateDealInpt!) { createDeal(input: $in) { deal { id } } }",
    'mutation { upsertContact(input: {email: "a@b.c", lifecycleStage: LEED}) { created } }',
    "{ me { ...F } } fragment F on Ownr { id }",
    "{ me @inclde(if: true) { id } }",
)


@pytest.fixture(autouse=True)
async def ada(client: httpx.AsyncClient, sql: AsyncConnection) -> Any:
    """The caller; `client` first, so that its clean-up comes last."""
    return await add_owner(sql, ADA)


def opened(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://crm.test")


@pytest.fixture
def development(settings: Settings, database: Database) -> httpx.AsyncClient:
    """A client of the application as a developer runs it."""
    return opened(create_app(settings.model_copy(update={"crm_env": "development"}), database))


async def test_production_does_not_describe_itself(client: httpx.AsyncClient) -> None:
    for document in (
        INTROSPECTION,
        '{ __type(name: "Deal") { name } }',
        "{ me { __typename } s: __schema { types { name } } }",
    ):
        body = (await send(client, ADA, document)).json()
        assert "data" not in body  # nothing was executed (GraphQL, 7.1)
        assert {reason(error)[0] for error in body["errors"]} == {"BAD_REQUEST"}
    assert (await ask(client, ADA, "{ __typename me { __typename } }"))["me"] == {"__typename": "Owner"}


async def test_production_makes_no_suggestions(client: httpx.AsyncClient) -> None:
    for document in TYPOS:
        errors = (await send(client, ADA, document)).json()["errors"]
        assert "did you mean" not in str(errors).lower()


async def test_development_describes_itself_and_helps(development: httpx.AsyncClient) -> None:
    assert (await ask(development, ADA, INTROSPECTION))["__schema"]["types"]
    error = await refusal(development, ADA, "{ me { emial } }")
    assert "Did you mean 'email'?" in error["message"]


async def test_the_query_page_is_for_developers(client: httpx.AsyncClient, development: httpx.AsyncClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    page = await development.get("/graphql", headers=browser)
    refused = await client.get("/graphql", headers=browser)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "graphiql" in page.text.lower()
    assert refused.status_code == 401
    assert "graphiql" not in refused.text.lower()
    assert (await development.get("/graphql", headers={"Accept": "application/json"})).status_code == 401


async def test_an_internal_error_is_masked_and_its_cause_logged(
    client: httpx.AsyncClient, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("postgresql://app:hunter2@db/crm SELECT /srv/app/deals.py")

    monkeypatch.setattr(deals, "create", broken)

    async with unchanged(sql):
        answer = await send(client, ADA, CREATE)

    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    request_id = answer.headers["x-request-id"]
    assert error["message"] == f"[INTERNAL] internal error; the log has the cause under request id {request_id}"
    assert error["extensions"] == {"code": "INTERNAL"}
    for hidden in ("hunter2", "SELECT", "/srv", "RuntimeError", "Traceback", "secret title"):
        assert hidden not in answer.text
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert vars(record)["details"]["request_id"] == request_id


async def test_a_broken_statement_is_masked_as_well(
    client: httpx.AsyncClient, sql: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    await sql.execute(text("ALTER TABLE owners RENAME COLUMN timezone TO zone"))
    try:
        answer = await send(client, ADA, "{ me { email timezone } }")
    finally:
        await sql.execute(text("ALTER TABLE owners RENAME COLUMN zone TO timezone"))

    assert answer.status_code == 500
    assert answer.json()["errors"][0]["message"].startswith("[INTERNAL] internal error; the log has the cause")
    for hidden in ("timezone", "SELECT", "psycopg", "UndefinedColumn"):
        assert hidden not in answer.text.replace('"path":["me"]', "")
    assert (await ask(client, ADA, "{ me { timezone } }"))["me"] == {"timezone": None}


async def test_a_database_that_is_down_is_503_with_retry_after(settings: Settings) -> None:
    nowhere = Database(make_url("postgresql+psycopg://app:hunter2@127.0.0.1:1/crm"))
    async with opened(create_app(settings, nowhere)) as client:
        answer = await client.post("/graphql", json={"query": ME}, headers=bearer(ADA))

    await nowhere.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
    for hidden in ("hunter2", "127.0.0.1", "psycopg"):
        assert hidden not in answer.text


async def test_a_database_that_goes_down_between_token_and_query_is_503(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(client, ADA, ME)

    def down(*_args: object, **_kwargs: object) -> None:
        raise psycopg.OperationalError("connection refused at 10.0.0.1")

    async with unchanged(sql):
        for document in (ME, CREATE):
            with monkeypatch.context() as cut:
                for engine in (database._engine, database._reads):
                    cut.setattr(engine.sync_engine.pool, "connect", down)
                answer = await send(client, ADA, document)
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"] == "5"
            assert "10.0.0.1" not in answer.text


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ deal(id: 1) { id } }" , "VALIDATION"),
        ("{" + "a{" * 2_400, "QUERY_TOO_COMPLEX"),
        ("{" + "a{" * 2_400 + "b" + "}" * 2_401, "QUERY_TOO_COMPLEX"),
        ("{ me { " + "id " * 6_000 + "} }", "QUERY_TOO_COMPLEX"),
        ("{ deals { " + "nodes { contact { deals { " * 20 + "totalCount" + " } } }" * 20 + " } }", "QUERY_TOO_COMPLEX"),
        ("{ deals { nodes { " + " ".join(f"d{i}: activities {{ totalCount nodes {{ id }} }}" for i in range(60))
         + " } } }", "QUERY_TOO_COMPLEX"),
        ("{ deals { nodes { ...F } } } fragment F on Deal { contact { deals { nodes { ...F } } } }", "BAD_REQUEST"),
    ],
    ids=["wrong id", "unclosed", "2,400 levels", "6,000 fields", "60 levels", "120 lists", "circular"],
)  # fmt: skip
async def test_a_costly_document_is_refused_quickly(document: str, code: str, client: httpx.AsyncClient) -> None:
    await ask(client, ADA, ME)
    started = time.process_time()  # of this process alone: the machine may be busy

    answer = await send(client, ADA, document)

    assert time.process_time() - started < 1
    assert answer.json()["errors"][0]["extensions"]["code"] == code, answer.text[:300]
    assert answer.status_code in (200, 400)
