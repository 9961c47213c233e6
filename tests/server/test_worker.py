"""The worker's upkeep: it takes over the jobs of killed workers, and deletes old events."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.models import Role, WebhookEndpoint, table
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.web.signatures import new_webhook_secret
from tests.support.factories import add_owner
from tests.support.http_receiver import Receiver

TEST = text("SELECT crm_test_endpoint(:id, now())")
JOBS = text("SELECT count(*) FROM crm_jobs.procrastinate_jobs WHERE lock = :lock")
JOB = """INSERT INTO crm_jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
    VALUES ('crm', 'drain', :lock, :lock, CAST(:args AS jsonb), :status, :worker)"""


async def add_endpoint(sql: AsyncConnection, url: str) -> uuid.UUID:
    boss, id_ = await add_owner(sql, "boss@seller.com", role=Role.ADMIN), uuid.uuid4()
    endpoint: dict[str, Any] = {"id": id_, "owner_id": boss, "url": url, "secret": new_webhook_secret(), "headers": {}}
    await sql.execute(insert(table(WebhookEndpoint)).values(endpoint))
    return id_


async def add_job(sql: AsyncConnection, endpoint: uuid.UUID, status: str, worker: int | None) -> None:
    args = f'{{"endpoint_id": "{endpoint}"}}'
    values = {"lock": f"drain:{endpoint}", "args": args, "status": status, "worker": worker}
    await sql.execute(text("SET search_path TO crm_jobs"))  # where the triggers of that table look
    await sql.execute(text(JOB), values)
    await sql.execute(text("RESET search_path"))


async def test_a_job_of_a_killed_worker_gives_way_to_the_next_one(
    sql: AsyncConnection, clean: None, settings: Settings, database: Database, admin_url: URL
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    dead = await sql.scalar(
        text("INSERT INTO crm_jobs.procrastinate_workers (last_heartbeat) VALUES (:at) RETURNING id"), {"at": hour_ago}
    )
    async with Receiver() as receiver:
        endpoint = await add_endpoint(sql, receiver.url())
        await sql.execute(TEST, {"id": endpoint})
        await add_job(sql, endpoint, "doing", dead)
        await add_job(sql, endpoint, "todo", None)
        allowed = settings.model_copy(update={"outbound_allowed_networks": ("127.0.0.0/8:*",)})
        url = admin_url.update_query_dict({"options": "-c role=app_user"})
        async with working(allowed, database, url):
            await receiver.wait(1, seconds=20)
            async with asyncio.timeout(20):
                while await sql.scalar(JOBS, {"lock": f"drain:{endpoint}"}):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
    assert await sql.scalar(text("SELECT status FROM webhook_deliveries")) == "delivered"


async def test_a_job_whose_end_was_not_recorded_does_not_block_the_next_one(
    sql: AsyncConnection, clean: None, settings: Settings, database: Database, admin_url: URL
) -> None:
    async with Receiver() as receiver, connection_lost_once(sql):
        endpoint = await add_endpoint(sql, receiver.url())
        await sql.execute(TEST, {"id": endpoint})
        allowed = settings.model_copy(update={"outbound_allowed_networks": ("127.0.0.0/8:*",)})
        url = admin_url.update_query_dict({"options": "-c role=app_user"})
        async with working(allowed, database, url):
            await receiver.wait(1, seconds=20)
            async with asyncio.timeout(20):
                while await sql.scalar(JOBS, {"lock": f"drain:{endpoint}"}):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await sql.execute(TEST, {"id": endpoint})
            await receiver.wait(2, seconds=20)
        assert await sql.scalar(text("SELECT last_value FROM losses")) > 1


@asynccontextmanager
async def connection_lost_once(sql: AsyncConnection) -> AsyncIterator[None]:
    """The server ends the first connection that records the end of a drain job."""
    for statement in (
        "CREATE SEQUENCE losses",
        """CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            IF nextval('public.losses') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN OLD; END $$""",
        """CREATE TRIGGER lose BEFORE DELETE ON crm_jobs.procrastinate_jobs
            FOR EACH ROW WHEN (OLD.task_name = 'drain') EXECUTE FUNCTION lose()""",
    ):
        await sql.execute(text(statement))
    try:
        yield
    finally:
        await sql.execute(text("DROP FUNCTION lose CASCADE"))
        await sql.execute(text("DROP SEQUENCE losses"))


async def test_old_settled_deliveries_are_deleted_and_pending_ones_are_kept(
    sql: AsyncConnection, clean: None, database: Database
) -> None:
    endpoint = await add_endpoint(sql, "https://n8n.example.com/hook")
    ids = [await sql.scalar(TEST, {"id": endpoint}) for _ in range(4)]
    old = {"at": datetime.now(UTC) - timedelta(days=40)}
    await sql.execute(text("UPDATE events SET created_at = :at WHERE id = ANY (:ids)"), old | {"ids": ids[:3]})
    settle = text("UPDATE webhook_deliveries SET status = 'delivered', settled_at = :at WHERE event_id = :id")
    await sql.execute(settle, old | {"id": ids[0]})
    await sql.execute(settle, {"at": datetime.now(UTC), "id": ids[1]})  # replayed a moment ago

    async with database.transaction() as session:
        forgotten = await session.scalar(
            text("SELECT crm_purge_events(:before, 10)").bindparams(before=datetime.now(UTC) - timedelta(days=30))
        )

    assert forgotten == 2  # a delivery, and its event
    assert set(await sql.scalars(text("SELECT id FROM events"))) == set(ids[1:])
    assert await sql.scalar(text("SELECT count(*) FROM webhook_deliveries")) == 3
