"""`crm-graph endpoints` and `crm-graph deliveries`: webhooks that leave, from the command line."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from crm_graph.cli.context import load_settings, moment, with_database
from crm_graph.cli.output import remark, show
from crm_graph.database.engine import Database, Transaction
from crm_graph.delivery import endpoints
from crm_graph.delivery import replay as deliveries
from crm_graph.domain.team import owners
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress import client
from crm_graph.errors import SetupError
from crm_graph.identity.principal import machine
from crm_graph.models import DeliveryStatus, EventType
from crm_graph.settings import Settings
from crm_graph.values import utc_now

OPERATOR = machine("crm-graph")  # whoever may run commands on the server
SECONDS = 600  # for deliveries of years, deleted with their endpoint
app = typer.Typer(help="Where events are sent.", no_args_is_help=True)
deliveries_app = typer.Typer(help="What is sent there.", no_args_is_help=True)

T = TypeVar("T")
Endpoint = Annotated[uuid.UUID, typer.Argument(help="The endpoint's id; `crm-graph endpoints list` has it.")]
Events = Annotated[
    list[EventType] | None, typer.Option("--event", help="A type to send; repeat it for more. Default: everything.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME: VALUE", help="Goes with each delivery; repeat it for more."),
]
OnlyOf = Annotated[str | None, typer.Option("--owner", metavar="EMAIL", help="Only this owner's.")]


@app.command("add")
def add(
    url: Annotated[str, typer.Option(help="Where to send events.")],
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="Whose events: an admin's endpoint gets everybody's.")],
    event: Events = None,
    header: Headers = None,
) -> None:
    """Add an endpoint and print its id, its URL and the secret that signs what is sent, which is shown this once."""
    settings, headers = load_settings(), _headers(header)

    async def work(database: Database) -> tuple[str, endpoints.Created]:
        checked = await client.check_url(url, settings.networks())

        async def make(transaction: Transaction, now: datetime) -> endpoints.Created:
            found = await owners.find(transaction, owner)
            given: dict[str, Any] = {"event_types": event, "headers": headers, "owner_id": found.id}
            return await endpoints.create(UnitOfWork(transaction, OPERATOR, now), url=checked, **given)

        return checked, await _in_transaction(database, make)

    normal, made = with_database(work, settings)
    if made.secret is None:
        remark("it was there and stays as it is; for a new secret: crm-graph endpoints rotate")
    show(("endpoint", "url", "secret"), [(str(made.endpoint_id), normal, made.secret or "")])


@app.command("update")
def update(
    endpoint: Endpoint,
    url: Annotated[str | None, typer.Option(help="Another URL.")] = None,
    event: Events = None,
    header: Headers = None,
    all_events: Annotated[bool, typer.Option("--all-events", help="Send everything.")] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Remove the headers that it has.")] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether events are queued for it.")
    ] = None,
) -> None:
    """Change an endpoint; what is not given stays. --event replaces all types; a header without a value goes."""
    if (event and all_events) or (header and no_headers):
        raise SetupError("give either --event or --all-events, and either --header or --no-headers")
    settings = load_settings()
    given: dict[str, Any] = {"active": active}
    given |= {"event_types": event} if event or all_events else {}
    given |= {"headers": _headers(header, may_remove=True)} if header or no_headers else {}

    async def work(database: Database) -> list[Any]:
        if url is not None:
            given["url"] = await client.check_url(url, settings.networks())

        async def change(transaction: Transaction, now: datetime) -> list[Any]:
            await endpoints.edit(UnitOfWork(transaction, OPERATOR, now), endpoint_id=endpoint, **given)
            return await endpoints.everyone(transaction)

        return await _in_transaction(database, change)

    _show([row for row in with_database(work, settings) if row.id == endpoint])


@app.command("list")
def list_all(owner: OnlyOf = None) -> None:
    """List the endpoints."""

    async def work(transaction: Transaction, _now: datetime) -> list[Any]:
        return await endpoints.everyone(transaction, await _email(transaction, owner))

    _show(_done(work))


@app.command("delete")
def delete(endpoint: Endpoint) -> None:
    """Remove an endpoint with its deliveries; the events stay."""
    _done(lambda transaction, now: endpoints.delete(UnitOfWork(transaction, OPERATOR, now), endpoint_id=endpoint))


@app.command("rotate")
def rotate(endpoint: Endpoint) -> None:
    """Print a new secret, which is shown this once; the present one signs beside it for 24 hours."""
    print(
        _done(lambda transaction, now: endpoints.rotate(UnitOfWork(transaction, OPERATOR, now), endpoint_id=endpoint))
    )


@app.command("test")
def test(endpoint: Endpoint) -> None:
    """Send an event `test` and print the id of its delivery; `crm-graph deliveries list` has what came of it."""
    print(
        _done(
            lambda transaction, now: endpoints.send_test(UnitOfWork(transaction, OPERATOR, now), endpoint_id=endpoint)
        )
    )


@deliveries_app.command("list")
def list_deliveries(
    owner: OnlyOf = None,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
) -> None:
    """List deliveries, newest first."""

    async def work(transaction: Transaction, _now: datetime) -> list[Any]:
        return await deliveries.recent(transaction, await _email(transaction, owner), status, limit)

    show(
        ("delivery", "created", "event", "status", "attempts", "url", "owner"),
        [
            (str(d.id), _time(d.created_at), d.type.value, d.status.value, str(d.attempts), d.url, d.email)
            for d in _done(work)
        ],
    )


@deliveries_app.command("replay")
def replay(
    delivery: Annotated[uuid.UUID | None, typer.Argument(help="One delivery.")] = None,
    endpoint: Annotated[uuid.UUID | None, typer.Option(help="All events for this endpoint; needs --since.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Told at or after this time; UTC, or with an offset."),
    ] = None,
) -> None:
    """Send again what was delivered, failed or cancelled; with --since also what a disabled endpoint missed."""
    if (delivery is None) == (endpoint is None or since is None):
        raise SetupError("give either one DELIVERY, or --endpoint and --since")
    if delivery is not None:
        _done(lambda transaction, now: deliveries.replay(UnitOfWork(transaction, OPERATOR, now), delivery_id=delivery))
        return

    async def work(database: Database) -> int:
        count, start = 0, since
        while start is not None:
            given = {"endpoint_id": endpoint, "since": start}

            async def some(transaction: Transaction, now: datetime, given: Any = given) -> deliveries.Replayed:
                return await deliveries.replay_since(UnitOfWork(transaction, OPERATOR, now), **given)

            done = await _in_transaction(database, some)
            count, start = count + done.queued, done.next_since
        return count

    print(f"deliveries that are pending and were not: {with_database(work)}")


@deliveries_app.command("resume")
def resume() -> None:
    """Let this database send under the PUBLIC_URL that is configured here; a copy of one that is in use should not."""
    settings = load_settings()

    async def work(transaction: Transaction, now: datetime) -> Any | None:
        before = await deliveries.pause(transaction)
        await deliveries.resume(UnitOfWork(transaction, OPERATOR, now), settings.public_url)
        return before

    before = _done(work, settings)
    served = f"this database is served under {settings.public_url or 'no PUBLIC_URL'}"
    if before is None:
        print(f"deliveries were not paused; {served}")
    else:
        since = f"{_time(before.paused_at)} ({before.paused_reason})"
        print(f"deliveries are sent again, which were paused since {since}; {served}")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _headers(given: Sequence[str] | None, *, may_remove: bool = False) -> dict[str, str | None] | None:
    if given is None:
        return None
    pairs = [text.partition(":") for text in given]
    if any(not colon or not (value.strip() or may_remove) for _, colon, value in pairs):
        raise SetupError("--header is written NAME: VALUE")
    return {name.strip(): value.strip() or None for name, _, value in pairs}


async def _email(transaction: Transaction, owner: str | None) -> str | None:
    return (await owners.find(transaction, owner)).email if owner else None


async def _in_transaction(database: Database, work: Callable[[Transaction, datetime], Awaitable[T]]) -> T:
    async with database.transaction(source=OPERATOR.source, seconds=SECONDS) as transaction:
        return await work(transaction, utc_now())


def _done(work: Callable[[Transaction, datetime], Awaitable[T]], settings: Settings | None = None) -> T:
    return with_database(lambda database: _in_transaction(database, work), settings)


def _show(found: Sequence[Any]) -> None:
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
