"""`crm-graph endpoints` and `crm-graph deliveries`: outgoing webhooks from the command line."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from crm_graph.cli.context import ONE_OR_MANY, as_operator, in_unit_of_work, load_settings, moment, with_database
from crm_graph.cli.output import remark, show, time_text
from crm_graph.database.engine import Database, Transaction
from crm_graph.delivery import endpoints, listings, pause
from crm_graph.delivery import replay as deliveries
from crm_graph.delivery.listings import ListedDelivery, ListedEndpoint
from crm_graph.delivery.pause import DeploymentState
from crm_graph.domain.team import owners
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress import client
from crm_graph.errors import SetupError
from crm_graph.models import DeliveryStatus, EventType

app = typer.Typer(help="Endpoints that events are sent to.", no_args_is_help=True)
deliveries_app = typer.Typer(help="Deliveries to endpoints.", no_args_is_help=True)

T = TypeVar("T")
Endpoint = Annotated[uuid.UUID, typer.Argument(help="The endpoint's id, from `crm-graph endpoints list`.")]
Events = Annotated[
    list[EventType] | None, typer.Option("--event", help="An event type to send; repeatable. Default: all types.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME: VALUE", help="A header to send with each delivery; repeatable."),
]
OnlyOf = Annotated[str | None, typer.Option("--owner", metavar="EMAIL", help="Only the endpoints of this owner.")]


@app.command("add")
def add(
    url: Annotated[str, typer.Option(help="Where to send events.")],
    owner: Annotated[
        str, typer.Option(metavar="EMAIL", help="Its owner; an admin's endpoint gets everybody's events.")
    ],
    event: Events = None,
    header: Headers = None,
) -> None:
    """Add an endpoint. Prints its id, its URL and its signing secret, which is shown only this once."""
    settings, headers = load_settings(), _headers(header)

    async def work(database: Database) -> tuple[str, endpoints.Created]:
        checked = await client.check_url(url, settings.networks())

        async def make(work: UnitOfWork) -> endpoints.Created:
            found = await owners.get_by_email(work.transaction, owner)
            return await endpoints.create(work, url=checked, owner_id=found.id, event_types=event, headers=headers)

        return checked.url, await in_unit_of_work(database, make)

    normal, made = with_database(work, settings)
    if made.secret is None:
        remark("the endpoint exists already and is unchanged; for a new secret: crm-graph endpoints rotate")
    show(("endpoint", "url", "secret"), [(str(made.endpoint_id), normal, made.secret or "")])


@app.command("update")
def update(
    endpoint: Endpoint,
    url: Annotated[str | None, typer.Option(help="The new URL.")] = None,
    event: Events = None,
    header: Headers = None,
    all_events: Annotated[bool, typer.Option("--all-events", help="Send all event types.")] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Remove all headers.")] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether events are queued for it.")
    ] = None,
) -> None:
    """Change an endpoint; options that are left out change nothing.

    --event replaces the list of types; a --header without a value is removed.
    """
    if (event and all_events) or (header and no_headers):
        raise SetupError("give either --event or --all-events, and either --header or --no-headers")
    settings = load_settings()
    given: dict[str, Any] = {"event_types": event} if event or all_events else {}
    given |= {"headers": _headers(header, may_remove=True)} if header or no_headers else {}

    async def work(database: Database) -> list[ListedEndpoint]:
        if url is not None:
            given["url"] = await client.check_url(url, settings.networks())

        async def change(work: UnitOfWork) -> list[ListedEndpoint]:
            await endpoints.edit(work, endpoint_id=endpoint, changes=given, active=active)
            return await listings.list_endpoints(work.transaction)

        return await in_unit_of_work(database, change)

    _show([row for row in with_database(work, settings) if row.id == endpoint])


@app.command("list")
def list_all(owner: OnlyOf = None) -> None:
    """List the endpoints."""

    async def act(work: UnitOfWork) -> tuple[list[ListedEndpoint], str | None]:
        found = await listings.list_endpoints(work.transaction, await _email(work.transaction, owner))
        return found, await pause.find_reason(work.transaction)

    found, paused = as_operator(act)
    _remark_on(paused)
    _show(found)


@app.command("delete")
def delete(endpoint: Endpoint) -> None:
    """Delete an endpoint and its deliveries; the events stay."""
    as_operator(lambda work: endpoints.delete(work, endpoint_id=endpoint))


@app.command("rotate")
def rotate(endpoint: Endpoint) -> None:
    """Print a new signing secret, which is shown only this once. The old one also signs for 24 hours more."""
    print(as_operator(lambda work: endpoints.rotate(work, endpoint_id=endpoint)))


@app.command("test")
def test(endpoint: Endpoint) -> None:
    """Send a `test` event and print the id of its delivery; `crm-graph deliveries list` shows the result."""

    async def act(work: UnitOfWork) -> tuple[uuid.UUID, str | None]:
        return await endpoints.send_test(work, endpoint_id=endpoint), await pause.find_reason(work.transaction)

    delivery, paused = as_operator(act)
    _remark_on(paused)
    print(delivery)


@deliveries_app.command("list")
def list_deliveries(
    owner: OnlyOf = None,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only deliveries with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most to list.")] = 50,
) -> None:
    """List deliveries, newest first."""

    async def act(work: UnitOfWork) -> list[ListedDelivery]:
        return await listings.list_deliveries(work.transaction, await _email(work.transaction, owner), status, limit)

    show(
        ("delivery", "created", "event", "status", "attempts", "url", "owner"),
        [
            (str(d.id), time_text(d.created_at), d.type, d.status, str(d.attempts), d.url, d.email)
            for d in as_operator(act)
        ],
    )


@deliveries_app.command("replay")
def replay(
    delivery: Annotated[uuid.UUID | None, typer.Argument(help="One delivery.")] = None,
    endpoint: Annotated[uuid.UUID | None, typer.Option(help="All events of this endpoint; needs --since.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Created at or after this time; UTC, or with an offset."),
    ] = None,
) -> None:
    """Send deliveries again, whatever their status; with --since also events that a disabled endpoint missed."""
    if (delivery is not None, endpoint is not None, since is not None) not in ONE_OR_MANY:
        raise SetupError("give either one DELIVERY and no options, or --endpoint and --since")
    if delivery is not None:
        as_operator(lambda work: deliveries.replay(work, delivery_id=delivery))
        return

    async def work(database: Database) -> int:
        count, start = 0, since
        while start is not None:

            async def replay_some(work: UnitOfWork, since: datetime = start) -> deliveries.Replayed:
                assert endpoint is not None
                return await deliveries.replay_since(work, endpoint_id=endpoint, since=since)

            done = await in_unit_of_work(database, replay_some)
            count, start = count + done.queued, done.next_since
        return count

    print(f"queued again: {with_database(work)}")


@deliveries_app.command("resume")
def resume() -> None:
    """Resume deliveries under the configured PUBLIC_URL. Never do this on a copy of a database that is in use."""
    settings = load_settings()

    async def act(work: UnitOfWork) -> DeploymentState | None:
        await pause.pause_if_moved(work.transaction, settings.public_url)  # a copy that was never served says why
        before = await pause.find_state(work.transaction)
        await pause.resume(work, settings.public_url)
        return before

    before = as_operator(act, settings)
    served = f"this database is served under {settings.public_url or 'no PUBLIC_URL'}"
    if before is None or before.paused_at is None:
        print(f"deliveries were not paused; {served}")
    else:
        since = f"{time_text(before.paused_at)} ({before.paused_reason})"
        print(f"deliveries are resumed; they were paused since {since}; {served}")


def _remark_on(paused: str | None) -> None:
    if paused:
        remark(f"deliveries are paused, so nothing is sent: {paused}")


def _headers(given: Sequence[str] | None, *, may_remove: bool = False) -> dict[str, str | None] | None:
    if given is None:
        return None
    pairs = [text.partition(":") for text in given]
    if any(not colon or not (value.strip() or may_remove) for _, colon, value in pairs):
        raise SetupError("--header is written NAME: VALUE")
    return {name.strip(): value.strip() or None for name, _, value in pairs}


async def _email(transaction: Transaction, owner: str | None) -> str | None:
    return (await owners.get_by_email(transaction, owner)).email if owner else None


def _show(found: Sequence[ListedEndpoint]) -> None:
    show(
        ("endpoint", "owner", "url", "events", "headers", "state", "failures", "pending"),
        [
            (
                str(row.id),
                row.email,
                row.url,
                ",".join(row.event_types) or "all",
                ",".join(sorted(row.headers)),
                f"disabled: {row.disabled_reason}" if row.disabled_at else "active",
                str(row.failures),
                str(row.pending),
            )
            for row in found
        ],
    )
