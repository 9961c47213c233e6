"""The database and the application that the tests run against: always a real PostgreSQL, migrated as a user's is.

By default the embedded server, in a folder of its own; with PG_HOST or DATABASE_URL the server they name, where a
scratch database is made and dropped.
"""

import gc
import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import hypothesis
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from crm_graph.database.engine import Database, place
from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from crm_graph.errors import SetupError
from crm_graph.graphql.engine.documents import Documents
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.engine.plans import PlanCache
from crm_graph.graphql.execution import reads
from crm_graph.graphql.transport import http
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.identity import authenticator
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.credentials import (
    CALCOM_SECRET,
    INSTANTLY_OLD_SECRET,
    INSTANTLY_SECRET,
    INSTANTLY_TOKEN,
    JWT_SECRET,
)
from tests.support.database import empty
from tests.support.factories import World, build
from tests.support.pipelines import Board, remove
from tests.support.pipelines import build as build_board

# The same examples in every run: a change is judged by what it changes. `make fuzz` draws others.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("fuzz" if "FUZZ_EXAMPLES" in os.environ else "same")


@pytest.fixture(scope="session")
def embedded_dir() -> Iterator[Path]:
    """The data folder of an embedded PostgreSQL that runs as long as the tests do."""
    with ExitStack() as stack:
        # Not tmp_path: when root runs the tests, the server's user must be able to pass through.
        folder = Path(tempfile.mkdtemp(prefix="crm-graph-tests-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        stack.enter_context(EmbeddedPostgres(folder / "data", durable=False))
        yield folder / "data"


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[URL]:
    """A PostgreSQL server, as its superuser."""
    configured = Settings.load().server_url()
    if configured is not None:
        yield configured.set(database="postgres")  # where scratch databases are made from; PG_DATABASE may not exist
        return
    with EmbeddedPostgres(request.getfixturevalue("embedded_dir")) as postgres:
        yield postgres.url("postgres", "postgres")


@pytest.fixture(scope="session")
def admin_url(server: URL) -> Iterator[URL]:
    """A migrated database, owned as in production."""
    name = f"crm_test_{uuid.uuid4().hex[:12]}"
    maintenance = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
    url = server.set(database=name)
    try:
        migrate(url)
        yield url
    finally:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def database(admin_url: URL) -> AsyncIterator[Database]:
    """The database as the server sees it: as app_user, without DDL and without DELETE on what happened."""
    opened = Database(admin_url.update_query_dict({"options": "-c role=app_user"}))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def _admin_engine(admin_url: URL) -> AsyncIterator[AsyncEngine]:
    readable = admin_url.update_query_dict({"options": "-c bytea_output=escape"})  # bytes that are text look like it
    engine = create_async_engine(readable, isolation_level="AUTOCOMMIT")
    yield engine
    await engine.dispose()


@pytest.fixture
async def sql(_admin_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A superuser's connection in autocommit, for looking at what was stored and for setting up what no verb does."""
    async with _admin_engine.connect() as connection:
        yield connection


@pytest.fixture
async def clean(sql: AsyncConnection) -> AsyncIterator[None]:
    """Leave the database as the migrations made it."""
    yield
    await empty(sql)


@pytest.fixture
async def world(sql: AsyncConnection, clean: None) -> World:
    """A small team and its rows; a file whose tests need more adds it in a `world` of its own."""
    return await build(sql)


@pytest.fixture
async def board(world: World, sql: AsyncConnection) -> AsyncIterator[Board]:
    """A pipeline beside the default one; afterwards there is the migrated one alone."""
    built = await build_board(world, sql)
    yield built
    await remove(built)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Production settings with every secret; nothing from the environment of the test run."""
    return Settings.load(
        _env_file=None,
        crm_env="production",
        jwt_secret=SecretStr(JWT_SECRET),
        hmac_shared_secret_instantly=(SecretStr(INSTANTLY_SECRET), SecretStr(INSTANTLY_OLD_SECRET)),
        hmac_shared_secret_calcom=(SecretStr(CALCOM_SECRET),),
        instantly_webhook_token=(SecretStr(INSTANTLY_TOKEN),),
        internal_domains=("seller.com",),
    )


@pytest.fixture
def short_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are cached for 0.1 s (to be named with usefixtures: the application reads it when it is made)."""
    assert authenticator.CACHE_SECONDS <= 3
    monkeypatch.setattr(authenticator, "CACHE_SECONDS", 0.1)


@pytest.fixture(scope="session")
def prepared() -> tuple[Documents, PlanCache]:
    """Documents and plans, which depend on no data: preparing them takes longer than most of what is tested."""
    return Documents(graphql_schema(build_schema()), is_development=False), PlanCache()


@pytest.fixture
def app(settings: Settings, database: Database, clean: None, prepared: tuple[Documents, PlanCache]) -> FastAPI:
    """The application, as `serve` makes it, with documents and plans of earlier tests."""
    with pytest.MonkeyPatch.context() as patch:
        documents, plans = prepared
        patch.setattr(http, "Documents", lambda *_args, **_options: documents)
        patch.setattr(reads, "PlanCache", lambda: plans)
        return create_app(settings, database)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as opened:
        yield opened


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop at once, with one line, when the server that was named can't be used; before the workers start."""
    if hasattr(session.config, "workerinput"):
        return
    try:
        url = Settings.load().server_url()
        if url is None:
            return
        maintenance = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(maintenance, connect_timeout=10) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper").rowcount:
                pytest.exit(f"the tests need a superuser on {place(url)}: set PG_USER", returncode=2)
    except (SetupError, psycopg.Error) as error:
        pytest.exit(f"no PostgreSQL for the tests: {' '.join(str(error).split())}", returncode=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first, then those with many tests: workers take whole files, and the last ones should be short."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, -sizes[item.path]))


def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of every later garbage collection: a tenth of all time went there."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> str:
    """Say which server the tests run on."""
    named = os.environ.get("PG_HOST") or ("DATABASE_URL" if os.environ.get("DATABASE_URL") else None)
    return f"PostgreSQL: {named or 'embedded'}"
