"""`crm-graph owner`: the members of the team, from the command line."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from crm_graph.cli.context import as_operator
from crm_graph.cli.output import remark, show
from crm_graph.domain.team import offboarding, owners
from crm_graph.domain.team.offboarding import OwnedRows
from crm_graph.domain.team.owners import OwnerRow
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, SetupError
from crm_graph.models import Role

app = typer.Typer(help="The members of the team.", no_args_is_help=True)

Email = Annotated[str, typer.Option(help="The owner's e-mail address.")]
Mailboxes = Annotated[
    list[str] | None, typer.Option("--mailbox", help="A mailbox that the owner sends from; repeatable.")
]
Timezone = Annotated[str | None, typer.Option(help="Their time zone, such as Europe/Istanbul.")]
BookingUrl = Annotated[str | None, typer.Option(help="The page where leads book a meeting with them.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Email,
    role: Annotated[Role, typer.Option(help="What the owner may do.")] = Role.SALES,
    mailbox: Mailboxes = None,
    timezone: Timezone = None,
    booking_url: BookingUrl = None,
    default: Annotated[bool, typer.Option("--default", help="Receives contacts that match no other owner.")] = False,
) -> None:
    """Add an owner."""

    async def act(work: UnitOfWork) -> None:
        await owners.create(
            work,
            name=name,
            email=email,
            role=role,
            mailboxes=mailbox,
            timezone=timezone,
            booking_url=booking_url,
            is_default=default or None,
        )

    _list(after=act)


@app.command("update")
def update(
    email: Email,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    role: Annotated[Role | None, typer.Option(help="The new role; takes effect within seconds.")] = None,
    mailbox: Mailboxes = None,
    timezone: Timezone = None,
    booking_url: BookingUrl = None,
    default: Annotated[
        bool | None,
        typer.Option("--default/--no-default", help="Whether they receive contacts of no other owner."),
    ] = None,
    no_mailboxes: Annotated[bool, typer.Option("--no-mailboxes", help="Free all their mailboxes.")] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="An inactive owner's tokens are refused.")
    ] = None,
    hand_over_to: Annotated[
        str | None, typer.Option(help="With --inactive: who gets their deals, contacts, tasks and mailboxes.")
    ] = None,
    hand_over_to_pool: Annotated[
        bool,
        typer.Option("--hand-over-to-pool", help="With --inactive: all their work becomes unassigned."),
    ] = False,
) -> None:
    """Change an owner; options that are left out change nothing. --mailbox replaces the whole list."""
    _check_usage(mailbox, no_mailboxes, active, hand_over_to, hand_over_to_pool)
    mailboxes = [] if no_mailboxes else mailbox
    given = _given(
        name=name, role=role, mailboxes=mailboxes, timezone=timezone, booking_url=booking_url, is_default=default
    )

    async def act(work: UnitOfWork) -> str | None:
        owner = await owners.get_by_email(work.transaction, email)
        if active:
            await owners.activate(work, owner_id=owner.id)
        await owners.edit(work, owner_id=owner.id, changes=given)
        if active is not False:
            return None
        if hand_over_to or hand_over_to_pool:
            return await _hand_over(work, owner, hand_over_to)
        return await _deactivate(work, owner)

    _list(after=act)


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


async def _hand_over(work: UnitOfWork, owner: OwnerRow, to: str | None) -> str:
    heir = await owners.get_by_email(work.transaction, to) if to else None
    had = await offboarding.deactivate(work, owner_id=owner.id, hand_over_to=heir.id if heir else None)
    return f"{owner.email} had {_counts(had)}; they are now {f'owned by {heir.email}' if heir else 'unassigned'}"


async def _deactivate(work: UnitOfWork, owner: OwnerRow) -> str | None:
    await owners.deactivate(work, owner_id=owner.id)
    left = await offboarding.count_owned(work.transaction, owner.id)
    if left == OwnedRows(0, 0, 0):
        return None
    command = f"crm-graph owner update --email {owner.email} --inactive"
    return f"{owner.email} keeps {_counts(left)}; to hand them over: {command} --hand-over-to EMAIL"


def _counts(owned: OwnedRows) -> str:
    return f"{owned.contacts} contacts, {owned.deals} deals and {owned.tasks} open tasks"


def _list(after: Callable[[UnitOfWork], Awaitable[str | None]] | None = None) -> None:
    """List the owners, after a change that may have a remark to make."""

    async def act(work: UnitOfWork) -> tuple[str | None, list[tuple[OwnerRow, list[str]]]]:
        try:
            result = await after(work) if after else None
        except Conflict as error:
            raise _as_command(error) from error
        return result, await owners.list_with_mailboxes(work.transaction)

    result, found = as_operator(act)
    if result:
        remark(result)
    show(
        ("email", "name", "role", "default", "active", "mailboxes"),
        [
            (o.email, o.name, o.role, str(o.is_default).lower(), str(o.active).lower(), ",".join(boxes))
            for o, boxes in found
        ],
    )


def _as_command(error: Conflict) -> Conflict:
    """The same error, with the command that solves it where there is one."""
    if "mailbox" not in error.details:
        return error
    mailbox, owner, others = (error.details[name] for name in ("mailbox", "owner", "otherMailboxes"))
    left = " ".join(f"--mailbox {other}" for other in others) or "--no-mailboxes"
    return Conflict(
        f"the mailbox {mailbox} belongs to {owner}; to free it: crm-graph owner update --email {owner} {left}"
    )
