"""The time that new documents take: metered for each owner, in order, and beside other requests."""

import asyncio
import time
import uuid
from functools import partial

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import LimitReached
from crm_graph.graphql.execution.compiling import Compiling
from crm_graph.graphql.transport import http
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask, refusal, send
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, World

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
WORK = 0.03  # seconds


def work() -> str:
    """Use the thread's time."""
    started = time.thread_time()
    while time.thread_time() < started + WORK:
        pass
    return "done"


def nothing() -> None:
    return None


async def test_an_owner_waits_for_the_budget_and_is_refused_when_that_takes_too_long() -> None:
    compiling = Compiling(share=0.5, saved_max=0.001, wait_max=0.3)
    started = time.monotonic()

    assert await compiling.run(ONE, work, nothing) == "done"
    assert time.monotonic() - started < 2 * WORK + 0.2
    assert await compiling.run(ONE, work, nothing) == "done"
    assert time.monotonic() - started >= 2 * WORK  # at half the time, the first one is paid after twice as long

    poor = Compiling(share=0.001, saved_max=0.001, wait_max=0.05)
    await poor.run(ONE, work, nothing)
    with pytest.raises(LimitReached, match="put values into variables") as refused:
        await poor.run(ONE, work, nothing)
    assert 10 < (refused.value.retry_after or 0) < 1_000  # 0.03 s, at a thousandth
    assert await poor.run(OTHER, work, nothing) == "done"
    assert await poor.run(ONE, work, lambda: "found") == "found"


async def test_an_idle_owner_saves_up_to_a_maximum() -> None:
    compiling = Compiling(share=1_000, saved_max=0.001, wait_max=0.05)
    await compiling.run(ONE, work, nothing)
    await asyncio.sleep(0.01)

    started = time.monotonic()
    await compiling.run(ONE, work, nothing)

    assert time.monotonic() - started < 1


async def test_work_that_fails_is_paid_for() -> None:
    def fail() -> str:
        work()
        raise ValueError

    compiling = Compiling(share=0.001, saved_max=0.001, wait_max=0.05)
    with pytest.raises(ValueError, match=r"^$"):
        await compiling.run(ONE, fail, nothing)

    with pytest.raises(LimitReached):
        await compiling.run(ONE, work, nothing)


async def test_an_owners_calls_run_in_order_and_nothing_is_made_twice() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    def find(name: str) -> str | None:
        return name if name in made else None

    compiling = Compiling()
    calls = [compiling.run(ONE, partial(make, name), partial(find, name)) for name in "aabbcab"]

    assert await asyncio.gather(*calls) == list("aabbcab")
    assert made == list("abc")


async def test_a_cancelled_call_frees_its_turn() -> None:
    compiling = Compiling(share=0.01, saved_max=0.001, wait_max=60)
    await compiling.run(ONE, work, nothing)
    waiting = [asyncio.create_task(compiling.run(ONE, work, nothing)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert await asyncio.wait_for(compiling.run(ONE, work, lambda: "found"), 1) == "found"


async def test_the_process_goes_on_meanwhile() -> None:
    turns = 0
    compiling = asyncio.create_task(Compiling().run(ONE, lambda: time.sleep(0.2), nothing))
    while not compiling.done():
        await asyncio.sleep(0.005)
        turns += 1

    assert turns > 5


@pytest.fixture
async def poor(settings: Settings, database: Database, world: World) -> httpx.AsyncClient:
    """The application, in which nobody saves up time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "Compiling", partial(Compiling, share=1e-4, saved_max=1e-6, wait_max=0.05))
        app = create_app(settings, database)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://crm.test")


async def test_new_documents_above_the_budget_are_refused_with_429(poor: httpx.AsyncClient) -> None:
    known = "{ me { id } }"
    assert (await send(poor, ADA, known)).status_code == 429  # read, but not yet compiled
    answer = await send(poor, ADA, "{ me { name } }")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["errors"][0]["message"].startswith("[LIMIT_REACHED] you send new queries faster")
    assert (await send(poor, BOB, known)).status_code == 200  # Ada's document: only its plan is made


async def test_a_mutation_is_refused_before_it_changes_anything(
    poor: httpx.AsyncClient, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    document = 'mutation { createDeal(input: {title: "x"}) { deal { id } } }'
    async with unchanged(sql):
        error = await refusal_of(poor, document)

    assert error == "LIMIT_REACHED"
    assert await ask(client, ADA, document)


async def refusal_of(client: httpx.AsyncClient, document: str) -> str:
    return str((await refusal(client, ADA, document))["extensions"]["code"])


async def test_a_loop_of_documents_with_values_in_them_is_never_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    """As n8n sends them when its user writes an expression into the query."""
    documents = [
        f'{{ contactByEmail(email: "person{n}@x.example") {{ id fullName deals {{ totalCount }} }} }}'
        for n in range(40)
    ]

    answers = await asyncio.gather(*(ask(client, ADA, document) for document in documents))

    assert answers == [{"contactByEmail": None}] * 40
