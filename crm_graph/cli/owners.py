"""`crm-graph owner`: the members of the team, from the command line."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from crm_graph.cli.context import with_database
from crm_graph.cli.output import remark, show
from crm_graph.database.engine import Database, Transaction
from crm_graph.domain.team import offboarding, owners
from crm_graph.domain.team.offboarding import Belongings
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, SetupError
from crm_graph.identity.principal import machine
from crm_graph.models import Owner, Role
from crm_graph.values import utc_now

OPERATOR = machine("crm-graph")  # whoever may run commands on the server
HAND_OVER_SECONDS = 600
app = typer.Typer(help="The members of the team.", no_args_is_help=True)

Email = Annotated[str, typer.Option(help="The owner's e-mail address.")]
Mailboxes = Annotated[
    list[str] | None, typer.Option("--mailbox", help="A mailbox that the owner sends from; repeat it for more.")
]
Timezone = Annotated[str | None, typer.Option(help="Their time zone, such as Europe/Istanbul.")]
BookingUrl = Annotated[str | None, typer.Option(help="Where to book a meeting with them.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Email,
    role: Annotated[Role, typer.Option(help="What the owner may do.")] = Role.SALES,
    mailbox: Mailboxes = None,
    timezone: Timezone = None,
    booking_url: BookingUrl = None,
    default: Annotated[
        bool, typer.Option("--default", help="Contacts that nobody else can be found for go here.")
    ] = False,
) -> None:
    """Add an owner."""
    given = _given(role=role, mailboxes=mailbox, timezone=timezone, booking_url=booking_url, is_default=default or None)

    async def work(transaction: Transaction, now: datetime) -> None:
        await owners.create(UnitOfWork(transaction, OPERATOR, now), name=name, email=email, **given)

    _list(after=work)


@app.command("update")
def update(
    email: Email,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    role: Annotated[Role | None, typer.Option(help="A new role; holds within seconds.")] = None,
    mailbox: Mailboxes = None,
    timezone: Timezone = None,
    booking_url: BookingUrl = None,
    default: Annotated[
        bool | None, typer.Option("--default/--no-default", help="Whether contacts fall to them.")
    ] = None,
    no_mailboxes: Annotated[bool, typer.Option("--no-mailboxes", help="Free all their mailboxes.")] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="An inactive owner's tokens are refused.")
    ] = None,
    hand_over_to: Annotated[
        str | None, typer.Option(help="With --inactive: who gets their deals, contacts, tasks and mailboxes.")
    ] = None,
    hand_over_to_pool: Annotated[
        bool, typer.Option("--hand-over-to-pool", help="With --inactive: all that is theirs becomes unassigned.")
    ] = False,
) -> None:
    """Change an owner; what is not given stays. --mailbox replaces the whole list."""
    _check_usage(mailbox, no_mailboxes, active, hand_over_to, hand_over_to_pool)
    mailboxes = [] if no_mailboxes else mailbox
    given = _given(
        name=name, role=role, mailboxes=mailboxes, timezone=timezone, booking_url=booking_url, is_default=default
    )

    async def work(transaction: Transaction, now: datetime) -> str | None:
        owner = await owners.find(transaction, email)
        if active:
            await owners.activate(UnitOfWork(transaction, OPERATOR, now), owner_id=owner.id)
        await owners.edit(UnitOfWork(transaction, OPERATOR, now), owner_id=owner.id, **given)
        if active is not False:
            return None
        if hand_over_to or hand_over_to_pool:
            return await _hand_over(transaction, owner, hand_over_to, now)
        return await _deactivate(transaction, owner, now)

    _list(after=work)


@app.command("list")
def list_all() -> None:
    """List the owners."""
    _list()


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _check_usage(
    mailbox: list[str] | None, no_mailboxes: bool, active: bool | None, to: str | None, to_pool: bool
) -> None:
    if mailbox and no_mailboxes:
        raise SetupError("give either --mailbox or --no-mailboxes")
    if to and to_pool:
        raise SetupError("give either --hand-over-to or --hand-over-to-pool")
    if (to or to_pool) and active is not False:
        raise SetupError("--hand-over-to and --hand-over-to-pool go with --inactive")


async def _hand_over(transaction: Transaction, owner: Owner, to: str | None, now: datetime) -> str:
    heir = await owners.find(transaction, to) if to else None
    had = await offboarding.deactivate(
        UnitOfWork(transaction, OPERATOR, now), owner_id=owner.id, hand_over_to=heir.id if heir else None
    )
    return f"{owner.email} had {_told(had)}; they are {f'{heir.email} now' if heir else 'unassigned now'}"


async def _deactivate(transaction: Transaction, owner: Owner, now: datetime) -> str | None:
    await owners.deactivate(UnitOfWork(transaction, OPERATOR, now), owner_id=owner.id)
    left = await offboarding.belongings(transaction, owner.id)
    if left == Belongings(0, 0, 0):
        return None
    command = f"crm-graph owner update --email {owner.email} --inactive"
    return f"{owner.email} keeps {_told(left)}; to hand them over: {command} --hand-over-to EMAIL"


def _told(belongings: Belongings) -> str:
    return f"{belongings.contacts} contacts, {belongings.deals} deals and {belongings.tasks} open tasks"


def _list(after: Callable[[Transaction, datetime], Awaitable[str | None]] | None = None) -> None:
    async def work(database: Database) -> tuple[str | None, list[tuple[Owner, list[str]]]]:
        async with database.transaction(source=OPERATOR.source, seconds=HAND_OVER_SECONDS) as transaction:
            try:
                said = await after(transaction, utc_now()) if after else None
            except Conflict as error:
                raise _as_command(error) from error
            return said, await owners.everyone(transaction)

    said, found = with_database(work)
    if said:
        remark(said)
    show(
        ("email", "name", "role", "default", "active", "mailboxes"),
        [
            (o.email, o.name, o.role.value, str(o.is_default).lower(), str(o.active).lower(), ",".join(boxes))
            for o, boxes in found
        ],
    )


def _as_command(error: Conflict) -> Conflict:
    """The same refusal with the command that helps, where there is one."""
    if "mailbox" not in error.details:
        return error
    mailbox, owner, others = (error.details[name] for name in ("mailbox", "owner", "otherMailboxes"))
    left = " ".join(f"--mailbox {other}" for other in others) or "--no-mailboxes"
    return Conflict(f"the mailbox {mailbox} is {owner}'s; to free it: crm-graph owner update --email {owner} {left}")
