"""Tasks: mutations as a client of the API sends them, and what is stored."""

from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask, refusal
from tests.support.factories import ADA, World

SHOWN = """{ replayed task { id type content meta dueAt completedAt assignee { email } createdBy { email }
    contact { id } deal { id } } }"""
CREATE = f"mutation ($in: CreateTaskInput!) {{ done: createTask(input: $in) {SHOWN} }}"
UPDATE = f"mutation ($in: UpdateTaskInput!) {{ done: updateTask(input: $in) {SHOWN} }}"
COMPLETE = f"mutation ($in: CompleteTaskInput!) {{ done: completeTask(input: $in) {SHOWN} }}"
REOPEN = f"mutation ($in: ReopenTaskInput!) {{ done: reopenTask(input: $in) {SHOWN} }}"
MINE = """{ activities(filter: {type: TASK, open: true, assignedToMe: true}, orderBy: DUE_AT_ASC) {
    totalCount nodes { content } } }"""


async def do(client: httpx.AsyncClient, mutation: str, who: str = ADA, **given: Any) -> Json:
    return dict((await ask(client, who, mutation, **{"in": given}))["done"]["task"])


async def no(client: httpx.AsyncClient, mutation: str, who: str = ADA, **given: Any) -> Json:
    return await refusal(client, who, mutation, **{"in": given})


async def made(client: httpx.AsyncClient, world: World, who: str = ADA, **given: Any) -> str:
    """The id of a new task."""
    about = {} if given.keys() & {"contactId", "dealId"} else {"dealId": str(world.ada.deal)}
    return str((await do(client, CREATE, who, content="Call back", **about, **given))["id"])


async def stored(sql: AsyncConnection, id_: str) -> Any:
    query = text("SELECT * FROM activities WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": id_})).one()


async def task_entries(sql: AsyncConnection) -> list[Any]:
    """The system's entries about tasks, oldest first."""
    query = "SELECT * FROM activities WHERE type = 'system' AND content LIKE 'Task %' ORDER BY occurred_at"
    return list(await sql.execute(text(query)))


async def assignee(sql: AsyncConnection, id_: str) -> Any:
    return (await stored(sql, id_)).assignee_id
