"""The demo: seeds a small team, posts signed sample webhooks, shows what they changed, and serves."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import exists, or_, select
from sqlmodel import col

from crm_graph.cli import sample_webhooks
from crm_graph.cli.context import OPERATOR
from crm_graph.database import migrations
from crm_graph.database.engine import Database
from crm_graph.domain.team import owners
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.embedded.files import make_data_dir
from crm_graph.embedded.runner import has_cluster
from crm_graph.errors import Conflict, SetupError
from crm_graph.identity import issued_tokens
from crm_graph.identity.tokens import Tokens
from crm_graph.models import Contact, Role, WebhookLog
from crm_graph.server import databases, serve
from crm_graph.server.app import create_app
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.settings.demo_secrets import is_made_by_demo, make_demo_secrets, mark_as_made_by_demo
from crm_graph.telemetry import logs
from crm_graph.values import utc_now

ADMIN = "ada@seller.com"
TOKEN_TTL = timedelta(hours=12)
TEAM: list[dict[str, Any]] = [
    {"name": "Ada Admin", "email": ADMIN, "role": Role.ADMIN, "is_default": True},
    {"name": "Max Sender", "email": "max@seller.com", "mailboxes": ["max@sender.com"]},
    {"name": "Ana Host", "email": "ana@seller.com"},
    {"name": "Rita Reader", "email": "rita@seller.com", "role": Role.READONLY},
]
SAMPLES = [
    ("instantly", "reply_received"),
    ("calcom", "booking_created"),
    ("instantly", "normalised_reply"),
    ("instantly", "lead_interested"),
    ("instantly", "auto_reply_received"),
    ("instantly", "email_bounced"),
    ("instantly", "lead_unsubscribed"),
    ("calcom", "ping"),
]
ANYTHING = or_(exists(select(col(Contact.id))), exists(select(col(WebhookLog.id))))
SHOWN = """{
  contacts(first: 20) { nodes { email fullName replyStatus replySummary owner { name } company { name } } }
  deals(first: 20) { nodes { title source stage { name } contact { email } owner { name }
    stageHistory { nodes { toStage { name } } } } }
}"""
TO_TRY = "{ pipeline { name stages { name dealCount deals { nodes { title contact { email } } } } } }"


def run(settings: Settings) -> None:
    """Set everything up, show it, and serve until Ctrl-C or SIGTERM. Raises SetupError."""
    logs.configure("warning", settings.log_form())
    console = Console()
    console = console if console.is_terminal else Console(width=140)
    with serve.bound_socket(settings.host, settings.port) as listening:
        if settings.server_url() is None:
            console.print("starting PostgreSQL ...")
        is_ours = _claim(settings)
        with databases.postgres(settings, may_create=True) as urls:
            if not urls.is_embedded:
                migrations.migrate(urls.migration)
            serve.run(_run(settings, urls, listening, console, is_ours=is_ours and urls.is_embedded))


def _claim(settings: Settings) -> bool:
    """Mark a data folder without a database as the demo's; returns whether the folder is marked. Raises SetupError."""
    folder = settings.crm_data_dir
    if is_made_by_demo(folder):
        return True
    if has_cluster(folder):
        if settings.server_url() is not None:  # the mark would keep that database from being served
            raise SetupError(f"the demo's secrets can't be kept beside the database in {folder}: set CRM_DATA_DIR")
        return False
    try:
        make_data_dir(folder)
        if settings.server_url() is None:  # a given database is marked once it is known to be empty
            mark_as_made_by_demo(folder)
    except OSError as error:
        raise SetupError(f"can't write in CRM_DATA_DIR ({folder}): {error.strerror}") from None
    return settings.server_url() is None


async def _run(settings: Settings, urls: databases.Urls, listening: Any, console: Console, *, is_ours: bool) -> None:
    async with databases.database(urls) as database, AsyncExitStack() as stack:
        if not is_ours:
            await _refuse_a_database_in_use(database)
        mark_as_made_by_demo(settings.crm_data_dir)
        make_demo_secrets(settings.crm_data_dir)
        # Without PUBLIC_URL: the samples go to this server, not to the one that the URL names. And on one port.
        settings = settings.with_demo_secrets().model_copy(update={"public_url": None, "metrics_port": None})
        token = await _seed(database, Tokens.of(settings))
        await databases.pause_if_moved(database, settings)
        await stack.enter_async_context(working(settings, database, urls.server))
        server = uvicorn.Server(serve.server_config(create_app(settings, database), lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await _show(settings, token, console)  # the socket listens already: early requests wait in its queue
        await serving


async def _refuse_a_database_in_use(database: Database) -> None:
    """Raises SetupError for a database with real data, to which the demo would add made-up people."""
    async with database.transaction() as transaction:
        present = {owner.email for owner, _ in await owners.list_with_mailboxes(transaction)}
        is_empty = not present and not await transaction.scalar(select(ANYTHING))
    if not is_empty and present != {member["email"] for member in TEAM}:
        raise SetupError(
            "the database is in use: the demo only fills an empty one. "
            "Unset DATABASE_URL and PG_HOST, or set CRM_DATA_DIR or DATABASE_URL to an empty one"
        )


async def _seed(database: Database, tokens: Tokens) -> str:
    """Add the team, and return a token of its admin."""
    now = utc_now()
    async with database.transaction() as transaction:
        for member in TEAM:
            with suppress(Conflict):  # an earlier demo added them
                async with transaction.savepoint():
                    await owners.create(UnitOfWork(transaction, OPERATOR, now), **member)
        admin = await owners.get_by_email(transaction, ADMIN)
        if not admin.active or admin.role != Role.ADMIN:
            raise SetupError(
                f"the demo needs its admin, and {ADMIN} is no longer an active admin: "
                f"crm-graph owner update --email {ADMIN} --role admin --active"
            )
        return await issued_tokens.issue(transaction, tokens, admin.id, TOKEN_TTL, now, description="demo")


async def _show(settings: Settings, token: str, console: Console) -> None:
    base = sample_webhooks.base_url(settings)
    async with httpx.AsyncClient(timeout=30) as client:
        await _post_samples(settings, client, console)
        answer = await client.post(
            f"{base}/graphql", json={"query": SHOWN}, headers={"Authorization": f"Bearer {token}"}
        )
    found = answer.json()
    if "errors" in found:
        raise SetupError(f"the demo's query failed: {found['errors'][0]['message']}")
    _show_contacts(found["data"]["contacts"]["nodes"], console)
    _show_deals(found["data"]["deals"]["nodes"], console)
    query = json.dumps({"query": TO_TRY})
    console.print(
        f"\nGraphQL    {base}/graphql   (in a browser: GraphiQL)"
        f"\nwebhooks   {base}{sample_webhooks.endpoint('instantly')}"
        f"\n           {base}{sample_webhooks.endpoint('calcom')}"
        f"\nhealth     {base}/healthz  {base}/readyz"
        f"\n\ntoken of {ADMIN}, for 12 hours:",
        highlight=False,
    )
    # Lines to copy: not wrapped, not coloured.
    for line in (token, "\ntry:", _curl(base, token, query), f"\nserving {base} - Ctrl-C stops"):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _curl(base: str, token: str, query: str) -> str:
    return f"curl -s {base}/graphql -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{query}'"


async def _post_samples(settings: Settings, client: httpx.AsyncClient, console: Console) -> None:
    table = Table("provider", "sample event", "HTTP", "answer", title="signed webhooks, posted to this server")
    answers = []
    for provider, name in SAMPLES:
        answer = await client.send(
            sample_webhooks.signed_request(settings, provider, sample_webhooks.fixture(provider, name))
        )
        answers.append(answer.json().get("status") or answer.json()["error"])
        table.add_row(provider, name, str(answer.status_code), answers[-1])
    console.print(table)
    if "duplicate" in answers:
        console.print("duplicate: an earlier demo posted it; no event is applied twice", highlight=False)


def _show_contacts(nodes: list[dict[str, Any]], console: Console) -> None:
    table = Table("contact", Column("e-mail", overflow="fold"), "company", "reply", "owner", title="contacts created")
    for node in reversed(nodes):
        company, owner = node["company"] or {}, node["owner"] or {}
        status = (node["replyStatus"] or "").lower().replace("_", " ")
        table.add_row(node["fullName"], node["email"], company.get("name"), status, owner.get("name"))
    console.print(table)


def _show_deals(nodes: list[dict[str, Any]], console: Console) -> None:
    table = Table(
        "deal",
        Column("contact", overflow="fold"),
        "stages",
        "source",
        "owner",
        title="deals opened and moved",
    )
    for node in reversed(nodes):
        way = " -> ".join(move["toStage"]["name"] for move in node["stageHistory"]["nodes"])
        contact, owner = node["contact"] or {}, node["owner"] or {}
        table.add_row(node["title"], contact.get("email"), way, node["source"], owner.get("name"))
    console.print(table)
